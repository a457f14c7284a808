/**
 * What an account needs of the machine it lives on. Objects of the machine half satisfy these
 * interfaces by their shape; on a guest's device other objects do.
 * @module
 */

import type { ItemId, MailboxId, PeerId } from '../../base/util/brand.ts'
import type { ErrorCode } from '../../base/util/errors.ts'
import type { Cancel } from '../../base/util/clock.ts'
import type { Rate } from '../../base/util/gcra.ts'
import type { RecordPlace } from '../../base/crypto/mailbox-record.ts'
import type { StampOrder } from '../../base/crypto/stamp.ts'
import type { CopiedItem } from '../../base/wire/copied-item.ts'
import type { DoorPass, Pass } from '../../base/wire/deliver.ts'
import type { ComingAccount } from '../../base/wire/move.ts'
import type { Host } from '../../base/wire/records.ts'
import type { SlotClass } from '../../base/wire/slot.ts'

export interface SignedSlot {
  /** The signed header, 190 bytes. */
  readonly signed: Uint8Array
  /** Empty where the slot was emptied. */
  readonly body: Uint8Array
}

export interface MailItem {
  readonly id: ItemId
  /** Place in this copy's order of arrival. */
  readonly arrival: number
  readonly envelope: Uint8Array
  /** It came with a stamp, from somebody without a token. */
  readonly isStrange: boolean
}

/** The account's own mailbox, local or remote. */
export interface MailboxPort {
  readonly mailbox: MailboxId
  /** Mail in order of arrival, at most `limit` items behind `after`; `next` continues, and is missing at the end. */
  mail(page: { after?: number; limit: number }): Promise<{ items: MailItem[]; next?: number }>
  /** Stores slots, all or none, and acts on the plain ones (a door opens, acknowledged mail goes).
   *  Resolves after fsync.
   *  @throws {AbzuError} ABZU_SIGNATURE_INVALID, ABZU_MALFORMED, ABZU_QUOTA_EXCEEDED, those of the store */
  putSlots(slots: readonly SignedSlot[]): Promise<void>
  slot(key: Uint8Array): Promise<SignedSlot | undefined>
  /** Every slot of a class once, in no promised order. */
  slots(slotClass: SlotClass): AsyncIterable<SignedSlot>
  /** Drops from the disk what emptied slots held, as far as the file system allows. */
  erase(): Promise<void>
  /** Calls `listener` after new mail has become durable. */
  watch(listener: () => void): Cancel
}

/** Opens mailboxes on this machine. */
export interface HostingPort {
  /** Mailboxes that have copies at other nodes, or had: a record may have come from there. */
  readonly copied: { has(mailbox: MailboxId): boolean }
  /** Hosts a mailbox whose first slots are given: identity, record, keyring. Resolves after fsync.
   *  @throws {AbzuError} ABZU_ALREADY_EXISTS, those of putSlots */
  host(rootPk: Uint8Array, slots: readonly SignedSlot[]): Promise<MailboxPort>
  /** A mailbox that is hosted already.
   *  @throws {AbzuError} ABZU_NOT_HOSTED */
  mailbox(mailbox: MailboxId): MailboxPort
  /** Puts a letter into a mailbox that is hosted here, by the checks of any delivery. Resolves after fsync.
   *  @throws {AbzuError} ABZU_NOT_HOSTED, ABZU_STALE_KEY, ABZU_DOOR_CLOSED, ABZU_QUOTA_EXCEEDED, those of the store */
  deliver(letter: OwnDelivery): Promise<void>
  /** Hosts a mailbox no more, forgets all that is in it, and takes no copy of it by a record that was known by then.
   *  Resolves after fsync; where it is not hosted, at once. Cut off midway, it is to be called again.
   *  @throws {AbzuError} those of the store */
  leave(mailbox: MailboxId): Promise<void>
}

/** A letter of one account of this node to another. */
export interface OwnDelivery extends DoorPass {
  readonly to: MailboxId
  readonly envelope: Uint8Array
}

/** Who asks for a copy of a mailbox: a device that the account's root has certified. */
export interface Claim {
  readonly rootPk: Uint8Array
  /** Signed device certificate, by the root. */
  readonly certificate: Uint8Array
  /** The device's answer to the challenge of whoever holds a copy, 64 bytes.
   *  @see isRestoreClaim of base/crypto/restore-claim.ts */
  readonly sign: (challenge: Uint8Array) => Uint8Array
}

/** How much of a mailbox is here. */
export interface RestoreProgress {
  readonly items: number
  readonly bytes: number
  /** As far as the holder has said. */
  readonly itemsTotal: number
}

export interface RestoreInit {
  /** Nodes that may hold a copy, tried in order. */
  readonly hosts: readonly Host[]
  readonly progress: (done: RestoreProgress) => void
  readonly signal: AbortSignal
}

/** Brings mailboxes here from the nodes that hold copies. */
export interface RestorePort {
  /** Brings the account's mailbox here from a node that holds a copy, and hosts it. Resolves when everything that the
   *  holder has is durable here. One that an earlier call has hosted stays; what it lacks is brought, and where no
   *  host has more it is returned as it is.
   *  @throws {AbzuError} ABZU_NOT_FOUND (nobody has it), ABZU_UNREACHABLE, those of the store; the signal's reason */
  restore(claim: Claim, init: RestoreInit): Promise<MailboxPort>
}

/** Mailboxes as a whole, on their way out of this node and into it. Nothing of it is opened. */
export interface CarriagePort {
  /** How much a mailbox holds now. */
  extent(mailbox: MailboxId): { readonly items: number; readonly bytes: number }
  /** Every item that stays while this is read, once; identity and record first.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED where one cannot be read */
  copies(mailbox: MailboxId): AsyncIterable<readonly CopiedItem[]>
  /** Hosts a mailbox by its identity and its record; one that is here stays. Resolves after fsync.
   *  @throws {AbzuError} ABZU_MALFORMED, ABZU_SIGNATURE_INVALID, those of the store */
  begin(rootPk: Uint8Array, introduction: readonly SignedSlot[]): Promise<MailboxPort>
  /** Takes in what is not here; of two slots the newer one stays. Resolves after fsync.
   *  @throws {AbzuError} ABZU_NOT_HOSTED, those of the store */
  take(mailbox: MailboxId, copies: readonly CopiedItem[]): Promise<void>
  /** Stores slots of the account and, in the same commit, its local row: both or neither. Resolves after fsync.
   *  @throws {AbzuError} those of MailboxPort.putSlots */
  settle(
    mailbox: MailboxId,
    slots: readonly SignedSlot[],
    row: { readonly key: Uint8Array; readonly value: Uint8Array },
  ): Promise<void>
}

/** Reaches the nodes that an account may move to: those that this one is paired with. */
export interface MovingPort {
  /** A paired node by its name, peer id or an address.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_ADDRESS_INVALID */
  peer(nameOrAddress: string): PeerId
  /** Tells a node that it is to be the next home. Resolves with it as that home, once it has written that down.
   *  @throws {AbzuError} ABZU_DENIED, ABZU_ALREADY_EXISTS, ABZU_QUOTA_EXCEEDED, ABZU_RATE_LIMITED, ABZU_UNREACHABLE,
   *  ABZU_TIMEOUT; the signal's reason */
  announce(to: PeerId, coming: ComingAccount, signal: AbortSignal): Promise<Host>
  /** Whether everything that this node has of a mailbox is durable at the other one. */
  hasAll(mailbox: MailboxId, peer: PeerId): Promise<boolean>
  /** How many items the other one has taken since it came by: grows while it copies. Undefined where it does not come by. */
  taken(peer: PeerId): number | undefined
}

export type Outgoing = Pass & {
  /** The sender's own mailbox: whose outcome it is and whose limits count. */
  readonly from: MailboxId
  readonly to: MailboxId
  readonly hosts: readonly Host[]
  /** Place of the record that the envelope was sealed by: a holder that shows a newer one is believed. */
  readonly sealedBy?: RecordPlace
  readonly envelope: Uint8Array
}

/** What became of an envelope. `id` is its item id. `held` may be followed by another one. */
export interface Outcome {
  readonly id: ItemId
  readonly state: 'delivered' | 'held' | 'expired' | 'refused' | 'stale-key'
  readonly atMs: number
  /** The host that answered; the own node where no host did. */
  readonly by: PeerId
  /** With `held` and `delivered`: kept until then, hours since 1970. */
  readonly holdUntilHours?: number
  /** With `refused`: why. */
  readonly error?: ErrorCode
  /** With `stale-key`, and with `refused` by ABZU_STAMP_INVALID: the newest signed mailbox record. Not
   *  verified. */
  readonly record?: Uint8Array
}

/** Sends envelopes, for as long as it takes. */
export interface PostPort {
  /** Resolves with the envelope's id once it is durable in the outbox.
   *  @throws {AbzuError} ABZU_RATE_LIMITED, ABZU_QUOTA_EXCEEDED, those of the store */
  post(outgoing: Outgoing): Promise<ItemId>
  /** Outcomes of this sender not yet settled, oldest first, at most 256 a call. */
  outcomes(from: MailboxId): Promise<Outcome[]>
  /** Forgets outcomes that the account has taken over durably, and no later ones of the same envelopes. */
  settle(from: MailboxId, outcomes: readonly Pick<Outcome, 'id' | 'state'>[]): Promise<void>
  /** Calls `listener` when this sender has a new outcome. */
  watch(from: MailboxId, listener: () => void): Cancel
}

/** Does the work for letters to people of whom the account has no token. */
export interface StampPort {
  /** A stamp is going to be wanted soon. */
  prepare(): void
  /** A stamp, 8 bytes, after some ms, or seconds where it is dear; others are not held up meanwhile.
   *  @throws {AbzuError} ABZU_STRANGERS_REFUSED, ABZU_STAMP_TOO_COSTLY, ABZU_OVERLOADED, ABZU_TIMEOUT,
   *  ABZU_CLOSED; the signal's reason */
  stamp(order: StampOrder, signal?: AbortSignal): Promise<Uint8Array>
}

/** The newest record of an account that was seen, by the number of the identity document behind it and its own. */
export interface KnownRecord {
  readonly docSeq?: number | undefined
  readonly seq: number
}

/** Finds where other people's mail goes. */
export interface DirectoryPort {
  /** This node as a home, with the addresses at which it can be reached now. */
  home(): Host
  /** Nodes that have agreed to keep copies of what lives here, with their addresses, as many as a record names; only
   *  those `among` the given peer ids, where any are given. */
  holders(among?: readonly string[]): readonly Host[]
  /** Resolves to true when everything that this node has of a mailbox is durable at one of its other hosts as well,
   *  and to false where none has come by for it within seconds. */
  isCovered(mailbox: MailboxId): Promise<boolean>
  /** Whether this node's owner has ended such an agreement with another node. */
  hasParted(peerId: string): boolean
  /** The newest signed mailbox record that `hosts` or other nodes have, and not older than `known`; where `hosts`
   *  are none, it is found by the mailbox alone. The caller verifies it.
   *  @throws {AbzuError} ABZU_UNREACHABLE, ABZU_NOT_FOUND, ABZU_OVERLOADED */
  resolve(mailbox: MailboxId, hosts: readonly Host[], known?: KnownRecord): Promise<Uint8Array>
  /** A newer record of an account that lives here than the one that its mailbox has, where another node showed
   *  one; undefined where not. */
  ahead(mailbox: MailboxId): Promise<Uint8Array | undefined>
  /** Takes over the last record of an account that leaves for good: keeps it for whoever asks, and offers it to its other
   *  hosts and to the mesh. Resolves once it is durable here.
   *  @throws {AbzuError} ABZU_MALFORMED, ABZU_QUOTA_EXCEEDED, ABZU_ALREADY_EXISTS where another one is as new, those of the
   *  store */
  bequeath(signed: Uint8Array): Promise<void>
}

/** What one mailbox may have and do on this machine. */
export interface MailboxTier {
  readonly accountInbound: Rate
  readonly accountOutbound: Rate
  readonly outboxItemsMax: number
  readonly contactItemsMax: number
  readonly contactBytesMax: number
  readonly slotItemsMax: number
  readonly slotBytesMax: number
}

/** What the machine does for all mailboxes together. */
export interface NodeTier {
  readonly nodeInbound: Rate
  readonly nodeOutbound: Rate
  readonly peerInbound: Rate
  readonly peerOutbound: Rate
  readonly householdBytesMax: number
}

/** Is told what each account that lives here may have and do, unlocked or not. Everything holds from the next call on, and
 *  nothing that is stored goes because of it. */
export interface TierPort {
  /** What holds where nothing was told. */
  readonly defaults: MailboxTier & NodeTier
  tell(mailbox: MailboxId, tier: MailboxTier): void
  /** The account lives here no more. */
  forget(mailbox: MailboxId): void
  tellNode(tier: NodeTier): void
}

/** What a mailbox has and does now. Rates: pieces of the burst that are taken. */
export interface MailboxUse {
  readonly sending: number
  readonly receiving: number
  readonly outboxItems: number
  readonly mailItems: number
  readonly mailBytes: number
  readonly vaultItems: number
  readonly vaultBytes: number
}

/** The same of all mailboxes together. */
export interface NodeUse {
  readonly sending: number
  readonly receiving: number
  readonly householdBytes: number
}

/** Says how much of its limits is used. */
export interface UsePort {
  /** @throws {AbzuError} ABZU_STORE_DAMAGED */
  of(mailbox: MailboxId): MailboxUse
  /** @throws {AbzuError} ABZU_STORE_DAMAGED */
  ofNode(): Promise<NodeUse>
}

/** One kind of small local rows of the node, never replicated. */
export interface NodeRows {
  put(key: Uint8Array, value: Uint8Array): Promise<void>
  delete(key: Uint8Array): Promise<void>
  get(key: Uint8Array): Uint8Array | undefined
  range(init: { limit: number }): AsyncIterable<{ key: Uint8Array; value: Uint8Array }>
}

/** The kinds of such rows that a household has. */
export interface NodeTables {
  table(
    name:
      | 'accounts'
      | 'household-invites'
      | 'limits'
      | 'child-rules'
      | 'child-contacts'
      | 'oversight-pairs'
      | 'oversight-log',
  ): NodeRows
}
