import type { Database, WriteBatch } from './database.ts'
import { CachedRows, type CachedRow } from './cached-rows.ts'
import type { StoredHead } from './head.ts'
import { addId, addSum, bucketOf, correctSum, emptySum, subtractId, type IdSum } from './id-sum.ts'
import { digestKey, mailboxKey } from './keys.ts'
import {
  bucketForm,
  correctMailboxRow,
  countUsage,
  mailboxRowForm,
  type MailboxRow,
} from './mailbox-row.ts'
import type { BodyPlace } from './segments.ts'
import { copyState, encodeState, rowSumModulus, stateKey, type StoreState } from './state-row.ts'

/** Where one item is counted. */
export interface LedgerEntry {
  readonly mailbox: CachedRow<MailboxRow>
  readonly bucket: CachedRow<IdSum>
}

/** What a row says, undefined where it is not what was written; and what it should say. */
export interface Claim<T> {
  readonly claimed: T | undefined
  readonly counted: T
}

export interface LedgerInit {
  readonly state: StoreState
  readonly mailboxesCachedMax: number
  readonly bucketsCachedMax: number
}

/**
 * Counts and sums of what is stored: per bucket of the digest, per mailbox, and over all. It covers what
 * is queued; each commit that has a batch writes what was changed since the last one.
 */
export class Ledger {
  readonly state: StoreState
  /** The state as the last sealed commit has it. */
  sealed: StoreState
  #newest = 0
  #newestSealed = 0
  /** The last arrival that something was counted in with. */
  #newestAdded = 0
  readonly #mailboxes: CachedRows<MailboxRow>
  readonly #buckets: CachedRows<IdSum>

  constructor(database: Pick<Database, 'getSync'>, init: LedgerInit) {
    this.state = init.state
    this.sealed = copyState(init.state)
    this.#mailboxes = new CachedRows(database, mailboxRowForm, init.mailboxesCachedMax)
    this.#buckets = new CachedRows(database, bucketForm, init.bucketsCachedMax)
  }

  /** Reads what counting an item in or out will change, so that the change itself cannot fail. To be
   *  used before control returns to the event loop.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  entry(mailbox: Uint8Array, id: Uint8Array): LedgerEntry {
    return {
      mailbox: this.#mailboxes.open(mailboxKey(mailbox)),
      bucket: this.#buckets.open(digestKey(mailbox, bucketOf(id))),
    }
  }

  /** The same where the rows may be damaged: they then count from nothing, for a check to correct. */
  recover(mailbox: Uint8Array, id: Uint8Array): LedgerEntry {
    return {
      mailbox: this.#mailboxes.recover(mailboxKey(mailbox)),
      bucket: this.#buckets.recover(digestKey(mailbox, bucketOf(id))),
    }
  }

  /** Number of the commit that is being closed. */
  takeCommit(): number {
    return ++this.state.commit
  }

  takeArrival(): number {
    return this.state.nextArrival++
  }

  /** The arrival that was taken last. */
  get newestTaken(): number {
    return this.state.nextArrival - 1
  }

  /** Everything up to this arrival is durable, and whatever comes arrives behind it, also after a crash: an arrival that
   *  was taken and given to nothing may be taken again. */
  get newest(): number {
    return this.#newest
  }

  /** What the journal had is counted in, when the store is opened. */
  replayed(): void {
    this.#newest = this.#newestAdded = this.newestTaken
  }

  /** The sealed commit is durable. */
  durable(): void {
    this.#newest = this.#newestSealed
  }

  add(entry: LedgerEntry, head: StoredHead): void {
    this.#newestAdded = Math.max(this.#newestAdded, head.arrival)
    for (const sum of [entry.bucket.value, entry.mailbox.value.ids, this.state.ids]) {
      addId(sum, head.id)
    }
    countUsage(entry.mailbox.value.usage, head, 1, head.sizeBytes)
    this.#changed(entry)
  }

  subtract(entry: LedgerEntry, head: StoredHead): void {
    for (const sum of [entry.bucket.value, entry.mailbox.value.ids, this.state.ids]) {
      subtractId(sum, head.id)
    }
    countUsage(entry.mailbox.value.usage, head, -1, -head.sizeBytes)
    this.#changed(entry)
  }

  #changed(entry: LedgerEntry): void {
    this.#mailboxes.changed(entry.mailbox)
    this.#buckets.changed(entry.bucket)
  }

  /** Counts a table's row by the checksums before and after; null = no row. */
  countRow(before: number | null, after: number | null): void {
    const { state } = this
    state.rows += Number(after !== null) - Number(before !== null)
    state.rowSum = (state.rowSum - (before ?? 0) + (after ?? 0) + rowSumModulus) % rowSumModulus
  }

  /** @throws {AbzuError} ABZU_STORE_DAMAGED */
  mailbox(mailbox: Uint8Array): MailboxRow {
    return this.#mailboxes.peek(mailboxKey(mailbox))
  }

  /** Of `count` buckets, from `first` on.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  buckets(mailbox: Uint8Array, first: number, count: number): IdSum {
    const all = emptySum()
    for (let prefix = first; prefix < first + count; prefix++) {
      const sum = this.#buckets.peek(digestKey(mailbox, prefix))
      if (sum.count > 0) addSum(all, sum)
    }
    return all
  }

  /** To be called before a check: its corrections go by what the rows say. */
  refresh(): void {
    this.#mailboxes.refresh()
    this.#buckets.refresh()
  }

  /** Corrects one mailbox's counts by the difference between what they said and what was found, at the
   *  same moment. */
  correctMailbox(
    mailbox: Uint8Array,
    total: Claim<MailboxRow> | undefined,
    buckets: readonly (readonly [number, Claim<IdSum>])[],
  ): void {
    if (total) {
      const { claimed, counted } = total
      this.#mailboxes.correct(mailboxKey(mailbox), counted, (row) => {
        if (claimed) correctMailboxRow(row, claimed, counted)
      })
    }
    for (const [prefix, { claimed, counted }] of buckets) {
      this.#buckets.correct(digestKey(mailbox, prefix), counted, (sum) => {
        if (claimed) correctSum(sum, claimed, counted)
      })
    }
  }

  /** Corrects the counts over all, likewise. */
  correctState(claimed: StoreState, counted: Pick<StoreState, 'ids' | 'rows' | 'rowSum'>): void {
    correctSum(this.state.ids, claimed.ids, counted.ids)
    this.state.rows += counted.rows - claimed.rows
    const difference = counted.rowSum - claimed.rowSum + rowSumModulus
    this.state.rowSum = (this.state.rowSum + difference) % rowSumModulus
  }

  /** Closes the open commit. What it and those before it have changed goes into its batch, where it has one. */
  seal(batch: WriteBatch | undefined, journal: BodyPlace): void {
    this.state.journal = journal
    this.sealed = copyState(this.state)
    this.#newestSealed = this.#newestAdded
    if (!batch) return
    this.#mailboxes.seal(batch)
    this.#buckets.seal(batch)
    batch.put(stateKey, encodeState(this.state))
  }

  /** The database has the batch that was sealed last. */
  indexed(): void {
    this.#mailboxes.durable()
    this.#buckets.durable()
  }
}
