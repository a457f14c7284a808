/**
 * The control API as one table: what is not listed here does not exist. The daemon serves it, the
 * client calls it, and both take their types from it.
 * @module
 */

import type { z } from 'zod'
import * as schemas from './schemas.ts'

/** Who may call: whoever can open the socket; a session; a session of an Admin or an Adult. */
export type Access = 'open' | 'account' | 'household'

export interface Route {
  readonly method: 'GET' | 'POST'
  readonly path: `/v1/${string}`
  readonly access: Access
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
    access: 'open',
    summary: 'The node, its accounts and its peers',
    answer: schemas.statusSchema,
  },
  metrics: {
    method: 'GET',
    path: '/v1/metrics',
    access: 'open',
    summary: 'The node in numbers, for Prometheus',
    answer: schemas.metricsSchema,
    text: 'text/plain; version=0.0.4; charset=utf-8',
  },
  doctor: {
    method: 'GET',
    path: '/v1/doctor',
    access: 'open',
    summary: 'What is wrong with the node, what that means and what to do',
    answer: schemas.findingsSchema,
  },
  verifyStore: {
    method: 'POST',
    path: '/v1/doctor/verify',
    access: 'open',
    summary: 'Check every row of the store and mend what can be mended',
    answer: schemas.findingsSchema,
    timeoutMs: 3_600_000,
  },
  confirmTime: {
    method: 'POST',
    path: '/v1/doctor/confirm-time',
    access: 'open',
    summary: "The owner's word that the clock is right, after it jumped",
    answer: schemas.doneSchema,
  },
  stop: {
    method: 'POST',
    path: '/v1/stop',
    access: 'open',
    summary: 'End the daemon',
    answer: schemas.doneSchema,
  },
  addPeer: {
    method: 'POST',
    path: '/v1/peers',
    access: 'household',
    summary: 'Keep a connection to another node; grants it no trust',
    body: schemas.addressBody,
    answer: schemas.doneSchema,
  },
  trustedPeers: {
    method: 'GET',
    path: '/v1/peers',
    access: 'open',
    summary: 'The nodes that this one trusts',
    answer: schemas.trustedPeersSchema,
  },
  peerStatus: {
    method: 'GET',
    path: '/v1/peers/status',
    access: 'open',
    summary: 'Which copies the peers hold, how far behind each is, and when it was verified',
    answer: schemas.peerStatusSchema,
  },
  invitePeer: {
    method: 'POST',
    path: '/v1/peers/invitations',
    access: 'open',
    summary: 'Make a code by which the owner of one other node can pair it with this one',
    body: schemas.invitePeerBody,
    answer: schemas.peerCodeSchema,
  },
  acceptPeer: {
    method: 'POST',
    path: '/v1/peers/accept',
    access: 'open',
    summary: 'Pair with the node that a code is of',
    body: schemas.acceptPeerBody,
    answer: schemas.trustedPeerSchema,
  },
  removePeer: {
    method: 'POST',
    path: '/v1/peers/:peer/remove',
    access: 'open',
    summary: 'Hand over what a node lacks, then trust it no more',
    params: schemas.peerParams,
    body: schemas.removePeerBody,
    answer: schemas.trustedPeerSchema,
  },
  createAccount: {
    method: 'POST',
    path: '/v1/accounts',
    access: 'open',
    summary: 'Create an account, unlocked, and open a session; its words are told this once',
    body: schemas.createAccountBody,
    answer: schemas.newAccountSchema,
  },
  recoverAccount: {
    method: 'POST',
    path: '/v1/accounts/recover',
    access: 'open',
    summary:
      'Bring an account here from its words, unlocked, and open a session; tells how far it is',
    body: schemas.recoverAccountBody,
    answer: schemas.recoveryLineSchema,
    lines: true,
  },
  unlock: {
    method: 'POST',
    path: '/v1/sessions',
    access: 'open',
    summary: 'Unlock an account by its password and open a session',
    body: schemas.unlockBody,
    answer: schemas.sessionSchema,
  },
  lock: {
    method: 'POST',
    path: '/v1/lock',
    access: 'account',
    summary: 'Lock the account of this session and end all its sessions',
    answer: schemas.doneSchema,
  },
  createLink: {
    method: 'POST',
    path: '/v1/links',
    access: 'account',
    summary: 'Make a contact link',
    body: schemas.linkBody,
    answer: schemas.linkSchema,
  },
  links: {
    method: 'GET',
    path: '/v1/links',
    access: 'account',
    summary: 'The contact links that work',
    answer: schemas.openLinksSchema,
  },
  shutLink: {
    method: 'POST',
    path: '/v1/links/shut',
    access: 'account',
    summary: 'Shut one contact link and no other',
    body: schemas.shutLinkBody,
    answer: schemas.openLinkSchema,
  },
  strangers: {
    method: 'GET',
    path: '/v1/strangers',
    access: 'account',
    summary: 'Whether people who know only the address may write',
    answer: schemas.strangersSchema,
  },
  letStrangersBe: {
    method: 'POST',
    path: '/v1/strangers',
    access: 'account',
    summary: 'Let people who know only the address write, or not',
    body: schemas.strangersSchema,
    answer: schemas.strangersSchema,
  },
  contacts: {
    method: 'GET',
    path: '/v1/contacts',
    access: 'account',
    summary: 'All contacts',
    answer: schemas.contactsSchema,
  },
  addContact: {
    method: 'POST',
    path: '/v1/contacts',
    access: 'account',
    summary: 'Add a contact from a link or by the address alone, or accept a request',
    body: schemas.addContactBody,
    answer: schemas.contactSchema,
  },
  safetyNumber: {
    method: 'GET',
    path: '/v1/contacts/:contact/safety-number',
    access: 'account',
    summary: 'The digits that both persons compare',
    params: schemas.contactParams,
    answer: schemas.safetyNumberSchema,
  },
  confirmContact: {
    method: 'POST',
    path: '/v1/contacts/:contact/confirm',
    access: 'account',
    summary: 'Confirm that the other person shows these digits',
    params: schemas.contactParams,
    body: schemas.confirmBody,
    answer: schemas.contactSchema,
  },
  blockContact: {
    method: 'POST',
    path: '/v1/contacts/:contact/block',
    access: 'account',
    summary: 'Take no more messages from a contact',
    params: schemas.contactParams,
    answer: schemas.contactSchema,
  },
  send: {
    method: 'POST',
    path: '/v1/messages',
    access: 'account',
    summary: 'Send a message; waits at most waitMs for a receipt',
    body: schemas.sendBody,
    answer: schemas.sentSchema,
    timeoutMs: schemas.sendWaitMsMax + 10_000,
  },
  message: {
    method: 'GET',
    path: '/v1/messages/:msgId',
    access: 'account',
    summary: 'What became of a message',
    params: schemas.messageParams,
    answer: schemas.messageSchema,
  },
  conversation: {
    method: 'GET',
    path: '/v1/contacts/:contact/messages',
    access: 'account',
    summary: 'Both directions with one contact, oldest first',
    params: schemas.contactParams,
    answer: schemas.conversationEntrySchema,
    lines: true,
  },
  inbox: {
    method: 'GET',
    path: '/v1/inbox',
    access: 'account',
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
