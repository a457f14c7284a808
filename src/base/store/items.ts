import type { ItemId, MailboxId } from '../util/brand.ts'
import { equalBytes } from '../util/bytes.ts'
import { assert, isAbzuError } from '../util/errors.ts'
import type { Log } from '../util/log.ts'
import { slotClass, type SlotClass } from '../wire/slot.ts'
import { readBodies, readBody } from './body.ts'
import type { Database, DatabaseRow } from './database.ts'
import { decodeExpiryRow, restOfExpiryRow } from './expiry-book.ts'
import { decodeHead, decodeSlot, publicHead, type StoredHead } from './head.ts'
import { bucketCount, sumBytes, type IdSum } from './id-sum.ts'
import type { ItemIndex } from './item-index.ts'
import { ItemListing } from './item-listing.ts'
import type {
  ArrivalsTaken,
  Digest,
  DigestSum,
  Item,
  ItemBody,
  ItemHead,
  ItemStore,
  ListedItem,
  ListPage,
  NewItem,
  PoolUsage,
  SlotResult,
  StoredSlot,
} from './item-store.ts'
import type { ItemWriter } from './item-writer.ts'
import {
  arrivalOfKey,
  expiryRange,
  family,
  idPrefixOf,
  idRange,
  indexKey,
  itemKinds,
  keyText,
  rangeOf,
  slotKey,
} from './keys.ts'
import type { GroupCommit } from './group-commit.ts'
import type { Ledger } from './ledger.ts'
import { damaged } from './row.ts'
import { isSamePlace, type Segments } from './segments.ts'
import type { RowChange } from './table.ts'

export interface ItemsDeps {
  readonly database: Database
  readonly segments: Pick<Segments, 'read'>
  readonly commit: Pick<GroupCommit, 'index'>
  readonly index: ItemIndex
  readonly ledger: Ledger
  readonly writer: ItemWriter
  readonly slotIdOf: (signed: Uint8Array) => ItemId
  readonly log: Log
}

const slotsPerPage = 64
const dropsPerCommit = 256
const expiryRowsPerPage = 64
const idsPerPage = 1024

/** Items in a database. */
export class Items implements ItemStore {
  readonly #deps: ItemsDeps
  readonly #listing: ItemListing

  constructor(deps: ItemsDeps) {
    this.#deps = deps
    this.#listing = new ItemListing(deps)
  }

  has(mailbox: MailboxId, id: ItemId): boolean {
    const head = this.#deps.index.head(indexKey(mailbox, id))
    return head !== undefined && equalBytes(head.id, id)
  }

  find(mailbox: MailboxId, idPrefix: Uint8Array): ItemId | undefined {
    return this.#deps.index.head(indexKey(mailbox, idPrefix))?.id
  }

  listed(mailbox: MailboxId, idPrefix: Uint8Array): ListedItem | undefined {
    const head = this.#stored(indexKey(mailbox, idPrefix))
    return head && asListed(head)
  }

  async append(
    items: readonly NewItem[],
    rows: readonly RowChange[] = [],
    taken?: ArrivalsTaken,
  ): Promise<void> {
    return this.#deps.writer.append(items, rows, taken)
  }

  async putSlots(
    slots: readonly StoredSlot[],
    rows: readonly RowChange[] = [],
    taken?: ArrivalsTaken,
  ): Promise<SlotResult[]> {
    return this.#deps.writer.putSlots(slots, rows, taken)
  }

  async remove(
    mailbox: MailboxId,
    ids: readonly ItemId[],
    rows: readonly RowChange[] = [],
  ): Promise<void> {
    return this.#deps.writer.remove(mailbox, ids, rows)
  }

  async get(mailbox: MailboxId, id: ItemId): Promise<Item | undefined> {
    const key = indexKey(mailbox, id)
    const head = this.#stored(key)
    if (!head || !equalBytes(head.id, id)) return undefined
    if (head.slot) {
      const { class: slotClass, key: name } = head.slot
      const row = await this.#slotRow(mailbox, slotClass, name)
      const isSame = row && equalBytes(this.#deps.slotIdOf(row.signed), id)
      return isSame ? { ...publicHead(head), signed: row.signed, body: row.body } : undefined
    }
    const body = await readBody(this.#deps.segments, head)
    if (body) return { ...publicHead(head), body }
    // Meanwhile it may have gone, or moved.
    const now = this.#stored(key)
    if (now?.arrival !== head.arrival) return undefined
    if (now.place && head.place && !isSamePlace(now.place, head.place)) return this.get(mailbox, id)
    throw damaged('the body of an item is not what was written')
  }

  async getMany(mailbox: MailboxId, ids: readonly ItemId[]): Promise<(Item | undefined)[]> {
    const { segments } = this.#deps
    const heads = ids.map((id) => this.#headOfBody(mailbox, id))
    const bodies = await readBodies(
      segments,
      heads.filter((head) => head !== undefined),
    )
    const items: (Item | undefined)[] = []
    for (const [n, id] of ids.entries()) {
      const head = heads[n]
      const body = head && bodies.get(head)
      items.push(body ? { ...publicHead(head), body } : await this.#readable(mailbox, id))
    }
    return items
  }

  async bodies(
    mailbox: MailboxId,
    items: readonly ListedItem[],
  ): Promise<(ItemBody | undefined)[]> {
    const heads = items as readonly ItemHead[] as readonly StoredHead[]
    const found = await readBodies(this.#deps.segments, heads)
    const bodies: (ItemBody | undefined)[] = []
    for (const head of heads) {
      const body = found.get(head)
      bodies.push(body ? { body } : await this.#readable(mailbox, head.id))
    }
    return bodies
  }

  /** Of an item whose body is in a segment, and whose row is readable. */
  #headOfBody(mailbox: MailboxId, id: ItemId): StoredHead | undefined {
    try {
      const head = this.#stored(indexKey(mailbox, id))
      return head?.place && equalBytes(head.id, id) ? head : undefined
    } catch (error) {
      if (isAbzuError(error, 'ABZU_STORE_DAMAGED')) return undefined
      throw error
    }
  }

  async #readable(mailbox: MailboxId, id: ItemId): Promise<Item | undefined> {
    try {
      return await this.get(mailbox, id)
    } catch (error) {
      if (isAbzuError(error, 'ABZU_STORE_DAMAGED')) return undefined
      throw error
    }
  }

  #stored(key: Uint8Array): StoredHead | undefined {
    return this.#deps.index.durableHead(key)
  }

  async #slotRow(mailbox: MailboxId, slotClass: SlotClass, name: Uint8Array) {
    const key = slotKey(mailbox, slotClass, name)
    const value = await this.#deps.database.get(key)
    return value && decodeSlot(key, value)
  }

  async slot(mailbox: MailboxId, key: Uint8Array): Promise<StoredSlot | undefined> {
    // In one turn, in which a slot cannot change its class.
    for (const slotClass of classes) {
      const rowKey = slotKey(mailbox, slotClass, key)
      const value = this.#deps.database.getSync(rowKey)
      const row = value && decodeSlot(rowKey, value)
      if (row) return { signed: row.signed, body: row.body }
    }
    return undefined
  }

  async *slots(mailbox: MailboxId, slotClass?: SlotClass): AsyncIterable<StoredSlot> {
    const range = rangeOf(family.slot, mailbox, slotClass)
    let after: Uint8Array | undefined
    for (;;) {
      const page = await this.#deps.database.page(range, { limit: slotsPerPage, after })
      for (const [key, value] of page) {
        const { signed, body } = decodeSlot(key, value)
        yield { signed, body }
      }
      after = page.at(-1)?.[0]
      if (page.length < slotsPerPage) return
    }
  }

  async list(
    mailbox: MailboxId,
    { kind, after, limit }: ListPage,
  ): Promise<{ items: ItemHead[]; next?: number }> {
    assert(limit > 0, 'a page has room')
    const page = await this.#listing.heads(mailbox, { kind, after, limit: limit + 1 })
    const items = page.slice(0, limit).map(publicHead)
    const last = items.at(-1)
    return { items, ...(page.length > limit && last && { next: last.arrival }) }
  }

  async *news(
    mailbox: MailboxId,
    { after, upTo }: { readonly after: number; readonly upTo: number },
  ): AsyncIterable<readonly ListedItem[]> {
    for await (const heads of this.#listing.news(mailbox, after)) {
      const due = heads.filter(({ arrival }) => arrival <= upTo)
      if (due.length > 0) yield due.map(asListed)
    }
  }

  get newest(): number {
    return this.#deps.ledger.newest
  }

  async idPrefixes(
    mailbox: MailboxId,
    { from, to }: { readonly from: number; readonly to: number },
  ): Promise<Uint8Array[]> {
    const { database, index } = this.#deps
    const range = idRange(mailbox, from, to)
    const found = new Map<string, Uint8Array>()
    // Looked at first: what the database takes over meanwhile is then seen twice, and not never.
    for (const { key, text } of index.journaledIn(mailbox, range)) found.set(text, key)
    for (let after: Uint8Array | undefined; ;) {
      const page = await database.page(range, { limit: idsPerPage, after, keysOnly: true })
      for (const [key] of page) found.set(keyText(key), key)
      after = page.at(-1)?.[0]
      if (page.length < idsPerPage) break
    }
    return Array.from(found.values(), idPrefixOf)
  }

  async last(mailbox: MailboxId): Promise<number> {
    const journaled = this.#deps.index.lastJournaledOf(mailbox)
    const ends = Object.values(itemKinds).map(async (kind) => {
      const init = { limit: 1, keysOnly: true, reverse: true }
      const [row] = await this.#deps.database.page(rangeOf(family.arrival, mailbox, kind), init)
      return row ? arrivalOfKey(row[0]) : 0
    })
    return Math.max(journaled, ...(await Promise.all(ends)))
  }

  async expire(nowHours: number, limit: number): Promise<number> {
    if (this.#deps.index.absent > 0) await this.#deps.commit.index()
    let removed = 0
    let after: Uint8Array | undefined
    while (removed < limit) {
      const page = await this.#deps.database.page(expiryRange(nowHours), {
        limit: expiryRowsPerPage,
        after,
      })
      if (page.length === 0) break
      const work = this.#expiring(page, limit - removed)
      removed += await this.#deps.writer.removeHeads(work.units, (unit) => {
        for (const { key, rest } of work.changes) {
          if (rest) unit.put(key, rest)
          else unit.delete(key)
        }
      })
      after = work.until
    }
    return removed
  }

  /** At most `limit` of the items that these rows list, what is left of the rows without them, and the last
   *  row that was looked at. */
  #expiring(rows: readonly DatabaseRow[], limit: number) {
    const { database, index, log } = this.#deps
    const units: { mailbox: MailboxId; heads: StoredHead[] }[] = []
    const changes: { key: Uint8Array; rest: Uint8Array | undefined }[] = []
    let until: Uint8Array | undefined
    let left = limit
    for (const [key, value] of rows) {
      if (left === 0) break
      try {
        const row = decodeExpiryRow(key, value)
        const heads: StoredHead[] = []
        let done = 0
        while (done < row.items.length && heads.length < left) {
          const { arrivalKey } = row.items[done++] as (typeof row.items)[number]
          const value = database.getSync(arrivalKey)
          const head = value && decodeHead(arrivalKey, value)
          if (head && index.head(indexKey(row.mailbox, head.id))) heads.push(head)
        }
        units.push({ mailbox: row.mailbox, heads })
        changes.push({ key, rest: restOfExpiryRow(row, done) })
        left -= heads.length
      } catch (error) {
        // The check of the whole store mends it; until then what follows still expires.
        if (!isAbzuError(error, 'ABZU_STORE_DAMAGED')) throw error
        log.warn('expiry-row-damaged', { error })
      }
      until = key
    }
    return { units, changes, until }
  }

  async drop(mailbox: MailboxId): Promise<void> {
    for (const kind of Object.keys(itemKinds) as ListPage['kind'][]) {
      let after: number | undefined
      for (;;) {
        const heads = await this.#listing.heads(mailbox, { kind, after, limit: dropsPerCommit })
        if (heads.length === 0) break
        await this.#deps.writer.removeHeads([{ mailbox, heads }])
        after = heads.at(-1)?.arrival
      }
    }
  }

  async erase(mailbox: MailboxId): Promise<void> {
    await this.#deps.database.compact(rangeOf(family.slot, mailbox))
  }

  usage(mailbox: MailboxId): readonly PoolUsage[] {
    return this.#deps.ledger.mailbox(mailbox).usage
  }

  digest(mailbox: MailboxId): Digest {
    const { ledger } = this.#deps
    return {
      ...digestSum(ledger.mailbox(mailbox).ids),
      buckets(first, count) {
        assert(first >= 0 && first + count <= bucketCount, 'a bucket is 0 to 4095')
        return digestSum(ledger.buckets(mailbox, first, count))
      },
    }
  }
}

const classes = Object.values(slotClass)

function asListed(head: StoredHead): ListedItem {
  return head as ItemHead as ListedItem
}

function digestSum(sum: IdSum): DigestSum {
  return { count: sum.count, sum: sumBytes(sum) }
}
