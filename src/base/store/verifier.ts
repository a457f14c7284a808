import type { ItemId, MailboxId } from '../util/brand.ts'
import { compareBytes } from '../util/bytes.ts'
import type { Scheduler } from '../util/clock.ts'
import { AbzuError, isAbzuError } from '../util/errors.ts'
import type { Log } from '../util/log.ts'
import {
  badRow,
  checkMailbox,
  countHeld,
  eachPage,
  note,
  type BadRow,
  type CheckDeps,
  type MailboxCheck,
} from './check-mailbox.ts'
import { heldForm, type BodyBook, type Held } from './body-book.ts'
import type { Database, Snapshot, WriteBatch } from './database.ts'
import { putFormat, storeFormat } from './format.ts'
import type { GroupCommit } from './group-commit.ts'
import { addSum, emptySum, equalSums, type IdSum } from './id-sum.ts'
import type { ItemIndex } from './item-index.ts'
import { family, keyAfter, rangeOf, segmentOfKey, type KeyRange } from './keys.ts'
import type { Claim, Ledger } from './ledger.ts'
import { isTrue, isTrueTotal, isUnchanged, Mender } from './mender.ts'
import { checksumBytes, checksumOf, isIntact } from './row.ts'
import { decodeState, rowSumModulus, stateKey, type StoreState } from './state-row.ts'
import type { Segments } from './segments.ts'
import type { TableRows } from './table-rows.ts'

/** What a check of every row found. What is wrong is mended as far as it can be. */
export interface VerifyReport {
  readonly items: number
  readonly rows: number
  /** Rows that are not what was written, or that belong to nothing; they were taken out. */
  readonly damaged: number
  /** Items and rows that were counted and are not there. */
  readonly lost: number
  /** Items and rows that are there and were not counted: their removal was lost. */
  readonly returned: number
  /** Nothing was wrong. */
  readonly isSound: boolean
}

export interface VerifierDeps {
  readonly database: Database
  readonly scheduler: Pick<Scheduler, 'soon'>
  readonly log: Log
  readonly commit: Pick<GroupCommit, 'queue' | 'index'>
  readonly segments: Pick<Segments, 'read'>
  readonly index: ItemIndex
  readonly ledger: Ledger
  readonly book: Pick<BodyBook, 'correct' | 'refresh' | 'subtract'>
  readonly tables: Pick<TableRows, 'prepareRemoval' | 'write'>
  readonly slotIdOf: (signed: Uint8Array) => ItemId
  /** Adds a new epoch to a batch. */
  readonly renewEpoch: (batch: Pick<WriteBatch, 'put'>) => void
}

const nothing = heldForm.empty()

interface Tally {
  items: number
  rows: number
  damaged: number
  lost: number
  returned: number
}

/** Checks every row of the store, in slices, while it is in use. */
export class Verifier {
  readonly #deps: VerifierDeps
  #running: Promise<VerifyReport> | undefined
  #isStopped = false

  constructor(deps: VerifierDeps) {
    this.#deps = deps
  }

  /** One check at a time: a call meanwhile joins it.
   *  @throws {AbzuError} ABZU_CLOSED, those of a write */
  async verify(): Promise<VerifyReport> {
    this.#running ??= this.#verify().finally(() => (this.#running = undefined))
    return this.#running
  }

  get isRunning(): boolean {
    return this.#running !== undefined
  }

  /** Ends a check that runs. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running?.catch(() => {})
  }

  async #verify(): Promise<VerifyReport> {
    await this.#deps.commit.index()
    for (const counts of [this.#deps.ledger, this.#deps.book]) counts.refresh()
    const snapshot = this.#deps.database.snapshot()
    try {
      const tally = { items: 0, rows: 0, damaged: 0, lost: 0, returned: 0 }
      const isSound = await this.#check(snapshot, tally)
      const report = { ...tally, isSound }
      this.#deps.log[isSound ? 'info' : 'error']('store-checked', report)
      return report
    } finally {
      await snapshot.close()
    }
  }

  async #check(snapshot: Snapshot, tally: Tally): Promise<boolean> {
    const { database, segments, scheduler, slotIdOf, commit, log, index } = this.#deps
    const pause = async () => {
      await new Promise<void>((resolve) => scheduler.soon(resolve))
      if (this.#isStopped) throw new AbzuError('ABZU_CLOSED', 'the store is being closed')
    }
    const check = { database, segments, index, snapshot, slotIdOf, pause }
    try {
      const items = await this.#checkMailboxes(check, tally)
      const isHeldRight = await this.#checkHeld(check, items.held, tally)
      const others = await this.#checkOthers(check, tally)
      const state = await this.#checkState(check, { ids: items.ids, ...others }, tally)
      if (items.isSound && isHeldRight && others.isSound && state) return true
    } catch (error) {
      if (!isAbzuError(error, 'ABZU_STORE_DAMAGED')) throw error
      log.error('store-unreadable', { error })
      tally.damaged++
    }
    await commit.queue((unit) => {
      this.#deps.renewEpoch(unit)
      putFormat(unit, storeFormat)
    })
    return false
  }

  async #checkMailboxes(
    check: CheckDeps,
    tally: Tally,
  ): Promise<{ ids: IdSum; held: Map<number, Held>; isSound: boolean }> {
    const mender = new Mender(this.#deps)
    const ids = emptySum()
    const held = new Map<number, Held>()
    let isSound = true
    for (let after: Uint8Array | undefined; ;) {
      const mailbox = await nextMailbox(check, after)
      if (!mailbox) return { ids, held, isSound }
      const found = await checkMailbox(check, mailbox)
      addSum(ids, found.total.counted.ids)
      for (const [segment, more] of found.held) countHeld(held, segment, more)
      tallyMailbox(tally, found)
      if (!isWhole(found)) {
        isSound = false
        await mender.mend(found)
      }
      after = mailbox
      await check.pause()
    }
  }

  /** How much of each segment is needed. Returns whether the rows say so. */
  async #checkHeld(check: CheckDeps, counted: Map<number, Held>, tally: Tally): Promise<boolean> {
    const claims = new Map<number, Claim<Held>>()
    for (const [segment, held] of counted) claims.set(segment, { claimed: nothing, counted: held })
    await eachPage(check, rangeOf(family.segment), (page) => {
      for (const [key, value] of page) {
        const claimed = isIntact(key, value) ? heldForm.decode(key, value) : undefined
        if (!claimed) tally.damaged++
        const segment = segmentOfKey(key)
        claims.set(segment, { claimed, counted: counted.get(segment) ?? nothing })
      }
    })
    const wrong = [...claims].filter(
      ([
        ,
        {
          claimed,
          counted: { items, bytes },
        },
      ]) => {
        return claimed?.items !== items || claimed.bytes !== bytes
      },
    )
    for (const [segment, claim] of wrong) this.#deps.book.correct(segment, claim)
    return wrong.length === 0
  }

  /** Expiry and tables, and what has no place in the layout. */
  async #checkOthers(
    check: CheckDeps,
    tally: Tally,
  ): Promise<{ rows: number; rowSum: number; isSound: boolean }> {
    const bad: BadRow[] = []
    const badTableRows: BadRow[] = []
    const counted = { rows: 0, rowSum: 0 }
    for (const first of [family.expiry, family.meta]) {
      await eachPage(check, rangeOf(first), (page) => {
        for (const [key, value] of page) if (!isIntact(key, value)) note(bad, badRow(key, value))
      })
    }
    await eachPage(check, rangeOf(family.table), (page) => {
      for (const [key, value] of page) {
        if (!isIntact(key, value)) note(badTableRows, badRow(key, value))
        if (value.length < checksumBytes) continue
        counted.rows++
        counted.rowSum = (counted.rowSum + checksumOf(value)) % rowSumModulus
      }
    })
    for (const gap of gaps()) {
      await eachPage(check, gap, (page) => {
        for (const [key, value] of page) note(bad, badRow(key, value))
      })
    }
    const isSound = bad.length + badTableRows.length === 0
    tally.rows += counted.rows - badTableRows.length
    tally.damaged += bad.length + badTableRows.length
    if (!isSound) await this.#takeOut(bad, badTableRows)
    return { ...counted, isSound }
  }

  async #takeOut(bad: readonly BadRow[], badTableRows: readonly BadRow[]): Promise<void> {
    const { database, commit, tables } = this.#deps
    const [leaving, leavingTables] = [bad, badTableRows].map((rows) =>
      rows.filter((row) => isUnchanged(database, row)).map(({ key }) => key),
    )
    const removals = tables.prepareRemoval(leavingTables ?? [])
    await commit.queue((unit) => {
      for (const key of leaving ?? []) unit.delete(key)
      tables.write(unit, removals)
    })
  }

  async #checkState(
    { database, snapshot }: CheckDeps,
    counted: Pick<StoreState, 'ids' | 'rows' | 'rowSum'>,
    tally: Tally,
  ): Promise<boolean> {
    const [value] = await database.getMany([stateKey], snapshot)
    if (!value) return counted.ids.count === 0 && counted.rows === 0
    const claimed = decodeState(value)
    const isRight =
      equalSums(claimed.ids, counted.ids) &&
      claimed.rows === counted.rows &&
      claimed.rowSum === counted.rowSum
    if (isRight) return true
    const differences = [claimed.ids.count - counted.ids.count, claimed.rows - counted.rows]
    for (const difference of differences) {
      if (difference > 0) tally.lost += difference
      else tally.returned -= difference
    }
    this.#deps.ledger.correctState(claimed, counted)
    return false
  }
}

function isWhole({ total, buckets, badRows, halves, hollow }: MailboxCheck): boolean {
  return (
    isTrueTotal(total) &&
    [...buckets.values()].every(isTrue) &&
    badRows.length + halves.length + hollow.length === 0
  )
}

function tallyMailbox(tally: Tally, { total, buckets, badRows, hollow }: MailboxCheck): void {
  const unreadable = [total, ...buckets.values()].filter(({ claimed }) => claimed === undefined)
  tally.items += total.counted.ids.count - hollow.length
  tally.damaged += badRows.length + unreadable.length
  tally.lost += hollow.length
}

/** The mailbox behind `after` that has a row of any family. */
async function nextMailbox(
  { database, snapshot }: CheckDeps,
  after: Uint8Array | undefined,
): Promise<MailboxId | undefined> {
  const families = [family.index, family.arrival, family.slot, family.digest, family.mailbox]
  const firsts = await Promise.all(
    families.map(async (first) => {
      const { lt } = rangeOf(first)
      const gte = after ? keyAfter(rangeOf(first, after).gte) : Uint8Array.of(first)
      const [row] = await database.page({ gte, lt }, { limit: 1, snapshot, keysOnly: true })
      return row && Buffer.concat([row[0].subarray(1), Buffer.alloc(32)]).subarray(0, 32)
    }),
  )
  const [next] = firsts.filter((mailbox) => mailbox !== undefined).toSorted(compareBytes)
  return next as MailboxId | undefined
}

/** The ranges of keys that belong to no family. */
function gaps(): KeyRange[] {
  const firsts = Object.values(family)
  return firsts.map((first, n) => ({
    gte: Uint8Array.of(first + 1),
    lt: Uint8Array.of(firsts[n + 1] ?? 0xff, ...(n + 1 < firsts.length ? [] : [0xff, 0xff])),
  }))
}
