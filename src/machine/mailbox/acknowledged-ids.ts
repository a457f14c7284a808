import type { ItemStore } from '../../base/store/item-store.ts'
import type { RowChange, Table } from '../../base/store/table.ts'
import type { ItemId, MailboxId } from '../../base/util/brand.ts'
import { BloomFilter } from '../../base/util/bloom-filter.ts'
import { concatBytes, mapKey, readU32be, u32be } from '../../base/util/bytes.ts'
import type { Log } from '../../base/util/log.ts'
import { acknowledgedIdBytes, type Acknowledgement } from '../../base/wire/records.ts'

export interface AcknowledgedIdsDeps {
  readonly table: Table
  readonly log: Log
}

/** One look in a hundred is in vain with 200,000 acknowledgements. */
const filterBytes = 256 * 1024
const mailboxBytes = 32

/**
 * What owners have acknowledged, and what is refused for so long: a row each, `mailbox[32] | first 16
 * bytes of the id` to the UTC day, days since 1970.
 * @see docs/protocol.md#items
 */
export class AcknowledgedIds {
  readonly #deps: AcknowledgedIdsDeps
  readonly #filter = new BloomFilter(filterBytes)
  /** What was noted and may not be durable yet, which the table does not tell. */
  readonly #noted = new Set<string>()
  /** All rows are in the filter. */
  #isFiltering = false
  #sweptTo: Uint8Array | undefined

  constructor(deps: AcknowledgedIdsDeps) {
    this.#deps = deps
    void this.#fill()
  }

  async #fill(): Promise<void> {
    const { table, log } = this.#deps
    try {
      for await (const { key } of table.range({ limit: Infinity })) {
        this.#filter.add(key, key.subarray(mailboxBytes))
      }
      this.#isFiltering = true
    } catch (error) {
      log.warn('acknowledged-filter-incomplete', { error: error as Error })
    }
  }

  /** @throws {AbzuError} ABZU_STORE_DAMAGED */
  has(mailbox: MailboxId, id: Uint8Array): boolean {
    if (this.#isFiltering && !this.#filter.mayHave(mailbox, id)) return false
    const key = keyOf(mailbox, id)
    return this.#noted.has(mapKey(key)) || this.#deps.table.get(key) !== undefined
  }

  /** The row that notes an acknowledgement; for a write that is made at once, and at whose end `settled` is
   *  called. From now on `has` knows of it. */
  note(mailbox: MailboxId, id: Uint8Array, day: number): RowChange {
    this.#filter.add(mailbox, id)
    const key = keyOf(mailbox, id)
    this.#noted.add(mapKey(key))
    return { table: this.#deps.table.name, key, value: u32be(day) }
  }

  /** The mail that acknowledgements remove, and the rows that refuse its return. */
  removal(
    mailbox: MailboxId,
    acknowledgements: readonly Acknowledgement[],
    items: Pick<ItemStore, 'find'>,
  ): { ids: ItemId[]; rows: RowChange[] } {
    const ids: ItemId[] = []
    const rows: RowChange[] = []
    for (const { day, ids: listed } of acknowledgements) {
      for (let at = 0; at < listed.length; at += acknowledgedIdBytes) {
        const prefix = listed.slice(at, at + acknowledgedIdBytes)
        if (this.has(mailbox, prefix)) continue
        rows.push(this.note(mailbox, prefix, day))
        const id = items.find(mailbox, prefix)
        if (id) ids.push(id)
      }
    }
    return { ids, rows }
  }

  /** The write of these rows is durable, or has failed. */
  settled(rows: readonly RowChange[]): void {
    for (const { key } of rows) this.#noted.delete(mapKey(key))
  }

  /** Looks at the next `limit` rows and forgets those from before a day. Resolves to their number. */
  async forget(beforeDay: number, limit: number): Promise<number> {
    const { table } = this.#deps
    const old: Uint8Array[] = []
    let last: Uint8Array | undefined
    for await (const { key, value } of table.range({
      limit,
      ...(this.#sweptTo && { after: this.#sweptTo }),
    })) {
      last = key
      if (readU32be(value) < beforeDay) old.push(key)
    }
    this.#sweptTo = last
    await Promise.all(old.map(async (key) => table.delete(key)))
    return old.length
  }
}

function keyOf(mailbox: MailboxId, id: Uint8Array): Uint8Array {
  return concatBytes(mailbox, id.subarray(0, acknowledgedIdBytes))
}
