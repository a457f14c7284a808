/**
 * The control API as one table: what is not listed here does not exist. The daemon serves it, the
 * client calls it, and both take their types from it.
 * @module
 */

import type { z } from 'zod'
import type { Operation } from '../../user/household/decisions.ts'
import { holderRoutes } from './holder-routes.ts'
import * as schemas from './schemas.ts'

/** Who calls: whoever can open the socket, with a session or without; or a session's account. */
export type Caller = 'anyone' | 'member'

export interface Route {
  readonly method: 'GET' | 'POST'
  readonly path: `/v1/${string}`
  readonly caller: Caller
  /** What the table of decisions is asked. */
  readonly operation: Operation
  /** On what: the node where left out; the caller's own account; the account that `params.account` names; one that is to be
   *  made with the role `body.role`. */
  readonly on?: 'self' | 'account' | 'role'
  readonly summary: string
  readonly params?: z.ZodType
  readonly body?: z.ZodType
  /** Of the whole answer; of one line where `lines` is set. */
  readonly answer: z.ZodType
  /** The answer is newline-delimited JSON of unknown length. */
  readonly lines?: true
  /** The answer is a text of this media type. */
  readonly text?: string
  /** How long an answer may take; 30 s where nothing is said. */
  readonly timeoutMs?: number
}

export const routes = {
  status: {
    method: 'GET',
    path: '/v1/status',
    caller: 'anyone',
    operation: 'node.look',
    summary: 'The node, its accounts and its peers',
    answer: schemas.statusSchema,
  },
  metrics: {
    method: 'GET',
    path: '/v1/metrics',
    caller: 'anyone',
    operation: 'node.look',
    summary: 'The node in numbers, for Prometheus',
    answer: schemas.metricsSchema,
    text: 'text/plain; version=0.0.4; charset=utf-8',
  },
  doctor: {
    method: 'GET',
    path: '/v1/doctor',
    caller: 'anyone',
    operation: 'node.look',
    summary: 'What is wrong with the node, what that means and what to do',
    answer: schemas.findingsSchema,
  },
  verifyStore: {
    method: 'POST',
    path: '/v1/doctor/verify',
    caller: 'anyone',
    operation: 'node.settings',
    summary: 'Check every row of the store and mend what can be mended',
    answer: schemas.findingsSchema,
    timeoutMs: 3_600_000,
  },
  confirmTime: {
    method: 'POST',
    path: '/v1/doctor/confirm-time',
    caller: 'anyone',
    operation: 'node.settings',
    summary: "The owner's word that the clock is right, after it jumped",
    answer: schemas.doneSchema,
  },
  stop: {
    method: 'POST',
    path: '/v1/stop',
    caller: 'anyone',
    operation: 'node.settings',
    summary: 'End the daemon',
    answer: schemas.doneSchema,
  },
  addPeer: {
    method: 'POST',
    path: '/v1/peers',
    caller: 'anyone',
    operation: 'node.settings',
    summary: 'Keep a connection to another node; grants it no trust',
    body: schemas.addressBody,
    answer: schemas.doneSchema,
  },
  trustedPeers: {
    method: 'GET',
    path: '/v1/peers',
    caller: 'anyone',
    operation: 'peer.look',
    summary: 'The nodes that this one trusts',
    answer: schemas.trustedPeersSchema,
  },
  peerStatus: {
    method: 'GET',
    path: '/v1/peers/status',
    caller: 'anyone',
    operation: 'peer.look',
    summary: 'Which copies the peers hold, how far behind each is, and when it was verified',
    answer: schemas.peerStatusSchema,
  },
  invitePeer: {
    method: 'POST',
    path: '/v1/peers/invitations',
    caller: 'anyone',
    operation: 'peer.trust',
    summary: 'Make a code by which the owner of one other node can pair it with this one',
    body: schemas.invitePeerBody,
    answer: schemas.peerCodeSchema,
  },
  acceptPeer: {
    method: 'POST',
    path: '/v1/peers/accept',
    caller: 'anyone',
    operation: 'peer.trust',
    summary: 'Pair with the node that a code is of',
    body: schemas.acceptPeerBody,
    answer: schemas.trustedPeerSchema,
  },
  removePeer: {
    method: 'POST',
    path: '/v1/peers/:peer/remove',
    caller: 'anyone',
    operation: 'peer.trust',
    summary: 'Hand over what a node lacks, then trust it no more',
    params: schemas.peerParams,
    body: schemas.removePeerBody,
    answer: schemas.trustedPeerSchema,
  },
  createAccount: {
    method: 'POST',
    path: '/v1/accounts',
    caller: 'anyone',
    operation: 'account.create',
    on: 'role',
    summary: 'Create an account, unlocked, and open a session; its words are told this once',
    body: schemas.createAccountBody,
    answer: schemas.newAccountSchema,
  },
  recoverAccount: {
    method: 'POST',
    path: '/v1/accounts/recover',
    caller: 'anyone',
    operation: 'account.create',
    on: 'role',
    summary:
      'Bring an account here from its words, unlocked, and open a session; tells how far it is',
    body: schemas.recoverAccountBody,
    answer: schemas.recoveryLineSchema,
    lines: true,
  },
  deleteAccount: {
    method: 'POST',
    path: '/v1/accounts/:account/delete',
    caller: 'member',
    operation: 'account.delete',
    on: 'account',
    summary: 'Delete an account, keys first; an Adult whom an Admin removes has 30 days to leave',
    params: schemas.accountParams,
    answer: schemas.departureSchema,
  },
  keepAccount: {
    method: 'POST',
    path: '/v1/accounts/:account/keep',
    caller: 'member',
    operation: 'account.keep',
    on: 'account',
    summary: 'Let an Adult stay who was removed',
    params: schemas.accountParams,
    answer: schemas.accountSchema,
  },
  makeAdmin: {
    method: 'POST',
    path: '/v1/accounts/:account/make-admin',
    caller: 'member',
    operation: 'admin.make',
    on: 'account',
    summary: 'Make an Adult an Admin; locks the account',
    params: schemas.accountParams,
    answer: schemas.accountSchema,
  },
  unmakeAdmin: {
    method: 'POST',
    path: '/v1/accounts/:account/unmake-admin',
    caller: 'member',
    operation: 'admin.unmake',
    on: 'account',
    summary: 'Make an Admin an Adult, never the last one; locks the account',
    params: schemas.accountParams,
    answer: schemas.accountSchema,
  },
  letGrowUp: {
    method: 'POST',
    path: '/v1/accounts/:account/let-grow-up',
    caller: 'member',
    operation: 'child.let-grow-up',
    on: 'account',
    summary: 'Let a Child become an Adult by its own word, at once or from a time on',
    params: schemas.accountParams,
    body: schemas.letGrowUpBody,
    answer: schemas.accountSchema,
  },
  growUp: {
    method: 'POST',
    path: '/v1/grow-up',
    caller: 'member',
    operation: 'child.grow-up',
    on: 'self',
    summary: 'Become an Adult, as a Child who may; locks the account',
    answer: schemas.accountSchema,
  },
  invite: {
    method: 'POST',
    path: '/v1/invitations',
    caller: 'anyone',
    operation: 'account.invite',
    on: 'role',
    summary: 'Make a link by which one person can join the household, once',
    body: schemas.inviteBody,
    answer: schemas.joinLinkSchema,
  },
  invitations: {
    method: 'GET',
    path: '/v1/invitations',
    caller: 'anyone',
    operation: 'invitation.look',
    summary: 'The invitations that work',
    answer: schemas.invitationsSchema,
  },
  revokeInvitation: {
    method: 'POST',
    path: '/v1/invitations/revoke',
    caller: 'anyone',
    operation: 'invitation.revoke',
    summary: 'End one invitation',
    body: schemas.revokeInvitationBody,
    answer: schemas.invitationSchema,
  },
  join: {
    method: 'POST',
    path: '/v1/join',
    caller: 'anyone',
    operation: 'account.join',
    summary:
      'Make an account of an invitation, unlocked, and open a session; its words are told this once',
    body: schemas.joinBody,
    answer: schemas.newAccountSchema,
  },
  unlock: {
    method: 'POST',
    path: '/v1/sessions',
    caller: 'anyone',
    operation: 'session.open',
    summary: 'Unlock an account by its password and open a session',
    body: schemas.unlockBody,
    answer: schemas.sessionSchema,
  },
  lock: {
    method: 'POST',
    path: '/v1/lock',
    caller: 'member',
    operation: 'account.lock',
    on: 'self',
    summary: 'Lock the account of this session and end all its sessions',
    answer: schemas.doneSchema,
  },
  createLink: {
    method: 'POST',
    path: '/v1/links',
    caller: 'member',
    operation: 'contact.change',
    on: 'self',
    summary: 'Make a contact link',
    body: schemas.linkBody,
    answer: schemas.linkSchema,
  },
  links: {
    method: 'GET',
    path: '/v1/links',
    caller: 'member',
    operation: 'contact.look',
    on: 'self',
    summary: 'The contact links that work',
    answer: schemas.openLinksSchema,
  },
  shutLink: {
    method: 'POST',
    path: '/v1/links/shut',
    caller: 'member',
    operation: 'contact.change',
    on: 'self',
    summary: 'Shut one contact link and no other',
    body: schemas.shutLinkBody,
    answer: schemas.openLinkSchema,
  },
  strangers: {
    method: 'GET',
    path: '/v1/strangers',
    caller: 'member',
    operation: 'strangers.look',
    on: 'self',
    summary: 'Whether people who know only the address may write',
    answer: schemas.strangersSchema,
  },
  letStrangersBe: {
    method: 'POST',
    path: '/v1/strangers',
    caller: 'member',
    operation: 'strangers.change',
    on: 'self',
    summary: 'Let people who know only the address write, or not',
    body: schemas.strangersSchema,
    answer: schemas.strangersSchema,
  },
  ...holderRoutes,
  contacts: {
    method: 'GET',
    path: '/v1/contacts',
    caller: 'member',
    operation: 'contact.look',
    on: 'self',
    summary: 'All contacts',
    answer: schemas.contactsSchema,
  },
  addContact: {
    method: 'POST',
    path: '/v1/contacts',
    caller: 'member',
    operation: 'contact.change',
    on: 'self',
    summary: 'Add a contact from a link or by the address alone, or accept a request',
    body: schemas.addContactBody,
    answer: schemas.contactSchema,
  },
  safetyNumber: {
    method: 'GET',
    path: '/v1/contacts/:contact/safety-number',
    caller: 'member',
    operation: 'contact.look',
    on: 'self',
    summary: 'The digits that both persons compare',
    params: schemas.contactParams,
    answer: schemas.safetyNumberSchema,
  },
  confirmContact: {
    method: 'POST',
    path: '/v1/contacts/:contact/confirm',
    caller: 'member',
    operation: 'contact.change',
    on: 'self',
    summary: 'Confirm that the other person shows these digits',
    params: schemas.contactParams,
    body: schemas.confirmBody,
    answer: schemas.contactSchema,
  },
  blockContact: {
    method: 'POST',
    path: '/v1/contacts/:contact/block',
    caller: 'member',
    operation: 'contact.change',
    on: 'self',
    summary: 'Take no more messages from a contact',
    params: schemas.contactParams,
    answer: schemas.contactSchema,
  },
  send: {
    method: 'POST',
    path: '/v1/messages',
    caller: 'member',
    operation: 'message.send',
    on: 'self',
    summary: 'Send a message; waits at most waitMs for a receipt',
    body: schemas.sendBody,
    answer: schemas.sentSchema,
    timeoutMs: schemas.sendWaitMsMax + 10_000,
  },
  message: {
    method: 'GET',
    path: '/v1/messages/:msgId',
    caller: 'member',
    operation: 'message.read',
    on: 'self',
    summary: 'What became of a message',
    params: schemas.messageParams,
    answer: schemas.messageSchema,
  },
  conversation: {
    method: 'GET',
    path: '/v1/contacts/:contact/messages',
    caller: 'member',
    operation: 'message.read',
    on: 'self',
    summary: 'Both directions with one contact, oldest first',
    params: schemas.contactParams,
    answer: schemas.conversationEntrySchema,
    lines: true,
  },
  inbox: {
    method: 'GET',
    path: '/v1/inbox',
    caller: 'member',
    operation: 'message.read',
    on: 'self',
    summary: 'Every received message once, oldest first; nothing is marked read',
    answer: schemas.inboxEntrySchema,
    lines: true,
  },
} as const satisfies Record<string, Route>

export type RouteName = keyof typeof routes
type Routes = typeof routes

type Input<N extends RouteName, Part extends 'params' | 'body'> = Routes[N] extends {
  [P in Part]: infer Schema extends z.ZodType
}
  ? { readonly [P in Part]: z.input<Schema> }
  : unknown

type Checked<N extends RouteName, Part extends 'params' | 'body'> = Routes[N] extends {
  [P in Part]: infer Schema extends z.ZodType
}
  ? { readonly [P in Part]: z.output<Schema> }
  : unknown

/** What a caller of the route says. */
export type Asked<N extends RouteName> = Input<N, 'params'> & Input<N, 'body'>

/** The same after the checks, with defaults. */
export type Request<N extends RouteName> = Checked<N, 'params'> & Checked<N, 'body'>

/** What the route answers; one line of it where it answers lines. */
export type Answer<N extends RouteName> = z.output<Routes[N]['answer']>

/** The routes that answer a text. */
export type TextRoute = {
  [N in RouteName]: Routes[N] extends { text: string } ? N : never
}[RouteName]

/** The routes that answer newline-delimited JSON. */
export type LineRoute = {
  [N in RouteName]: Routes[N] extends { lines: true } ? N : never
}[RouteName]
