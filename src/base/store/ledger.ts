import type { Database, WriteBatch } from './database.ts'
import { CachedRows, type CachedRow } from './cached-rows.ts'
import type { StoredHead } from './head.ts'
import { addId, bucketOf, subtractId, type IdSum } from './id-sum.ts'
import { digestKey, mailboxKey } from './keys.ts'
import { bucketForm, countUsage, mailboxRowForm, type MailboxRow } from './mailbox-row.ts'
import { encodeState, rowSumModulus, stateKey, type StoreState } from './state-row.ts'

/** Where one item is counted. */
export interface LedgerEntry {
  readonly mailbox: CachedRow<MailboxRow>
  readonly bucket: CachedRow<IdSum>
}

export interface LedgerInit {
  readonly state: StoreState
  readonly mailboxesMax: number
  readonly bucketsMax: number
}

/**
 * Counts and sums of what is stored: per bucket of the digest, per mailbox, and over all. It covers what
 * is queued; each commit writes what it changed.
 */
export class Ledger {
  readonly state: StoreState
  readonly #mailboxes: CachedRows<MailboxRow>
  readonly #buckets: CachedRows<IdSum>

  constructor(database: Pick<Database, 'getSync'>, init: LedgerInit) {
    this.state = init.state
    this.#mailboxes = new CachedRows(database, mailboxRowForm, init.mailboxesMax)
    this.#buckets = new CachedRows(database, bucketForm, init.bucketsMax)
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

  takeArrival(): number {
    return this.state.nextArrival++
  }

  add(entry: LedgerEntry, head: StoredHead): void {
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

  /** @throws {AbzuError} ABZU_STORE_DAMAGED */
  bucket(mailbox: Uint8Array, prefix: number): IdSum {
    return this.#buckets.peek(digestKey(mailbox, prefix))
  }

  seal(batch: WriteBatch): void {
    this.state.commit++
    this.#mailboxes.seal(batch)
    this.#buckets.seal(batch)
    batch.put(stateKey, encodeState(this.state))
  }

  durable(): void {
    this.#mailboxes.durable()
    this.#buckets.durable()
  }
}
