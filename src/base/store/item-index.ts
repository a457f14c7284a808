import type { ItemId, MailboxId } from '../util/brand.ts'
import { compareBytes } from '../util/bytes.ts'
import { parseSlotHeader, slotClass, type SlotClass } from '../wire/slot.ts'
import type { Database, WriteBatch } from './database.ts'
import { decodeHead, decodeSlot, encodeHead, type StoredHead } from './head.ts'
import type { IdFilter } from './id-filter.ts'
import type { ItemKind } from './item-store.ts'
import { arrivalKey, indexKey, itemKinds, keyText, slotKey, type KeyRange } from './keys.ts'
import { Pending } from './pending.ts'
import { contentChecksum, damaged, seal } from './row.ts'

/** The version of a slot that is here. */
export interface CurrentSlot {
  readonly version: number
  readonly head: StoredHead & { readonly slot: NonNullable<StoredHead['slot']> }
}

/** A head with the two names that its rows have. */
export interface IndexEntry {
  readonly mailbox: MailboxId
  /** Index key. */
  readonly key: Uint8Array
  /** The same as text. */
  readonly text: string
  readonly head: StoredHead
}

export interface ItemIndexDeps {
  readonly database: Pick<Database, 'getSync'>
  readonly filter: Pick<IdFilter, 'add' | 'mayHave'>
  /** Id of a slot: the SHA-256 of its signed header. */
  readonly slotIdOf: (signed: Uint8Array) => ItemId
}

/** Finds items by id and slots by key: in the database, in the journal alone, or queued. */
export class ItemIndex {
  readonly #deps: ItemIndexDeps
  /** null = removed. */
  readonly #heads = new Pending<IndexEntry | null>()
  readonly #slots = new Pending<CurrentSlot | null>()
  /** Durable, and in no batch yet: in order of arrival. */
  #journaled = new Map<string, IndexEntry>()
  /** In the batch that was sealed last, which the database may not have yet; before all those. */
  #indexing = new Map<string, IndexEntry>()
  #queued = 0
  #sealed = 0
  #isSealedInBatch = false
  /** What arrived later is in no batch. */
  #newestInBatch: number

  /** @param newest no arrival in the database is later */
  constructor(deps: ItemIndexDeps, { newest }: { readonly newest: number }) {
    this.#deps = deps
    this.#newestInBatch = newest
  }

  /** Heads that the database does not have yet. */
  get absent(): number {
    return this.#indexing.size + this.#journaled.size + this.#sealed + this.#queued
  }

  /** `key` is an index key, `text` the same as text. Covers what is queued.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  head(key: Uint8Array, text = keyText(key)): StoredHead | undefined {
    const queued = this.#heads.get(text)
    if (queued !== undefined) return queued?.head
    return this.durableHead(key, text)
  }

  /** The same of what is durable.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  durableHead(key: Uint8Array, text = keyText(key)): StoredHead | undefined {
    const journaled = this.#journaled.get(text) ?? this.#indexing.get(text)
    if (journaled) return journaled.head
    if (!this.#deps.filter.mayHave(key)) return undefined
    const value = this.#deps.database.getSync(key)
    return value && decodeHead(key, value)
  }

  /** Whether the database may have anything that arrived behind `after`. */
  isInDatabase(after: number): boolean {
    return after < this.#newestInBatch
  }

  /** Durable heads of a mailbox behind an arrival that the database may not have, in order of arrival. */
  journaledOf(mailbox: MailboxId, kind: ItemKind | undefined, after: number): StoredHead[] {
    const heads: StoredHead[] = []
    for (const entries of [this.#indexing, this.#journaled]) {
      for (const entry of entries.values()) {
        const { head } = entry
        const isAsked = head.arrival > after && (kind === undefined || head.kind === kind)
        if (isAsked && compareBytes(entry.mailbox, mailbox) === 0) heads.push(head)
      }
    }
    return heads
  }

  /** Those of them whose index keys lie in a range. */
  *journaledIn(mailbox: MailboxId, { gte, lt }: KeyRange): Iterable<IndexEntry> {
    for (const entries of [this.#indexing, this.#journaled]) {
      for (const entry of entries.values()) {
        if (compareBytes(entry.mailbox, mailbox) !== 0) continue
        if (compareBytes(entry.key, gte) >= 0 && compareBytes(entry.key, lt) < 0) yield entry
      }
    }
  }

  /** The last arrival among them, of any kind; 0 where there is none. */
  lastJournaledOf(mailbox: MailboxId): number {
    let last = 0
    for (const entries of [this.#indexing, this.#journaled]) {
      for (const { mailbox: of, head } of entries.values()) {
        if (head.arrival > last && compareBytes(of, mailbox) === 0) last = head.arrival
      }
    }
    return last
  }

  add(entry: IndexEntry): void {
    this.#heads.set(entry.text, entry)
    this.#deps.filter.add(entry.key)
    this.#queued++
  }

  remove(text: string): void {
    this.#heads.set(text, null)
  }

  /** Takes over what was found in the journal when the store was opened. */
  replay(entry: IndexEntry): void {
    this.#journaled.set(entry.text, entry)
    this.#deps.filter.add(entry.key)
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

  /** Closes the open commit. Into a batch go the heads that it adds and those that are in the journal alone,
   *  but for what is removed. The batch before it has been written.
   *  @param newest the arrival that was given last */
  seal(batch: WriteBatch | undefined, newest: number): void {
    this.#heads.seal()
    this.#slots.seal()
    this.#sealed = this.#queued
    this.#queued = 0
    this.#isSealedInBatch = batch !== undefined
    if (!batch) return
    this.#newestInBatch = newest
    for (const entry of this.#journaled.values()) {
      if (this.#heads.get(entry.text) === undefined) putHead(batch, entry)
    }
    for (const entry of this.#heads.sealed()) if (entry) putHead(batch, entry)
    this.#indexing = this.#journaled
    this.#journaled = new Map()
  }

  /** The sealed commit is durable. */
  durable(): void {
    const entries = this.#isSealedInBatch ? this.#indexing : this.#journaled
    for (const entry of this.#heads.sealed()) if (entry) entries.set(entry.text, entry)
    this.#sealed = 0
    this.#heads.durable()
    this.#slots.durable()
  }

  /** The database has the batch that was sealed last. */
  indexed(): void {
    this.#indexing = new Map()
  }
}

/** Writes both rows of a head. */
export function putHead(batch: Pick<WriteBatch, 'put'>, { key, mailbox, head }: IndexEntry): void {
  const value = encodeHead(head)
  const content = contentChecksum(value)
  batch.put(key, seal(key, value, content))
  const arrivalAt = arrivalKey(mailbox, itemKinds[head.kind], head.arrival)
  batch.put(arrivalAt, seal(arrivalAt, value, content))
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
