/** What the API asks of the node and of its people; compose hands in objects that fit. @module */

import type { Finding } from '../../base/health/finding.ts'
import type { Metric } from '../../base/util/metric.ts'
import type { Authority } from '../../user/household/authority.ts'
import type { Answer, Request } from '../client/routes.ts'

type Awaitable<T> = T | PromiseLike<T>
/** What a route tells of a thing is what the API needs of it. */
type Told<T> = Readonly<T>

export type AccountSummary = Told<Answer<'status'>['accounts'][number]>
export type RecoveryProgress = Told<
  Extract<Answer<'recoverAccount'>, { progress: unknown }>['progress']
>
export type ContactSummary = Told<Answer<'addContact'>>
export type OpenLink = Told<Answer<'shutLink'>>
export type Strangers = Answer<'strangers'>['strangers']
export type Sent = Told<Answer<'send'>>
export type MessageReport = Told<Answer<'message'>>
export type InboxEntry = Told<Answer<'inbox'>>
export type ConversationEntry = Told<Answer<'conversation'>>
export type ConnectedPeer = Told<Answer<'status'>['peers'][number]>
export type TrustedPeerSummary = Told<Answer<'acceptPeer'>>
export type Reachability = Told<Answer<'status'>['reachability']>

export interface ContactsService {
  link(init: { uses?: number; days?: number }): Promise<string>
  add(init: { link: string; as: string }): Promise<ContactSummary>
  list(): Awaitable<readonly ContactSummary[]>
  get(nameOrId: string): Awaitable<ContactSummary>
  safetyNumber(nameOrId: string): Awaitable<string>
  confirm(nameOrId: string, digits: string): Promise<ContactSummary>
  block(nameOrId: string): Promise<ContactSummary>
  strangers(): Awaitable<Strangers>
  letStrangersBe(strangers: Strangers): Promise<void>
}

type Host = Told<Answer<'holders'>['holders'][number]>

export interface Holders {
  readonly chosen: boolean
  readonly holders: readonly Host[]
}

export interface HoldersService {
  look(): Promise<Holders>
  /** Without `peers`, all that agree. */
  choose(peers: readonly string[] | undefined): Promise<Holders>
}

export interface LinksService {
  list(): Awaitable<readonly OpenLink[]>
  shut(idOrLink: string): Promise<OpenLink>
}

export type SentShare = Told<Omit<Answer<'shareWords'>['shares'][number], 'state'>>
export type KeptShare = Told<Answer<'shares'>['shares'][number]>
export type ToldShare = Told<Answer<'showShare'>['shares'][number]>

/** Shares of words: own ones that are given out, and those that are kept for others. */
export interface SharesService {
  /** Resolves when the letters are durable at the own node. */
  give(init: {
    readonly words: readonly string[]
    readonly need: number
    readonly to: readonly string[]
  }): Promise<readonly SentShare[]>
  list(): Awaitable<readonly KeptShare[]>
  show(nameOrId: string): Awaitable<readonly ToldShare[]>
}

export interface MessagesService {
  /** Resolves once the message is durable at the own node. */
  send(init: { to: string; text: string }): Promise<Sent>
  /** Resolves when the state is another than `queued`, or after `timeoutMs`; rejects with the
   *  signal's reason. */
  settled(msgId: string, wait: { timeoutMs: number; signal: AbortSignal }): Promise<Sent>
  inbox(): AsyncIterable<InboxEntry>
  show(msgId: string): Promise<MessageReport>
  conversation(nameOrId: string): AsyncIterable<ConversationEntry>
}

/** One person, unlocked: one object from an unlocking to the next lock, never the same again. */
export interface MemberService {
  readonly id: string
  readonly name: string
  readonly role: AccountSummary['role']
  readonly contacts: ContactsService
  readonly links: LinksService
  readonly holders: HoldersService
  readonly messages: MessagesService
  readonly shares: SharesService
}

export interface AccountsService {
  create(init: {
    name: string
    role: AccountSummary['role']
    password: Uint8Array
  }): Promise<{ readonly member: MemberService; readonly words: readonly string[] }>
  /** Makes an account of an invitation. */
  join(init: {
    link: string
    name: string
    password: Uint8Array
  }): Promise<{ readonly member: MemberService; readonly words: readonly string[] }>
  /** Brings an account here from its words.
   *  @throws {AbzuError} those of AccountManager.recover; the signal's reason */
  recover(init: {
    words: readonly string[]
    name: string
    role?: AccountSummary['role'] | undefined
    password: Uint8Array
    peer?: string | undefined
    progress: (done: RecoveryProgress) => void
    signal: AbortSignal
  }): Promise<MemberService>
  /** The file of an unlocked account, as it comes about.
   *  @throws {AbzuError} those of AccountManager.exported */
  exported(
    nameOrId: string,
    lock: Request<'exportAccount'>['body'],
  ): Promise<AsyncIterable<Uint8Array>>
  /** Brings an account here from such a file.
   *  @throws {AbzuError} those of AccountManager.import; the signal's reason */
  import(init: {
    sealed: () => AsyncIterable<Uint8Array>
    secret?: { readonly password: string } | { readonly identity: string } | undefined
    name?: string | undefined
    role?: AccountSummary['role'] | undefined
    password: Uint8Array
    progress: (done: RecoveryProgress) => void
    signal: AbortSignal
  }): Promise<{ readonly member: MemberService; readonly isUpToDate: boolean }>
  /** Moves an unlocked account to a paired node.
   *  @throws {AbzuError} those of AccountManager.move; the signal's reason */
  move(
    nameOrId: string,
    init: {
      to: string
      progress: (isCopying: boolean) => void
      signal: AbortSignal
    },
  ): Promise<{ readonly to: string; readonly isComplete: boolean }>
  list(): Awaitable<readonly AccountSummary[]>
  /** Deletes an account, or begins its grace: the answer is what it is from now on.
   *  @param by id of the account that asks for it */
  remove(nameOrId: string, by: string): Promise<AccountSummary | undefined>
  keep(nameOrId: string): Promise<AccountSummary>
  makeAdmin(nameOrId: string): Promise<AccountSummary>
  unmakeAdmin(nameOrId: string): Promise<AccountSummary>
  /** @param atMs since 1970 */
  letGrowUp(nameOrId: string, atMs: number): Promise<AccountSummary>
  growUp(nameOrId: string): Promise<AccountSummary>
  /** Checks the password, of an unlocked account too. */
  unlock(nameOrId: string, password: Uint8Array): Promise<MemberService>
  lock(nameOrId: string): Promise<void>
  /** An unlocked account; counts as its use.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_LOCKED */
  member(nameOrId: string): MemberService
}

export type DeviceSummary = Told<Answer<'devices'>['devices'][number]>

/** Passwords and keys of accounts. */
export interface KeysService {
  /** @throws {AbzuError} those of KeyChanges.changePassword */
  changePassword(
    nameOrId: string,
    init: { readonly password: Uint8Array; readonly next: Uint8Array },
  ): Promise<void>
  /** @throws {AbzuError} those of KeyChanges.rotate */
  rotate(
    nameOrId: string,
    init: {
      readonly words?: readonly string[] | undefined
      readonly password: Uint8Array
      readonly revoke?: readonly string[] | undefined
    },
  ): Promise<MemberService>
  devices(nameOrId: string): Promise<readonly DeviceSummary[]>
}

export type Invitation = Told<Answer<'revokeInvitation'>>

/** Links by which people join the household. */
export interface InvitationsService {
  /** Resolves once the link is durable. */
  give(
    init: Request<'invite'>['body'] & { readonly by?: string | undefined },
  ): Promise<Told<Answer<'invite'>>>
  list(): Promise<readonly Invitation[]>
  revoke(idOrLink: string): Promise<Invitation>
}

export type ChildReport = Told<Answer<'child'>>
export type WatchedContact = Told<Answer<'decideContact'>>

/** What Admins and Adults decide for a Child. `by` is the id of who does, unlocked. */
export interface OversightService {
  /** Of all Children where none is named. */
  look(init: { by: string; child?: string | undefined }): Promise<ChildReport[]>
  /** Resolves once the decision is durable. */
  decide(
    init: { by: string; child: string } & Request<'decideContact'>['body'],
  ): Promise<WatchedContact>
  /** Resolves once the rules are durable. */
  rule(init: { by: string; child: string } & Request<'ruleChild'>['body']): Promise<ChildReport>
  /** Resolves once the entry in the Child's audit is durable, and not before. */
  inspect(init: {
    by: string
    child: string
    fromMs: number
    untilMs: number
    reason: string
  }): Promise<Told<Answer<'inspectChild'>>>
  /** Somebody who may not inspect has tried. */
  refused(init: { by: string; child: string }): Promise<void>
  audit(init: { by: string }): Promise<Answer<'audit'>>
}

export interface NodeService {
  readonly peerId: string
  readonly pid: number
  readonly version: string
  addresses(): readonly string[]
  peers(): readonly ConnectedPeer[]
  /** What people here call another node. */
  nameOf(peerId: string): string | undefined
  reachability(): Reachability
  /** Of the node's parts, and, in the text format of Prometheus, of libraries that count for themselves. */
  metrics(): Promise<{ readonly own: readonly Metric[]; readonly foreign: string }>
  /** What is wrong with the node. */
  findings(): Promise<readonly Finding[]>
  /** Checks every row of the store. */
  verifyStore(): Promise<readonly Finding[]>
  /** Resolves when the owner's word is durable. */
  confirmTime(): Promise<void>
  /** Resolves once the peer is remembered.
   *  @throws {AbzuError} ABZU_ADDRESS_INVALID */
  addPeer(address: string): Promise<void>
  /** Begins to end the daemon and returns. */
  stop(): void
}

/** What the owner says of another node. */
export interface PairInit {
  readonly name?: string | undefined
  readonly quotaBytes?: number | undefined
}

/** How this node and another one stand. */
export type PeerStatus = Told<Answer<'peerStatus'>['peers'][number]>

/** Other nodes that this one trusts, and that trust it. */
export interface FederationService {
  /** Resolves once the code is durable. */
  invite(
    init: PairInit & { readonly hours?: number | undefined },
  ): Promise<Told<Answer<'invitePeer'>>>
  /** Resolves once both nodes have written it down. */
  accept(code: string, init: PairInit, signal: AbortSignal): Promise<TrustedPeerSummary>
  list(): readonly TrustedPeerSummary[]
  status(): Promise<readonly PeerStatus[]>
  /** Hands over what the peer lacks, then trusts it no more. Resolves once that is durable.
   *  @param init.anyway do so also where it does not take it
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_UNREACHABLE where it does not take what it lacks */
  remove(
    nameOrPeerId: string,
    init?: { readonly anyway?: boolean | undefined },
  ): Promise<TrustedPeerSummary>
}

/** Says who may do what. */
export type AuthorityService = Pick<Authority, 'expect'>

/** Files on their way in. */
export interface UploadsService {
  begin(): Promise<string>
  append(upload: string, init: { at: number; piece: Uint8Array }): Promise<number>
  /** Gives `work` the file and drops it afterwards. */
  take<T>(upload: string, work: (read: () => AsyncIterable<Uint8Array>) => Promise<T>): Promise<T>
}

export type PersonLimits = Told<Answer<'ownLimits'>>
export type HouseholdLimits = Told<Answer<'limits'>>
type Changes = Request<'changeLimits'>['body']
type ChangesOf<K extends string> = Extract<Changes, Readonly<Record<K, unknown>>>['limits']

/** What people, the node and its peers may have and do. Each change resolves once it is durable, and holds then.
 *  Every change @throws {AbzuError} ABZU_NOT_FOUND; ABZU_INVALID_ARGUMENT where it is absurd */
export interface LimitsService {
  /** Counts a call by an account, or by the owner of the machine.
   *  @throws {AbzuError} ABZU_RATE_LIMITED */
  call(id: string | undefined): void
  look(): Promise<HouseholdLimits>
  person(nameOrId: string): PersonLimits
  setPerson(nameOrId: string, changes: ChangesOf<'account'>): Promise<PersonLimits>
  setRole(
    role: AccountSummary['role'],
    changes: ChangesOf<'role'>,
  ): Promise<HouseholdLimits['roles'][number]>
  setNode(changes: ChangesOf<'node'>): Promise<HouseholdLimits['node']>
  setPeer(nameOrPeerId: string, quotaBytes: number): Promise<HouseholdLimits['peers'][number]>
}

export interface Services {
  readonly authority: AuthorityService
  readonly accounts: AccountsService
  readonly uploads: UploadsService
  readonly invitations: InvitationsService
  readonly oversight: OversightService
  readonly keys: KeysService
  readonly node: NodeService
  readonly federation: FederationService
  readonly limits: LimitsService
}
