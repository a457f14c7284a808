/**
 * Looks at every row of one mailbox, as it was at one moment, and says what does not fit together. Bodies
 * are looked at as they are now.
 * @module
 */

import { crc32 } from 'node:zlib'
import type { ItemId, MailboxId } from '../util/brand.ts'
import { equalBytes } from '../util/bytes.ts'
import { isAbzuError } from '../util/errors.ts'
import { readBody } from './body.ts'
import { addHeld, heldForm, type Held } from './body-book.ts'
import type { Database, DatabaseRow, Snapshot } from './database.ts'
import { decodeHead, decodeSlot, type StoredHead } from './head.ts'
import { addId, bucketOf, emptySum, type IdSum } from './id-sum.ts'
import {
  arrivalKey,
  digestKey,
  family,
  indexKey,
  itemKinds,
  mailboxKey,
  rangeOf,
  slotKey,
  type KeyRange,
} from './keys.ts'
import type { ItemIndex } from './item-index.ts'
import type { Claim } from './ledger.ts'
import { bucketForm, countUsage, mailboxRowForm, type MailboxRow } from './mailbox-row.ts'
import { isIntact } from './row.ts'
import { isSamePlace, type Segments } from './segments.ts'

export interface CheckDeps {
  readonly database: Pick<Database, 'page' | 'getMany'>
  readonly segments: Pick<Segments, 'read'>
  readonly index: Pick<ItemIndex, 'durableHead'>
  readonly snapshot: Snapshot
  readonly slotIdOf: (signed: Uint8Array) => ItemId
  /** Lets others run. @throws {AbzuError} ABZU_CLOSED */
  readonly pause: () => Promise<void>
}

/** An item of which something is missing. */
export interface BrokenItem {
  readonly head: StoredHead
  /** It could be found by its id. */
  readonly isIndexed: boolean
}

/** A row to be taken out, if it still is as it was seen. */
export interface BadRow {
  readonly key: Uint8Array
  /** Checksum of the value seen; undefined where nothing writes this key a second time. */
  readonly seen: number | undefined
}

export function badRow(key: Uint8Array, value?: Uint8Array): BadRow {
  return { key, seen: value && crc32(value) }
}

export interface MailboxCheck {
  readonly mailbox: MailboxId
  readonly total: Claim<MailboxRow>
  readonly buckets: ReadonlyMap<number, Claim<IdSum>>
  /** What its items need of each segment. */
  readonly held: ReadonlyMap<number, Held>
  /** Rows that are not what was written, or that belong to nothing. */
  readonly badRows: readonly BadRow[]
  /** Items with one of their two heads gone. */
  readonly halves: readonly BrokenItem[]
  /** Items whose body is gone, or is not what was written. */
  readonly hollow: readonly BrokenItem[]
}

/** What one check remembers of each sort; what exceeds it is for the next check. */
const findingsMax = 20_000
const rowsPerPage = 64

/** The value where it is what was written. */
function intact<T>(
  key: Uint8Array,
  value: Uint8Array | undefined,
  decode: (key: Uint8Array, value: Uint8Array) => T,
): T | undefined {
  return value && isIntact(key, value) ? decode(key, value) : undefined
}

class Checking {
  readonly #deps: CheckDeps
  readonly #mailbox: MailboxId
  readonly #total: MailboxRow = mailboxRowForm.empty()
  readonly #buckets = new Map<number, IdSum>()
  readonly #held = new Map<number, Held>()
  readonly #badRows: BadRow[] = []
  readonly #halves: BrokenItem[] = []
  readonly #hollow: BrokenItem[] = []

  constructor(deps: CheckDeps, mailbox: MailboxId) {
    this.#deps = deps
    this.#mailbox = mailbox
  }

  async run(): Promise<MailboxCheck> {
    await this.#eachPage(family.arrival, async (rows) => this.#checkArrivals(rows))
    await this.#eachPage(family.index, async (rows) => this.#checkIndex(rows))
    await this.#eachPage(family.slot, async (rows) => this.#checkSlots(rows))
    return {
      mailbox: this.#mailbox,
      total: await this.#checkTotal(),
      buckets: await this.#checkBuckets(),
      held: this.#held,
      badRows: this.#badRows,
      halves: this.#halves,
      hollow: this.#hollow,
    }
  }

  async #eachPage(first: number, check: (rows: DatabaseRow[]) => Promise<void>): Promise<void> {
    const { database, snapshot, pause } = this.#deps
    await eachPage({ database, snapshot, pause }, rangeOf(first, this.#mailbox), check)
  }

  async #checkArrivals(rows: DatabaseRow[]): Promise<void> {
    const heads = this.#intactHeads(rows)
    const indexed = await this.#headsAt(heads.map(({ id }) => indexKey(this.#mailbox, id)))
    const bodies = await this.#haveBodies(heads)
    for (const [n, head] of heads.entries()) {
      const other = indexed[n]
      if (other && other.arrival !== head.arrival) {
        this.#bad(arrivalKey(this.#mailbox, itemKinds[head.kind], head.arrival))
        continue
      }
      this.#count(head)
      if (!bodies[n]) note(this.#hollow, { head, isIndexed: other !== undefined })
      else if (!other) note(this.#halves, { head, isIndexed: false })
    }
  }

  async #checkIndex(rows: DatabaseRow[]): Promise<void> {
    const heads = this.#intactHeads(rows)
    const arrived = await this.#headsAt(
      heads.map(({ kind, arrival }) => arrivalKey(this.#mailbox, itemKinds[kind], arrival)),
    )
    const alone = heads.filter((_, n) => !arrived[n])
    const bodies = await this.#haveBodies(alone)
    for (const [n, head] of alone.entries()) {
      this.#count(head)
      note(bodies[n] ? this.#halves : this.#hollow, { head, isIndexed: true })
    }
  }

  async #checkSlots(rows: DatabaseRow[]): Promise<void> {
    const slots = rows.flatMap(([key, value]) => {
      const row = intact(key, value, decodeSlot)
      if (!row) this.#bad(key, value)
      return row ? [{ key, value, row, id: this.#deps.slotIdOf(row.signed) }] : []
    })
    const indexed = await this.#headsAt(slots.map(({ id }) => indexKey(this.#mailbox, id)))
    const arrived = await this.#headsAt(
      slots.map(({ row }) => arrivalKey(this.#mailbox, itemKinds.slot, row.arrival)),
    )
    for (const [n, { key, value, row, id }] of slots.entries()) {
      const isHeld = [indexed[n], arrived[n]].some(
        (head) => head && head.arrival === row.arrival && equalBytes(head.id, id),
      )
      if (!isHeld) this.#bad(key, value)
    }
  }

  async #checkTotal(): Promise<Claim<MailboxRow>> {
    const key = mailboxKey(this.#mailbox)
    const [value] = await this.#valuesAt([key])
    const claimed = value ? intact(key, value, mailboxRowForm.decode) : mailboxRowForm.empty()
    return { claimed, counted: this.#total }
  }

  async #checkBuckets(): Promise<Map<number, Claim<IdSum>>> {
    const claims = new Map<number, Claim<IdSum>>()
    for (const [prefix, counted] of this.#buckets) {
      claims.set(prefix, { claimed: emptySum(), counted })
    }
    await this.#eachPage(family.digest, async (rows) => {
      for (const [key, value] of rows) {
        const prefix = ((key[33] as number) << 8) | (key[34] as number)
        const isKnown = equalBytes(key, digestKey(this.#mailbox, prefix))
        const claimed = intact(key, value, bucketForm.decode)
        const counted = this.#buckets.get(prefix) ?? emptySum()
        if (isKnown) claims.set(prefix, { claimed, counted })
        else this.#bad(key, value)
      }
    })
    return claims
  }

  #intactHeads(rows: DatabaseRow[]): StoredHead[] {
    return rows.flatMap(([key, value]) => {
      const head = intact(key, value, decodeHead)
      if (!head) this.#bad(key, value)
      return head ?? []
    })
  }

  async #headsAt(keys: Uint8Array[]): Promise<(StoredHead | undefined)[]> {
    const values = await this.#valuesAt(keys)
    return keys.map((key, n) => intact(key, values[n], decodeHead))
  }

  async #haveBodies(heads: readonly StoredHead[]): Promise<boolean[]> {
    const has: boolean[] = []
    for (const head of heads) has.push(await this.#hasBody(head))
    return has
  }

  async #hasBody(head: StoredHead): Promise<boolean> {
    if (!head.slot) return this.#hasReadableBody(head)
    const key = slotKey(this.#mailbox, head.slot.class, head.slot.key)
    const [value] = await this.#valuesAt([key])
    const row = intact(key, value, decodeSlot)
    return row?.arrival === head.arrival && equalBytes(this.#deps.slotIdOf(row.signed), head.id)
  }

  async #hasReadableBody(head: StoredHead): Promise<boolean> {
    try {
      if (await readBody(this.#deps.segments, head)) return true
      // Since the snapshot it may have gone, or moved: then its place says nothing.
      const now = this.#deps.index.durableHead(indexKey(this.#mailbox, head.id))
      return !(now?.arrival === head.arrival && isSamePlace(now.place, head.place))
    } catch (error) {
      if (isAbzuError(error, 'ABZU_STORE_DAMAGED')) return false
      throw error
    }
  }

  async #valuesAt(keys: Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    const { database, snapshot } = this.#deps
    return keys.length > 0 ? database.getMany(keys, snapshot) : []
  }

  #count(head: StoredHead): void {
    addId(this.#total.ids, head.id)
    countUsage(this.#total.usage, head, 1, head.sizeBytes)
    if (head.place) countHeld(this.#held, head.place.segment, { items: 1, bytes: head.sizeBytes })
    const prefix = bucketOf(head.id)
    const bucket = this.#buckets.get(prefix) ?? emptySum()
    addId(bucket, head.id)
    this.#buckets.set(prefix, bucket)
  }

  #bad(key: Uint8Array, value?: Uint8Array): void {
    note(this.#badRows, badRow(key, value))
  }
}

/** Adds to what is counted of a segment. */
export function countHeld(counted: Map<number, Held>, segment: number, more: Held): void {
  const held = counted.get(segment) ?? heldForm.empty()
  addHeld(held, more)
  counted.set(segment, held)
}

/** Adds a finding while there is room. */
export function note<T>(findings: T[], finding: T): void {
  if (findings.length < findingsMax) findings.push(finding)
}

/** Hands every row of a range to `check`, a page at a time. */
export async function eachPage(
  { database, snapshot, pause }: Pick<CheckDeps, 'database' | 'snapshot' | 'pause'>,
  range: KeyRange,
  check: (rows: DatabaseRow[]) => Promise<void> | void,
  keysOnly = false,
): Promise<void> {
  let after: Uint8Array | undefined
  for (;;) {
    const rows = await database.page(range, { limit: rowsPerPage, after, snapshot, keysOnly })
    if (rows.length > 0) await check(rows)
    if (rows.length < rowsPerPage) return
    after = rows.at(-1)?.[0]
    await pause()
  }
}

/** @throws {AbzuError} ABZU_STORE_DAMAGED where the database cannot be read to its end; ABZU_CLOSED */
export async function checkMailbox(deps: CheckDeps, mailbox: MailboxId): Promise<MailboxCheck> {
  return new Checking(deps, mailbox).run()
}
