/** What people may have and do on a node, by role, and what the node does for all of them: the whole of it, as data. @module */

import type { Rate } from '../../base/util/gcra.ts'
import type { MailboxTier, NodeTier } from '../account/ports.ts'
import type { Role } from './role.ts'

/** Of one person. Bytes and items are what may lie there at once. */
export interface PersonLimits {
  /** Messages that the person sends. */
  readonly sending: Rate
  /** Messages of contacts that are taken in for the person. */
  readonly receiving: Rate
  /** Calls of the control API by sessions of the person. */
  readonly calls: Rate
  /** Messages on their way. */
  readonly outboxItems: number
  /** Mail of contacts that the person has not taken in yet. */
  readonly mailItems: number
  readonly mailBytes: number
  /** Contacts, history, settings. */
  readonly vaultItems: number
  readonly vaultBytes: number
}

/** Of the node: each rate is shared evenly among those who want it. */
export interface NodeLimits {
  readonly sending: Rate
  readonly receiving: Rate
  readonly calls: Rate
  /** To and from one other node. */
  readonly peerSending: Rate
  readonly peerReceiving: Rate
  /** Everything in the mailboxes of the people who live here. */
  readonly householdBytes: number
}

/** What each role has of what an Adult has. */
export const roleParts: Readonly<Record<Role, number>> = {
  guest: 0.25,
  child: 0.5,
  adult: 1,
  admin: 2,
}

/** Calls of the control API by an Adult, and by everybody together. */
const callLimits = {
  personCalls: { perSecond: 100, burst: 1000 },
  nodeCalls: { perSecond: 400, burst: 4000 },
} as const

/** Less than this is a mistake: nobody could use a node by it. */
export const personFloor: PersonLimits = {
  sending: { perSecond: 0.01, burst: 1 },
  receiving: { perSecond: 0.01, burst: 1 },
  calls: { perSecond: 1, burst: 20 },
  outboxItems: 10,
  mailItems: 10,
  mailBytes: 1_000_000,
  vaultItems: 1000,
  vaultBytes: 10_000_000,
}

/** The same of the node. */
export const nodeFloor: NodeLimits = {
  sending: { perSecond: 1, burst: 10 },
  receiving: { perSecond: 1, burst: 10 },
  calls: { perSecond: 10, burst: 100 },
  peerSending: { perSecond: 1, burst: 10 },
  peerReceiving: { perSecond: 1, burst: 10 },
  householdBytes: 100_000_000,
}

/** More than so many times the default, of an Adult or of the node, is a mistake as well. */
export const ceilingTimes = 1000

/** What a role has where nothing else is said. `defaults` are an Adult's. */
export function limitsOfRole(defaults: MailboxTier, role: Role): PersonLimits {
  const part = roleParts[role]
  const rate = ({ perSecond, burst }: Rate): Rate => ({
    perSecond: perSecond * part,
    burst: Math.ceil(burst * part),
  })
  const count = (whole: number): number => Math.ceil(whole * part)
  return {
    sending: rate(defaults.accountOutbound),
    receiving: rate(defaults.accountInbound),
    calls: rate(callLimits.personCalls),
    outboxItems: count(defaults.outboxItemsMax),
    mailItems: count(defaults.contactItemsMax),
    mailBytes: count(defaults.contactBytesMax),
    vaultItems: count(defaults.slotItemsMax),
    vaultBytes: count(defaults.slotBytesMax),
  }
}

/** What the node does where nothing else is said. */
export function limitsOfNode(defaults: NodeTier): NodeLimits {
  return {
    sending: defaults.nodeOutbound,
    receiving: defaults.nodeInbound,
    calls: callLimits.nodeCalls,
    peerSending: defaults.peerOutbound,
    peerReceiving: defaults.peerInbound,
    householdBytes: defaults.householdBytesMax,
  }
}

/** As the machine is told. */
export function tierOf(limits: PersonLimits): MailboxTier {
  return {
    accountInbound: limits.receiving,
    accountOutbound: limits.sending,
    outboxItemsMax: limits.outboxItems,
    contactItemsMax: limits.mailItems,
    contactBytesMax: limits.mailBytes,
    slotItemsMax: limits.vaultItems,
    slotBytesMax: limits.vaultBytes,
  }
}

/** As the machine is told. */
export function nodeTierOf(limits: NodeLimits): NodeTier {
  return {
    nodeInbound: limits.receiving,
    nodeOutbound: limits.sending,
    peerInbound: limits.peerReceiving,
    peerOutbound: limits.peerSending,
    householdBytesMax: limits.householdBytes,
  }
}
