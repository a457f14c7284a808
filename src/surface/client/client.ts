/**
 * The SDK: what the control API offers, as methods. Answers are checked before they are returned.
 * @module
 */

import { checked, throwIfError } from './answers.ts'
import { ask, type AbzuClientInit, type RequestParts } from './ask.ts'
import { readJson, readJsonLines, readText } from './http.ts'
import {
  routes,
  type Answer,
  type Asked,
  type BytesRoute,
  type LineRoute,
  type RouteName,
  type TextRoute,
} from './routes.ts'

/** Each method throws the `AbzuError` that the daemon answered, or one of the connection:
 *  ABZU_NO_DAEMON, ABZU_DENIED, ABZU_TIMEOUT, ABZU_CLOSED, ABZU_PROTOCOL_VIOLATION. */
export class AbzuClient {
  readonly #init: AbzuClientInit

  constructor(init: AbzuClientInit) {
    this.#init = init
  }

  /** The same daemon, acting as the account of a session. */
  withSession(token: string): AbzuClient {
    return new AbzuClient({ ...this.#init, token })
  }

  /** The node, its accounts and its peers. */
  status(signal?: AbortSignal): Promise<Answer<'status'>> {
    return this.#call('status', {}, signal)
  }

  /** The node in numbers, in the text format of Prometheus. */
  async metrics(): Promise<string> {
    const { chunks } = await ask(this.#init, routes.metrics, {})
    return readText(chunks)
  }

  /** What is wrong with the node, what that means and what to do. */
  doctor(): Promise<Answer<'doctor'>> {
    return this.#call('doctor', {})
  }

  /** Checks every row of the store: takes as long as there is to read. */
  verifyStore(): Promise<Answer<'verifyStore'>> {
    return this.#call('verifyStore', {})
  }

  /** The owner's word that the clock is right, after it jumped. */
  async confirmTime(): Promise<void> {
    await this.#call('confirmTime', {})
  }

  /** Resolves when the daemon has agreed to end, before it has ended. */
  async stop(): Promise<void> {
    await this.#call('stop', {})
  }

  async addPeer(body: Body<'addPeer'>): Promise<void> {
    await this.#call('addPeer', { body })
  }

  /** Which copies the peers hold, and how they stand. */
  async peerStatus(): Promise<Answer<'peerStatus'>['peers']> {
    return (await this.#call('peerStatus', {})).peers
  }

  /** The nodes that this one trusts, by name. */
  async trustedPeers(): Promise<Answer<'trustedPeers'>['peers']> {
    return (await this.#call('trustedPeers', {})).peers
  }

  /** A code for the owner of one other node, durable. */
  invitePeer(body: Body<'invitePeer'>): Promise<Answer<'invitePeer'>> {
    return this.#call('invitePeer', { body })
  }

  /** Resolves when both nodes have written down that they trust each other. */
  acceptPeer(body: Body<'acceptPeer'>): Promise<Answer<'acceptPeer'>> {
    return this.#call('acceptPeer', { body })
  }

  /** `peer` is its name or peer id. */
  removePeer(
    peer: string,
    init: { readonly anyway: boolean } = { anyway: false },
  ): Promise<Answer<'removePeer'>> {
    return this.#call('removePeer', { params: { peer }, body: init })
  }

  /** What people, the node and its peers may have and do, and how much of it is used. */
  limits(): Promise<Answer<'limits'>> {
    return this.#call('limits', {})
  }

  /** The same of the account of this session. */
  ownLimits(): Promise<Answer<'ownLimits'>> {
    return this.#call('ownLimits', {})
  }

  /** What is set holds when this resolves; null is the default. */
  changeLimits(body: Body<'changeLimits'>): Promise<Answer<'changeLimits'>> {
    return this.#call('changeLimits', { body })
  }

  /** The new account is unlocked; its `words` are told this once. */
  createAccount(body: Body<'createAccount'>): Promise<Answer<'createAccount'>> {
    return this.#call('createAccount', { body })
  }

  /** Brings an account here from its words: how far it is, and at last the account, unlocked. A caller that leaves
   *  early ends it; another call goes on from there. */
  recoverAccount(
    body: Body<'recoverAccount'>,
    signal?: AbortSignal,
  ): AsyncGenerator<Answer<'recoverAccount'>> {
    return this.#lines('recoverAccount', { body }, signal)
  }

  /** Deletes an account, its keys first; an Adult whom an Admin removes has 30 days to leave. `account` is a name or an id. */
  deleteAccount(account: string): Promise<Answer<'deleteAccount'>> {
    return this.#call('deleteAccount', { params: { account } })
  }

  /** An Adult who was to leave stays. */
  keepAccount(account: string): Promise<Answer<'keepAccount'>> {
    return this.#call('keepAccount', { params: { account } })
  }

  /** The account is locked: its role holds from the next unlocking on. */
  makeAdmin(account: string): Promise<Answer<'makeAdmin'>> {
    return this.#call('makeAdmin', { params: { account } })
  }

  /** As `makeAdmin`. */
  unmakeAdmin(account: string): Promise<Answer<'unmakeAdmin'>> {
    return this.#call('unmakeAdmin', { params: { account } })
  }

  /** At once where no time is given. */
  letGrowUp(account: string, body: Body<'letGrowUp'> = {}): Promise<Answer<'letGrowUp'>> {
    return this.#call('letGrowUp', { params: { account }, body })
  }

  /** As `makeAdmin`. */
  growUp(): Promise<Answer<'growUp'>> {
    return this.#call('growUp', {})
  }

  /** A link by which one person can join the household, durable. */
  invite(body: Body<'invite'>): Promise<Answer<'invite'>> {
    return this.#call('invite', { body })
  }

  async invitations(): Promise<Answer<'invitations'>['invitations']> {
    return (await this.#call('invitations', {})).invitations
  }

  /** `invitation` is a link or its id. */
  revokeInvitation(invitation: string): Promise<Answer<'revokeInvitation'>> {
    return this.#call('revokeInvitation', { body: { invitation } })
  }

  /** The new account is unlocked; its `words` are told this once. */
  join(body: Body<'join'>): Promise<Answer<'join'>> {
    return this.#call('join', { body })
  }

  /** The account of this session as a file that `age` opens, made no faster than it is read. One that was cut off does not
   *  end, but fails. */
  async *exportAccount(
    body: Body<'exportAccount'>,
    signal?: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const { chunks } = await ask(this.#init, routes.exportAccount, { body }, signal)
    yield* chunks
  }

  /** Moves the account of this session to a paired node: how far it is, and at last where it lives. A caller that leaves
   *  early ends it, up to the moment at which it lives there; another call goes on from there. */
  moveAccount(
    body: Body<'moveAccount'>,
    signal?: AbortSignal,
  ): AsyncGenerator<Answer<'moveAccount'>> {
    return this.#lines('moveAccount', { body }, signal)
  }

  /** Begins to bring a file to the daemon: what it is called there. */
  async beginUpload(): Promise<string> {
    return (await this.#call('beginUpload', {})).upload
  }

  /** Brings the piece of a file that begins at byte `at`, of 4 MiB at most. */
  async upload(upload: string, at: number, piece: Uint8Array): Promise<void> {
    const params = { upload, at: String(at) }
    await this.#call('upload', { params, octets: piece })
  }

  /** Brings an account here from an export that was brought to the daemon: how far it is, and at last the account,
   *  unlocked. A caller that leaves early ends it; what was brought is to be brought again. */
  importAccount(
    body: Body<'importAccount'>,
    signal?: AbortSignal,
  ): AsyncGenerator<Answer<'importAccount'>> {
    return this.#lines('importAccount', { body }, signal)
  }

  unlock(body: Body<'unlock'>): Promise<Answer<'unlock'>> {
    return this.#call('unlock', { body })
  }

  /** Ends every session of the account, this one too; the answer has another one. */
  changePassword(body: Body<'changePassword'>): Promise<Answer<'changePassword'>> {
    return this.#call('changePassword', { body })
  }

  /** The account is locked meanwhile, and unlocked at the end. */
  rotateKeys(body: Body<'rotateKeys'>): Promise<Answer<'rotateKeys'>> {
    return this.#call('rotateKeys', { body })
  }

  /** Letters to all are durable; their states are those after some seconds. */
  shareWords(body: Body<'shareWords'>): Promise<Answer<'shareWords'>> {
    return this.#call('shareWords', { body })
  }

  async shares(): Promise<Answer<'shares'>['shares']> {
    return (await this.#call('shares', {})).shares
  }

  async showShare(contact: string): Promise<Answer<'showShare'>['shares']> {
    return (await this.#call('showShare', { params: { contact } })).shares
  }

  async devices(): Promise<Answer<'devices'>['devices']> {
    return (await this.#call('devices', {})).devices
  }

  /** Ends every session of the account, this one too. */
  async lock(): Promise<void> {
    await this.#call('lock', {})
  }

  async createLink(body: Body<'createLink'>): Promise<string> {
    return (await this.#call('createLink', { body })).link
  }

  async links(): Promise<Answer<'links'>['links']> {
    return (await this.#call('links', {})).links
  }

  /** `link` is a link or its id. */
  shutLink(link: string): Promise<Answer<'shutLink'>> {
    return this.#call('shutLink', { body: { link } })
  }

  /** Whether people who know only the address may write. */
  async strangers(): Promise<Answer<'strangers'>['strangers']> {
    return (await this.#call('strangers', {})).strangers
  }

  async letStrangersBe(strangers: Answer<'strangers'>['strangers']): Promise<void> {
    await this.#call('letStrangersBe', { body: { strangers } })
  }

  /** Which nodes hold the account's mailbox besides its home. */
  holders(): Promise<Answer<'holders'>> {
    return this.#call('holders', {})
  }

  /** `null`: all that agree. */
  chooseHolders(holders: readonly string[] | null): Promise<Answer<'chooseHolders'>> {
    return this.#call('chooseHolders', { body: { holders: holders && [...holders] } })
  }

  async contacts(): Promise<Answer<'contacts'>['contacts']> {
    return (await this.#call('contacts', {})).contacts
  }

  addContact(body: Body<'addContact'>): Promise<Answer<'addContact'>> {
    return this.#call('addContact', { body })
  }

  safetyNumber(contact: string): Promise<Answer<'safetyNumber'>> {
    return this.#call('safetyNumber', { params: { contact } })
  }

  confirmContact(contact: string, digits: string): Promise<Answer<'confirmContact'>> {
    return this.#call('confirmContact', { params: { contact }, body: { digits } })
  }

  blockContact(contact: string): Promise<Answer<'blockContact'>> {
    return this.#call('blockContact', { params: { contact } })
  }

  /** Resolves once the message is durable at the own node and, with `waitMs`, when a receipt came
   *  or that time is over, whichever is first. */
  send(body: Body<'send'>, signal?: AbortSignal): Promise<Answer<'send'>> {
    return this.#call('send', { body }, signal)
  }

  message(msgId: string): Promise<Answer<'message'>> {
    return this.#call('message', { params: { msgId } })
  }

  /** Both directions with one contact, oldest first. */
  conversation(contact: string, signal?: AbortSignal): AsyncGenerator<Answer<'conversation'>> {
    return this.#lines('conversation', { params: { contact } }, signal)
  }

  /** Oldest first, each message once, read from the daemon no faster than the caller takes them. */
  inbox(signal?: AbortSignal): AsyncGenerator<Answer<'inbox'>> {
    return this.#lines('inbox', {}, signal)
  }

  /** What is decided for the Children of the household. */
  async children(): Promise<Answer<'children'>['children']> {
    return (await this.#call('children', {})).children
  }

  child(account: string): Promise<Answer<'child'>> {
    return this.#call('child', { params: { account } })
  }

  /** Lets letters pass between a Child and a contact, or not. */
  decideContact(account: string, body: Body<'decideContact'>): Promise<Answer<'decideContact'>> {
    return this.#call('decideContact', { params: { account }, body })
  }

  /** Sets when a Child may write, or freezes it. */
  ruleChild(account: string, body: Body<'ruleChild'>): Promise<Answer<'ruleChild'>> {
    return this.#call('ruleChild', { params: { account }, body })
  }

  inspectChild(account: string, body: Body<'inspectChild'>): Promise<Answer<'inspectChild'>> {
    return this.#call('inspectChild', { params: { account }, body })
  }

  audit(): Promise<Answer<'audit'>> {
    return this.#call('audit', {})
  }

  async #call<N extends Exclude<RouteName, LineRoute | TextRoute | BytesRoute>>(
    name: N,
    asked: Asked<N> & RequestParts,
    signal?: AbortSignal,
  ): Promise<Answer<N>> {
    const { chunks } = await ask(this.#init, routes[name], asked, signal)
    // the schema of this very route made the value, which the compiler cannot follow through N
    return checked(routes[name], await readJson(chunks)) as Answer<N>
  }

  async *#lines<N extends LineRoute>(
    name: N,
    asked: Asked<N> & RequestParts,
    signal?: AbortSignal,
  ): AsyncGenerator<Answer<N>> {
    const { chunks } = await ask(this.#init, routes[name], asked, signal)
    for await (const line of readJsonLines(chunks)) {
      throwIfError(line)
      yield checked(routes[name], line) as Answer<N>
    }
  }
}

type Body<N extends RouteName> = Asked<N> extends { readonly body: infer B } ? B : never
