import type { Item, ItemStore } from '../../base/store/item-store.ts'
import type { RowChange } from '../../base/store/table.ts'
import type { ItemId, MailboxId } from '../../base/util/brand.ts'
import { toHex } from '../../base/util/bytes.ts'
import type { Cancel } from '../../base/util/clock.ts'
import { isAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import type { SlotClass } from '../../base/wire/slot.ts'
import { pool } from './admission.ts'
import type { SignedSlot } from './hosted-mailbox.ts'

/** What an own mailbox needs of the node's mailboxes. */
export interface SlotDesk {
  /** Stores slots of the account, all or none, and acts on the plain ones; `rows` in the same commit. Resolves after
   *  fsync.
   *  @throws {AbzuError} ABZU_MALFORMED, ABZU_SIGNATURE_INVALID, ABZU_QUOTA_EXCEEDED, those of the store */
  putSlots(
    mailbox: MailboxId,
    slots: readonly SignedSlot[],
    rows?: readonly RowChange[],
  ): Promise<void>
  /** Calls `listener` after new mail of the mailbox has become durable. */
  watch(mailbox: MailboxId, listener: () => void): Cancel
}

export interface OwnMailboxDeps {
  readonly desk: SlotDesk
  readonly items: ItemStore
  readonly log: Log
}

/** One hosted mailbox as its owner uses it. Everything it returns is sealed or signed. */
export class OwnMailbox {
  readonly mailbox: MailboxId
  readonly #desk: SlotDesk
  readonly #items: ItemStore
  readonly #log: Log

  constructor({ desk, items, log }: OwnMailboxDeps, mailbox: MailboxId) {
    this.#desk = desk
    this.#items = items
    this.#log = log
    this.mailbox = mailbox
  }

  /** Mail in order of arrival, at most `limit` items behind `after`. A damaged item is reported in the log and
   *  left out, so that it does not hold up the others. */
  async mail(page: { after?: number; limit: number }): Promise<{
    items: { id: ItemId; arrival: number; envelope: Uint8Array; isStrange: boolean }[]
    next?: number
  }> {
    const { items: heads, next } = await this.#items.list(this.mailbox, { kind: 'mail', ...page })
    const items = []
    for (const { id, arrival, pool: itemPool } of heads) {
      const item = await this.#sound(id)
      const isStrange = itemPool === pool.stranger
      if (item) items.push({ id, arrival, envelope: item.body, isStrange })
    }
    return { items, ...(next !== undefined && { next }) }
  }

  async #sound(id: ItemId): Promise<Item | undefined> {
    try {
      return await this.#items.get(this.mailbox, id)
    } catch (error) {
      if (!isAbzuError(error, 'ABZU_STORE_DAMAGED')) throw error
      this.#log.error('mail-damaged', { item: toHex(id.subarray(0, 8)), error })
      return undefined
    }
  }

  /** @see SlotDesk.putSlots */
  async putSlots(slots: readonly SignedSlot[]): Promise<void> {
    await this.#desk.putSlots(this.mailbox, slots)
  }

  async slot(key: Uint8Array): Promise<SignedSlot | undefined> {
    return this.#items.slot(this.mailbox, key)
  }

  slots(slotClass: SlotClass): AsyncIterable<SignedSlot> {
    return this.#items.slots(this.mailbox, slotClass)
  }

  /** Drops from the disk what emptied slots held, as far as the file system allows. */
  async erase(): Promise<void> {
    await this.#items.erase(this.mailbox)
  }

  /** Calls `listener` after new mail has become durable. */
  watch(listener: () => void): Cancel {
    return this.#desk.watch(this.mailbox, listener)
  }
}
