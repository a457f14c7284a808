/**
 * The sealed items of every mailbox on this node: what they are and what may be asked of their store.
 * Mail and chunks are immutable and known by their id; a slot is known by its key, and its newest version
 * wins.
 *
 * A write takes effect in the order of the calls, is one atomic unit, and resolves after fsync. What a
 * call reads is durable, except where it says 'queued'.
 * @see docs/protocol.md#items
 * @module
 */

import type { ItemId, MailboxId } from '../util/brand.ts'
import type { SlotClass } from '../wire/slot.ts'
import type { RowChange } from './table.ts'

export type ItemKind = 'mail' | 'chunk' | 'slot'

export interface NewItem {
  readonly mailbox: MailboxId
  readonly kind: 'mail' | 'chunk'
  /** SHA-256 of the body. The caller has checked it. */
  readonly id: ItemId
  /** Wall clock, ms since 1970. */
  readonly receivedAtMs: number
  /** Hours since 1970; 0 = never. */
  readonly expiresAtHours: number
  /** Which part of the mailbox's quota it counts against, 0 to 3. The store only adds up. */
  readonly pool: number
  /** Not to be changed by the caller before the write is durable. */
  readonly body: Uint8Array
}

export interface ItemHead {
  readonly kind: ItemKind
  readonly id: ItemId
  /** Place in this copy's order of arrival, over all its mailboxes; never used twice in one epoch. */
  readonly arrival: number
  readonly receivedAtMs: number
  /** 0 = never; always so for a slot. */
  readonly expiresAtHours: number
  readonly pool: number
  /** What counts as bytes in `usage`: the body, and the header of a slot. */
  readonly sizeBytes: number
}

declare const listed: unique symbol

/** A head that the store has given out, by which it finds the body without looking the item up once more. */
export interface ListedItem extends ItemHead {
  readonly [listed]: never
}

export interface ItemBody {
  readonly body: Uint8Array
  /** Of a slot: its signed header, 190 bytes. */
  readonly signed?: Uint8Array
}

/** Called in the turn of a write, where anything in it is new, with the first and the last of the arrivals that it takes
 *  up. None between them belongs to another write. */
export type ArrivalsTaken = (first: number, last: number) => void

export interface Item extends ItemHead, ItemBody {}

export interface StoredSlot {
  /** The signed header, 190 bytes. */
  readonly signed: Uint8Array
  /** Empty where the slot was emptied. */
  readonly body: Uint8Array
}

/** `older`: the store has a newer version, or the same version with a lower id. */
export type SlotResult = 'stored' | 'older'

export interface ListPage {
  readonly kind: ItemKind
  /** Arrival of the last item that the reader has; from the start where it is missing. */
  readonly after?: number
  readonly limit: number
}

export interface Amount {
  readonly items: number
  readonly bytes: number
}

/** A pool's items in all, and by kind. */
export interface PoolUsage extends Amount {
  readonly mail: Amount
  readonly chunk: Amount
  readonly slot: Amount
}

export interface DigestSum {
  readonly count: number
  /** Sum of the ids mod 2^256, big endian, 32 bytes. */
  readonly sum: Uint8Array
}

/** What a mailbox holds, in a form that two copies can compare. Covers what is queued. */
export interface Digest extends DigestSum {
  /** The items whose id begins with one of `count` prefixes of 12 bits, 0 to 4095, from `first` on.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  buckets(first: number, count: number): DigestSum
}

/** Every write @throws {AbzuError} ABZU_DISK_FULL, ABZU_STORE_FAILED, ABZU_OVERLOADED, ABZU_CLOSED;
 *  every call @throws {AbzuError} ABZU_STORE_DAMAGED where a row it needs is not what was written. */
export interface ItemStore {
  /** Whether the item is here, be it only queued. */
  has(mailbox: MailboxId, id: ItemId): boolean

  /** The item, here or queued, whose id begins with these 16 bytes. No mailbox holds two such. */
  find(mailbox: MailboxId, idPrefix: Uint8Array): ItemId | undefined

  /** The same of what is durable, to be read. */
  listed(mailbox: MailboxId, idPrefix: Uint8Array): ListedItem | undefined

  /** Stores items, and `rows` with them. An item that is here already is not stored again; where it is
   *  only queued, the promise waits for it.
   *  @throws {AbzuError} ABZU_ALREADY_EXISTS: another item whose id begins with the same 16 bytes */
  append(
    items: readonly NewItem[],
    rows?: readonly RowChange[],
    taken?: ArrivalsTaken,
  ): Promise<void>

  /** Stores slots whose signature and body hash the caller has checked, and `rows` with them whatever
   *  the results. One result a slot, in order.
   *  @throws {AbzuError} ABZU_MALFORMED */
  putSlots(
    slots: readonly StoredSlot[],
    rows?: readonly RowChange[],
    taken?: ArrivalsTaken,
  ): Promise<SlotResult[]>

  get(mailbox: MailboxId, id: ItemId): Promise<Item | undefined>

  /** The same of many, in the order of the ids, with fewer reads of the disk; undefined also for what is not what
   *  was written. Bodies may share memory. */
  getMany(mailbox: MailboxId, ids: readonly ItemId[]): Promise<(Item | undefined)[]>

  /** What belongs to these heads, in their order; undefined for what is not there any more or not what was written. An
   *  item that went after it was listed may still be found. Bodies may share memory. */
  bodies(mailbox: MailboxId, items: readonly ListedItem[]): Promise<(ItemBody | undefined)[]>

  slot(mailbox: MailboxId, key: Uint8Array): Promise<StoredSlot | undefined>

  /** Every slot, emptied ones included, that stays while this is read: once each, in no promised order. */
  slots(mailbox: MailboxId, slotClass?: SlotClass): AsyncIterable<StoredSlot>

  /** Items in order of arrival. Whoever follows `next` to its end sees each item that stays exactly
   *  once, whatever is written meanwhile. `next` is missing on the last page. */
  list(mailbox: MailboxId, page: ListPage): Promise<{ items: ItemHead[]; next?: number }>

  /** The first 16 bytes of the id of every durable item whose id begins with one of these 16 bits, from `from` up to,
   *  not including, `to`. In no promised order. */
  idPrefixes(
    mailbox: MailboxId,
    range: { readonly from: number; readonly to: number },
  ): Promise<Uint8Array[]>

  /** What arrived behind one arrival, up to another one that is durable: slots first, then mail, then chunks, each in
   *  order of arrival. Whoever reads to the end sees each item that stays exactly once. */
  news(
    mailbox: MailboxId,
    range: { readonly after: number; readonly upTo: number },
  ): AsyncIterable<readonly ListedItem[]>

  /** Everything that has arrived up to this arrival, in whichever mailbox, is durable. */
  readonly newest: number

  /** Arrival of the mailbox's newest durable item; 0 where it has none. */
  last(mailbox: MailboxId): Promise<number>

  /** Removes mail and chunks; leaves slots and what is not here. Writes `rows` with it. */
  remove(mailbox: MailboxId, ids: readonly ItemId[], rows?: readonly RowChange[]): Promise<void>

  /** Removes at most `limit` items with `expiresAtHours <= nowHours` and resolves to their number;
   *  fewer than `limit` means that there are no more. */
  expire(nowHours: number, limit: number): Promise<number>

  /** Removes a mailbox whole, in many units: cut off midway, it is to be called again. */
  drop(mailbox: MailboxId): Promise<void>

  /** Rewrites the files so that replaced and emptied slots of this mailbox are no longer in them, as far
   *  as the file system allows. */
  erase(mailbox: MailboxId): Promise<void>

  /** By pool, 0 to 3; covers what is queued. A live view, not to be kept. */
  usage(mailbox: MailboxId): readonly PoolUsage[]

  digest(mailbox: MailboxId): Digest
}
