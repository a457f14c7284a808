/**
 * The one database of a node: items, tables, and the promise that what resolved is on the disk.
 * @module
 */

import type { CryptoPlatform } from '../crypto/platform.ts'
import type { ItemId } from '../util/brand.ts'
import type { Clock, Scheduler } from '../util/clock.ts'
import type { AbzuError } from '../util/errors.ts'
import type { Log } from '../util/log.ts'
import { begin, epochBytes, putEpoch, type Beginning } from './beginning.ts'
import { BodyBook } from './body-book.ts'
import type { Database, WriteBatch } from './database.ts'
import { putFormat, storeFormat } from './format.ts'
import { ExpiryBook } from './expiry-book.ts'
import { GroupCommit } from './group-commit.ts'
import { IdFilter } from './id-filter.ts'
import { ItemIndex } from './item-index.ts'
import type { ItemStore } from './item-store.ts'
import { ItemWriter } from './item-writer.ts'
import { Items } from './items.ts'
import { Journal } from './journal.ts'
import { indexKey, keyText } from './keys.ts'
import { Ledger } from './ledger.ts'
import { Reclaimer } from './reclaimer.ts'
import { SegmentSweeper } from './segment-sweeper.ts'
import type { Segments } from './segments.ts'
import { openFiles, openWithoutFiles, type StoreFiles } from './store-files.ts'
import { defaultStoreLimits, type StoreLimits } from './store-limits.ts'
import type { RowChange, Table, TableName } from './table.ts'
import { commitRows, StoredTable, TableRows } from './table-rows.ts'
import { Verifier, type VerifyReport } from './verifier.ts'

export interface StoreInit {
  /** Directory of the store's files, made with mode 0700 where it is missing; undefined = in memory. */
  readonly dir: string | undefined
  /** Opens what stands in for the files of a directory: a disk that a simulation has made. */
  readonly openFiles?: () => Promise<StoreFiles>
  readonly platform: Pick<CryptoPlatform, 'sha256' | 'random'>
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly log: Log
  /** @default defaultStoreLimits */
  readonly limits?: Partial<StoreLimits>
  /** Wraps what the store writes to, for a test or a benchmark. */
  readonly decorate?: (media: StoreMedia) => StoreMedia
}

/** What a store writes to. */
export interface StoreMedia {
  readonly database: Database
  readonly segments: Segments
}

/** What opening found. */
export interface OpenReport {
  /** The store was made just now. */
  readonly isNew: boolean
  /** It was closed in good order the last time, and is as it was then. Where not, a full check runs. */
  readonly wasClosed: boolean
  /** Commits that were durable once and are gone. */
  readonly lostCommits: number
  /** Free space is low: no items are taken until some is back. */
  readonly isDiskFull: boolean
}

export interface Store {
  readonly items: ItemStore
  table(name: TableName): Table
  /** Writes rows of several tables as one unit. Resolves after fsync.
   *  @throws {AbzuError} as Table.put */
  commit(rows: readonly RowChange[]): Promise<void>
  /** 16 random bytes: new with a new database, and when this one has lost something. */
  readonly epoch: Uint8Array
  readonly report: OpenReport
  /** Resolves when a write has failed: nothing is accepted any more until the store is opened again. */
  readonly failure: Promise<AbzuError>
  /** Checks every row, in slices, and mends what can be mended.
   *  @throws {AbzuError} ABZU_CLOSED, those of a write */
  verify(): Promise<VerifyReport>
  /** Resolves when what was queued is durable and the files are closed. */
  close(): Promise<void>
}

/** Opens the store in a directory, or makes it there.
 *  @throws {AbzuError} ABZU_HOME_IN_USE, ABZU_STORE_NEWER, ABZU_STORE_DAMAGED, ABZU_DISK_FULL,
 *  ABZU_STORE_FAILED, ABZU_INSECURE_MODE, ABZU_IO */
export async function openStore(init: StoreInit): Promise<Store> {
  const { dir, platform, clock, scheduler, log, decorate = (media) => media } = init
  const limits = { ...defaultStoreLimits, ...init.limits }
  const random = (length: number) => platform.random(length)
  const openPlace =
    dir === undefined
      ? openWithoutFiles
      : async () => openFiles(dir, limits, { random, clock, scheduler, log })
  const files = await (init.openFiles ?? openPlace)()
  try {
    const media = decorate(files)
    const beginning = await begin(media.database, { ...files, ...media }, { random, limits, log })
    return await assemble({ ...init, ...media, random, limits, files, beginning })
  } catch (error) {
    await files.close(false)
    throw error
  }
}

interface Parts extends Omit<StoreInit, 'limits'>, StoreMedia {
  readonly random: (length: number) => Uint8Array
  readonly limits: StoreLimits
  readonly files: StoreFiles
  readonly beginning: Beginning
}

async function assemble(parts: Parts): Promise<Store> {
  const { platform, clock, scheduler, log, limits, files, database, segments } = parts
  const { state, replayed, isNew, lostCommits, lostAtEnd, needsCheck } = parts.beginning
  let epoch = parts.beginning.epoch ?? parts.random(epochBytes)
  const slotIdOf = (signed: Uint8Array) => platform.sha256(signed) as ItemId
  const expectRoom = (bytes: number) => files.ballast.expectRoom(bytes)
  const ledger = new Ledger(database, { state, ...limits })
  const book = new BodyBook(database, limits)
  const expiry = new ExpiryBook()
  const filter = new IdFilter({ database, log }, { bytes: limits.idFilterBytes, isEmpty: isNew })
  const index = new ItemIndex({ database, filter, slotIdOf }, { newest: ledger.newestTaken })
  const rows = new TableRows({ database, ledger })
  const reclaimer = new Reclaimer({ database, ballast: files.ballast, scheduler, log })
  const journal = new Journal({ ...parts, segments, book }, { ...limits, end: replayed.end })
  const commit = new GroupCommit(
    {
      database,
      journal,
      scheduler,
      seal({ entries, batch, isWithIndex }) {
        const record = journal.lay(entries, { commit: ledger.takeCommit(), isWithIndex })
        index.seal(batch, ledger.newestTaken)
        rows.seal()
        if (batch) for (const part of [expiry, book]) part.seal(batch)
        ledger.seal(batch, journal.position)
        if (batch) journal.indexed()
        return record
      },
      isIndexDue: () =>
        index.absent >= limits.journaledItemsMax || journal.bytesAlone >= limits.journaledBytesMax,
      durable() {
        files.recordCommit(ledger.sealed)
        index.durable()
        rows.durable()
        ledger.durable()
      },
      indexed() {
        for (const part of [index, ledger, book]) part.indexed()
      },
    },
    { bytesMax: limits.queueBytesMax },
  )
  void files.failure.then((error) => commit.fail(error))
  const shared = { commit, segments, index, ledger, book, slotIdOf }
  const freed = () => {
    reclaimer.request()
    sweeper.request()
  }
  const writer = new ItemWriter({ ...shared, expiry, tables: rows, clock, expectRoom, freed })
  const sweeper = new SegmentSweeper(
    { ...shared, journal, writer, ballast: files.ballast, scheduler, log },
    limits,
  )
  const renewEpoch = (batch: Pick<WriteBatch, 'put'>) => {
    epoch = parts.random(epochBytes)
    putEpoch(batch, epoch)
  }
  const verifier = new Verifier({ ...shared, database, scheduler, log, tables: rows, renewEpoch })

  for (const { mailbox, head } of replayed.items) {
    const key = indexKey(mailbox, head.id)
    ledger.add(ledger.recover(mailbox, head.id), head)
    book.add(head.place.segment, { items: 1, bytes: head.sizeBytes })
    expiry.add(mailbox, head)
    index.replay({ mailbox, key, text: keyText(key), head })
    state.nextArrival = Math.max(state.nextArrival, head.arrival + 1)
  }
  ledger.replayed()
  state.commit = replayed.commit + lostAtEnd
  if (!parts.beginning.epoch) {
    await commit.queue((unit) => {
      if (isNew) putFormat(unit, storeFormat)
      putEpoch(unit, epoch)
    })
  }
  if (needsCheck) {
    verifier.verify().catch((error: Error) => log.warn('store-check-ended', { error }))
  }
  const tables = { rows, commit, expectRoom }
  const close = async () => {
    // In one turn: the last commit brings everything into the database.
    if (index.absent > 0) commit.index().catch(() => {})
    const isCutOff = verifier.isRunning
    const parts = [verifier.stop(), filter.close(), reclaimer.close(), sweeper.close()]
    await Promise.all([commit.close(), ...parts])
    // A check that was due and did not end is due again.
    await files.close(!commit.isFailed && !isCutOff)
  }
  let closing: Promise<void> | undefined
  return {
    items: new Items({ database, writer, log, ...shared }),
    table: (name) => new StoredTable(tables, name),
    commit: async (changes) => commitRows(tables, changes),
    get epoch() {
      return epoch
    },
    report: {
      isNew,
      wasClosed: isNew || files.wasClosed,
      lostCommits,
      isDiskFull: files.ballast.isTight,
    },
    failure: commit.failure,
    verify: async () => verifier.verify(),
    close: async () => (closing ??= close()),
  }
}
