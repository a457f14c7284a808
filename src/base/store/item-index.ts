import type { ItemId, MailboxId } from '../util/brand.ts'
import { compareBytes } from '../util/bytes.ts'
import { parseSlotHeader, slotClass, type SlotClass } from '../wire/slot.ts'
import type { Database } from './database.ts'
import { decodeHead, decodeSlot, type StoredHead } from './head.ts'
import type { IdFilter } from './id-filter.ts'
import { idPrefixOf, indexKey, keyText, slotKey } from './keys.ts'
import { Pending } from './pending.ts'
import { damaged } from './row.ts'

/** The version of a slot that is here. */
export interface CurrentSlot {
  readonly version: number
  readonly head: StoredHead & { readonly slot: NonNullable<StoredHead['slot']> }
}

export interface ItemIndexDeps {
  readonly database: Pick<Database, 'getSync'>
  readonly filter: Pick<IdFilter, 'add' | 'mayHave'>
  /** Id of a slot: the SHA-256 of its signed header. */
  readonly slotIdOf: (signed: Uint8Array) => ItemId
}

/** Finds items by id and slots by key, here or queued. */
export class ItemIndex {
  readonly #deps: ItemIndexDeps
  /** null = removed. */
  readonly #heads = new Pending<StoredHead | null>()
  readonly #slots = new Pending<CurrentSlot | null>()

  constructor(deps: ItemIndexDeps) {
    this.#deps = deps
  }

  /** `key` is an index key, `text` the same as text.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  head(key: Uint8Array, text = keyText(key)): StoredHead | undefined {
    const queued = this.#heads.get(text)
    if (queued !== undefined) return queued ?? undefined
    if (!this.#deps.filter.mayHave(idPrefixOf(key))) return undefined
    const value = this.#deps.database.getSync(key)
    return value && decodeHead(key, value)
  }

  setHead(text: string, head: StoredHead | null): void {
    this.#heads.set(text, head)
    if (head) this.#deps.filter.add(head.id)
  }

  /** @throws {AbzuError} ABZU_STORE_DAMAGED */
  slot(mailbox: MailboxId, key: Uint8Array): CurrentSlot | undefined {
    const queued = this.#slots.get(slotText(mailbox, key))
    if (queued !== undefined) return queued ?? undefined
    const found = Object.values(slotClass)
      .map((slotClass) => this.#storedSlot(mailbox, slotClass, key))
      .filter((slot) => slot !== undefined)
    return found.reduce<CurrentSlot | undefined>(
      (best, slot) => (best && !isNewer(slot, best) ? best : slot),
      undefined,
    )
  }

  #storedSlot(mailbox: MailboxId, slotClass: SlotClass, key: Uint8Array): CurrentSlot | undefined {
    const rowKey = slotKey(mailbox, slotClass, key)
    const value = this.#deps.database.getSync(rowKey)
    if (!value) return undefined
    const { signed } = decodeSlot(rowKey, value)
    const head = this.head(indexKey(mailbox, this.#deps.slotIdOf(signed)))
    if (!head?.slot) throw damaged('a slot has no head')
    return { version: parseSlotHeader(signed).header.version, head: { ...head, slot: head.slot } }
  }

  setSlot(mailbox: MailboxId, key: Uint8Array, slot: CurrentSlot | null): void {
    this.#slots.set(slotText(mailbox, key), slot)
  }

  seal(): void {
    this.#heads.seal()
    this.#slots.seal()
  }

  durable(): void {
    this.#heads.durable()
    this.#slots.durable()
  }
}

/** A slot is one whatever its class. */
export function slotText(mailbox: MailboxId, key: Uint8Array): string {
  return keyText(slotKey(mailbox, 0, key))
}

/** The newest version wins; a tie goes to the lower id.
 *  @see docs/protocol.md#items */
export function isNewer(slot: CurrentSlot, than: CurrentSlot): boolean {
  if (slot.version !== than.version) return slot.version > than.version
  return compareBytes(slot.head.id, than.head.id) < 0
}
