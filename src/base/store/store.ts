/**
 * The one database of a node: items, tables, and the promise that what resolved is on the disk.
 * @module
 */

import type { CryptoPlatform } from '../crypto/platform.ts'
import type { ItemId } from '../util/brand.ts'
import type { Clock, Scheduler } from '../util/clock.ts'
import type { AbzuError } from '../util/errors.ts'
import type { Log } from '../util/log.ts'
import type { Database } from './database.ts'
import { ExpiryBook } from './expiry-book.ts'
import { GroupCommit } from './group-commit.ts'
import { ItemIndex } from './item-index.ts'
import type { ItemStore } from './item-store.ts'
import { ItemWriter } from './item-writer.ts'
import { Items } from './items.ts'
import { Ledger } from './ledger.ts'
import { openLevel, openMemory } from './level-database.ts'
import { decodeState, emptyState, stateKey } from './state-row.ts'
import type { RowChange, Table, TableName } from './table.ts'
import { commitRows, StoredTable, TableRows } from './table-rows.ts'

export interface StoreInit {
  /** Directory of the store's files, made with mode 0700 where it is missing; undefined = in memory. */
  readonly dir: string | undefined
  readonly platform: Pick<CryptoPlatform, 'sha256' | 'random'>
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly log: Log
  /** Wraps the database, for a test or a benchmark. */
  readonly decorate?: (database: Database) => Database
}

/** What opening found. */
export interface OpenReport {
  /** The store was made just now. */
  readonly isNew: boolean
  /** It was closed in good order the last time; where it was not, a full check runs. */
  readonly wasClosed: boolean
  /** Commits that were durable once and are gone. */
  readonly lostCommits: number
}

/** What a check of every row found, and mended as far as it can be. */
export interface VerifyReport {
  readonly items: number
  readonly rows: number
  /** Rows that are not what was written, and were taken out. */
  readonly damaged: number
  /** Items that were counted and are not there any more. */
  readonly lost: number
  /** Nothing was wrong. */
  readonly isSound: boolean
}

export interface Store {
  readonly items: ItemStore
  table(name: TableName): Table
  /** Writes rows of several tables as one unit. Resolves after fsync. */
  commit(rows: readonly RowChange[]): Promise<void>
  /** 16 random bytes: new with a new database, and when this one has lost something. */
  readonly epoch: Uint8Array
  readonly report: OpenReport
  /** Resolves when a write has failed: nothing is accepted any more until the store is opened again. */
  readonly failure: Promise<AbzuError>
  /** Checks every row, in slices. */
  verify(): Promise<VerifyReport>
  /** Resolves when what was queued is durable and the files are closed. */
  close(): Promise<void>
}

/** @throws {AbzuError} ABZU_HOME_IN_USE, ABZU_STORE_NEWER, ABZU_STORE_DAMAGED, ABZU_DISK_FULL,
 *  ABZU_INSECURE_MODE, ABZU_IO */
export async function openStore(init: StoreInit): Promise<Store> {
  const { dir, platform, clock, scheduler, log, decorate = (database) => database } = init
  const database = decorate(
    dir === undefined
      ? await openMemory()
      : await openLevel({ dir, writeBufferBytes: 16 * 1024 * 1024 }),
  )
  const stored = database.getSync(stateKey)
  const state = stored ? decodeState(stored) : emptyState()
  const slotIdOf = (signed: Uint8Array) => platform.sha256(signed) as ItemId
  const ledger = new Ledger(database, { state, mailboxesMax: 1024, bucketsMax: 16_384 })
  const expiry = new ExpiryBook()
  const index = new ItemIndex({ database, slotIdOf })
  const tables = new TableRows({ database, ledger })
  const commit = new GroupCommit(
    {
      database,
      scheduler,
      seal(batch) {
        expiry.seal(batch)
        index.seal()
        tables.seal()
        ledger.seal(batch)
      },
      durable() {
        index.durable()
        tables.durable()
        ledger.durable()
      },
    },
    { bytesMax: 32 * 1024 * 1024 },
  )
  const writer = new ItemWriter({ commit, index, ledger, expiry, tables, slotIdOf, clock })
  return {
    items: new Items({ database, index, ledger, writer, slotIdOf, log }),
    table: (name) => new StoredTable({ rows: tables, commit }, name),
    commit: async (rows) => commitRows({ rows: tables, commit }, rows),
    epoch: platform.random(16),
    report: { isNew: !stored, wasClosed: true, lostCommits: 0 },
    failure: commit.failure,
    verify: async () => ({ items: 0, rows: 0, damaged: 0, lost: 0, isSound: true }),
    async close() {
      await commit.close()
      await database.close()
    },
  }
}
