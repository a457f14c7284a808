/** Opens and closes the files of a store, in the one order that keeps them safe. @module */

import { join } from 'node:path'
import type { Clock, Scheduler } from '../util/clock.ts'
import type { AbzuError } from '../util/errors.ts'
import type { Log } from '../util/log.ts'
import { Ballast } from './ballast.ts'
import { takeCloseMark, writeCloseMark } from './close-mark.ts'
import { CommitFile, commitFileName, type CommitRecord } from './commit-file.ts'
import type { Database } from './database.ts'
import { openLevel, openMemory } from './level-database.ts'
import { preparePrivateDirectory, syncDirectory } from './private-directory.ts'
import { SegmentFiles } from './segment-files.ts'
import { memorySegments } from './segment-memory.ts'
import type { Segments } from './segments.ts'
import type { StoreLimits } from './store-limits.ts'

export interface StoreFilesDeps {
  readonly random: (length: number) => Uint8Array
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly log: Log
}

export interface StoreFiles {
  readonly database: Database
  readonly segments: Segments
  /** It was closed in good order, and no file has changed since. */
  readonly wasClosed: boolean
  /** What the commit file said; undefined where it said nothing. */
  readonly lastCommit: CommitRecord | undefined
  /** Resolves when a file beside the database could not be made durable. */
  readonly failure: Promise<AbzuError>
  readonly ballast: Pick<Ballast, 'isTight' | 'expectFree' | 'expectRoom'>
  /** @throws {AbzuError} ABZU_DISK_FULL, ABZU_IO */
  recordCommit(record: CommitRecord): void
  /** Closes everything. In good order means that nothing has failed. */
  close(inGoodOrder: boolean): Promise<void>
}

/** @throws {AbzuError} those of openStore */
export async function openFiles(
  dir: string,
  limits: StoreLimits,
  deps: StoreFilesDeps,
): Promise<StoreFiles> {
  const { scheduler, log } = deps
  await preparePrivateDirectory(dir)
  const mark = await takeCloseMark(dir)
  if (mark.changed.length > 0) {
    log.error('store-changed-while-closed', { files: mark.changed.join(' ') })
  }
  const ballast = new Ballast(deps, { dir, limits })
  await ballast.releaseIfNeeded()
  const database = await openLevel({ dir, ...limits })
  let commitFile: CommitFile | undefined
  try {
    await syncDirectory(dir)
    commitFile = new CommitFile(join(dir, commitFileName), scheduler)
    await ballast.restore()
  } catch (error) {
    commitFile?.close()
    await database.close()
    throw error
  }
  const segments = new SegmentFiles(dir)
  return {
    database,
    segments,
    wasClosed: mark.wasClosed && mark.changed.length === 0,
    lastCommit: commitFile.found,
    failure: commitFile.failure,
    ballast,
    recordCommit: (record) => commitFile.write(record),
    async close(inGoodOrder) {
      await ballast.close()
      try {
        commitFile.close()
      } finally {
        try {
          await segments.close()
        } finally {
          await database.close()
        }
      }
      if (!inGoodOrder) return
      try {
        await writeCloseMark(dir)
      } catch (error) {
        log.warn('close-mark-missing', { error: error as Error })
      }
    },
  }
}

/** The same without files. */
export async function openWithoutFiles(): Promise<StoreFiles> {
  const database = await openMemory()
  return {
    database,
    segments: memorySegments(),
    wasClosed: true,
    lastCommit: undefined,
    failure: new Promise(() => {}),
    ballast: { isTight: false, expectFree() {}, expectRoom() {} },
    recordCommit() {},
    close: async () => database.close(),
  }
}
