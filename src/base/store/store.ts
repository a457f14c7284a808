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
import type { Database, WriteBatch } from './database.ts'
import { ExpiryBook } from './expiry-book.ts'
import { GroupCommit } from './group-commit.ts'
import { IdFilter } from './id-filter.ts'
import { ItemIndex } from './item-index.ts'
import type { ItemStore } from './item-store.ts'
import { ItemWriter } from './item-writer.ts'
import { Items } from './items.ts'
import { Ledger } from './ledger.ts'
import { Reclaimer } from './reclaimer.ts'
import { openFiles, openWithoutFiles, type StoreFiles } from './store-files.ts'
import { defaultStoreLimits, type StoreLimits } from './store-limits.ts'
import type { RowChange, Table, TableName } from './table.ts'
import { commitRows, StoredTable, TableRows } from './table-rows.ts'
import { Verifier, type VerifyReport } from './verifier.ts'

export interface StoreInit {
  /** Directory of the store's files, made with mode 0700 where it is missing; undefined = in memory. */
  readonly dir: string | undefined
  readonly platform: Pick<CryptoPlatform, 'sha256' | 'random'>
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly log: Log
  /** @default defaultStoreLimits */
  readonly limits?: Partial<StoreLimits>
  /** Wraps the database, for a test or a benchmark. */
  readonly decorate?: (database: Database) => Database
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
  const { dir, platform, clock, scheduler, log, decorate = (database) => database } = init
  const limits = { ...defaultStoreLimits, ...init.limits }
  const random = (length: number) => platform.random(length)
  const files =
    dir === undefined
      ? await openWithoutFiles()
      : await openFiles(dir, limits, { random, clock, scheduler, log })
  try {
    const database = decorate(files.database)
    const beginning = await begin(database, files, random)
    return assemble({ ...init, random, limits, files, database, beginning })
  } catch (error) {
    await files.close(false)
    throw error
  }
}

interface Parts extends Omit<StoreInit, 'limits'> {
  readonly random: (length: number) => Uint8Array
  readonly limits: StoreLimits
  readonly files: StoreFiles
  readonly database: Database
  readonly beginning: Beginning
}

function assemble(parts: Parts): Store {
  const { platform, clock, scheduler, log, limits, files, database, beginning } = parts
  const { state, isNew, lostCommits } = beginning
  let { epoch } = beginning
  const slotIdOf = (signed: Uint8Array) => platform.sha256(signed) as ItemId
  const expectRoom = (bytes: number) => files.ballast.expectRoom(bytes)
  const ledger = new Ledger(database, { state, ...limits })
  const expiry = new ExpiryBook()
  const filter = new IdFilter({ database, log }, { bytes: limits.idFilterBytes, isEmpty: isNew })
  const index = new ItemIndex({ database, filter, slotIdOf })
  const rows = new TableRows({ database, ledger })
  const reclaimer = new Reclaimer({ database, ballast: files.ballast, scheduler, log })
  const commit = new GroupCommit(
    {
      database,
      scheduler,
      seal(batch) {
        expiry.seal(batch)
        for (const part of [index, rows]) part.seal()
        ledger.seal(batch)
      },
      durable() {
        files.recordCommit(ledger.sealed)
        for (const part of [index, rows, ledger]) part.durable()
      },
    },
    { bytesMax: limits.queueBytesMax },
  )
  void files.failure.then((error) => commit.fail(error))
  const freed = () => reclaimer.request()
  const shared = { commit, index, ledger, slotIdOf }
  const writer = new ItemWriter({ ...shared, expiry, tables: rows, clock, expectRoom, freed })
  const renewEpoch = (batch: WriteBatch) => {
    epoch = parts.random(epochBytes)
    putEpoch(batch, epoch)
  }
  const verifier = new Verifier({ ...shared, database, scheduler, log, tables: rows, renewEpoch })
  if (beginning.needsCheck) {
    verifier.verify().catch((error: Error) => log.warn('store-check-ended', { error }))
  }
  const tables = { rows, commit, expectRoom }
  const close = async () => {
    await Promise.all([commit.close(), verifier.stop(), filter.close(), reclaimer.close()])
    await files.close(!commit.isFailed)
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
