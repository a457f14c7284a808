import type { Rate } from '../../base/util/gcra.ts'

/** Bounds of what a node stores and moves for people; `docs/limits.md` says why. */
export interface MailboxLimits {
  /** Mail of contacts in one mailbox. */
  readonly contactItemsMax: number
  readonly contactBytesMax: number
  /** Mail through links, from people who are no contacts yet, in one mailbox. Apart from the above, so
   *  that a stranger never fills the room of a contact. */
  readonly requestItemsMax: number
  readonly requestBytesMax: number
  /** Mail with a stamp instead of a token, in one mailbox; apart from both of the above. */
  readonly strangerItemsMax: number
  readonly strangerBytesMax: number
  /** How long such mail stays, whatever its header says. */
  readonly strangerHoursMax: number
  /** Slots of one account: its vault. */
  readonly slotItemsMax: number
  readonly slotBytesMax: number
  /** Everything in the mailboxes of the people who live here, together. */
  readonly householdBytesMax: number
  readonly doorsMax: number
  /** Mail accepted for one mailbox. */
  readonly accountInbound: Rate
  /** Mail accepted from one remote node. */
  readonly peerInbound: Rate
  /** Mail accepted by this node. */
  readonly nodeInbound: Rate
  /** Mail with stamps: for one mailbox, from one remote node, from one IP address, for this node. None of it
   *  counts against the three above. */
  readonly strangerAccountInbound: Rate
  readonly strangerPeerInbound: Rate
  readonly strangerNeighbourInbound: Rate
  readonly strangerNodeInbound: Rate
  /** Mail posted by one account. */
  readonly accountOutbound: Rate
  /** Mail sent to one remote node: below what that node accepts by default. */
  readonly peerOutbound: Rate
  /** Mail sent by this node. */
  readonly nodeOutbound: Rate
  /** Envelopes and outcomes waiting for one account. */
  readonly outboxItemsMax: number
  /** Accounts or remote nodes that a rate limit remembers. */
  readonly rateKeysMax: number
  /** Mailboxes whose doors and keys are held in memory. */
  readonly hostedInMemoryMax: number
  /** Doors of all of these together. */
  readonly hostedDoorsMax: number
}

/** For a node of one household. */
export const defaultMailboxLimits: MailboxLimits = {
  contactItemsMax: 100_000,
  contactBytesMax: 500 * 1024 * 1024,
  requestItemsMax: 1000,
  requestBytesMax: 16 * 1024 * 1024,
  strangerItemsMax: 100,
  strangerBytesMax: 10 * 1024 * 1024,
  strangerHoursMax: 7 * 24,
  slotItemsMax: 1_000_000,
  slotBytesMax: 2 * 1024 * 1024 * 1024,
  householdBytesMax: 1024 * 1024 * 1024 * 1024,
  doorsMax: 2000,
  accountInbound: { perSecond: 100, burst: 1000 },
  peerInbound: { perSecond: 200, burst: 2000 },
  nodeInbound: { perSecond: 2000, burst: 10_000 },
  strangerAccountInbound: { perSecond: 1, burst: 100 },
  strangerPeerInbound: { perSecond: 1, burst: 20 },
  strangerNeighbourInbound: { perSecond: 2, burst: 40 },
  strangerNodeInbound: { perSecond: 20, burst: 200 },
  accountOutbound: { perSecond: 50, burst: 500 },
  peerOutbound: { perSecond: 150, burst: 1500 },
  nodeOutbound: { perSecond: 1500, burst: 7500 },
  outboxItemsMax: 10_000,
  rateKeysMax: 10_000,
  hostedInMemoryMax: 20_000,
  hostedDoorsMax: 200_000,
}
