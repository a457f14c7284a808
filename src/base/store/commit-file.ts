/**
 * A small file beside the database that says how many commits there were. LevelDB can open with commits
 * missing and everything in it agreeing; then it is behind this file.
 *
 * Two records, written in turn, so that a torn write leaves the one before it:
 * `magic[8] | commit[8] | items[8] | sum of ids[32] | rows[8] | sum of checksums[8] | checksum[4]`
 * @see docs/protocol.md#items
 * @module
 */

import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'
import { crc32 } from 'node:zlib'
import type { Scheduler } from '../util/clock.ts'
import { AbzuError } from '../util/errors.ts'
import { readSum, writeSum, type IdSum } from './id-sum.ts'
import { readU64, writeU64 } from './row.ts'

export interface CommitRecord {
  readonly commit: number
  readonly ids: IdSum
  readonly rows: number
  readonly rowSum: number
}

export const commitFileName = 'commits'
const magic = Buffer.from('abzucmt1')
const recordBytes = 76
/** Records lie in different disk sectors. */
const recordDistance = 512
const syncEveryMs = 1000

function encodeRecord(record: CommitRecord): Buffer {
  const bytes = Buffer.alloc(recordBytes)
  bytes.set(magic)
  writeU64(bytes, record.commit, 8)
  writeU64(bytes, record.ids.count, 16)
  writeSum(record.ids, bytes, 24)
  writeU64(bytes, record.rows, 56)
  writeU64(bytes, record.rowSum, 64)
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 72)), 72)
  return bytes
}

function decodeRecord(bytes: Buffer): CommitRecord | undefined {
  if (!bytes.subarray(0, 8).equals(magic)) return undefined
  if (bytes.readUInt32BE(72) !== crc32(bytes.subarray(0, 72))) return undefined
  return {
    commit: readU64(bytes, 8),
    ids: readSum(readU64(bytes, 16), bytes, 24),
    rows: readU64(bytes, 56),
    rowSum: readU64(bytes, 64),
  }
}

export class CommitFile {
  /** What the file said when it was opened; undefined where it was missing or not readable. */
  readonly found: CommitRecord | undefined
  readonly #scheduler: Pick<Scheduler, 'after'>
  readonly #fd: number
  readonly #failure = Promise.withResolvers<AbzuError>()
  #state: 'idle' | 'due' | 'syncing' | 'closed' = 'idle'
  #isDirty = false
  #cancel: () => void = () => {}

  /** Opens or makes the file.
   *  @throws {AbzuError} ABZU_DISK_FULL, ABZU_IO */
  constructor(path: string, scheduler: Pick<Scheduler, 'after'>) {
    this.#scheduler = scheduler
    try {
      this.#fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600)
      this.found = this.#read()
    } catch (cause) {
      throw unusable(cause)
    }
  }

  /** Resolves when the file could not be made durable. */
  get failure(): Promise<AbzuError> {
    return this.#failure.promise
  }

  #read(): CommitRecord | undefined {
    const bytes = Buffer.alloc(recordDistance + recordBytes)
    readSync(this.#fd, bytes, 0, bytes.length, 0)
    const records = [0, recordDistance]
      .map((at) => decodeRecord(bytes.subarray(at, at + recordBytes)))
      .filter((record) => record !== undefined)
    return records.toSorted((a, b) => b.commit - a.commit)[0]
  }

  /** Writes the newest record; durable within a second or so.
   *  @throws {AbzuError} ABZU_DISK_FULL, ABZU_IO */
  write(record: CommitRecord): void {
    try {
      const bytes = encodeRecord(record)
      writeSync(this.#fd, bytes, 0, bytes.length, (record.commit % 2) * recordDistance)
    } catch (cause) {
      throw unusable(cause)
    }
    this.#isDirty = true
    if (this.#state === 'idle') this.#schedule()
  }

  #schedule(): void {
    this.#state = 'due'
    this.#cancel = this.#scheduler.after(syncEveryMs, () => {
      this.#state = 'syncing'
      this.#isDirty = false
      fdatasync(this.#fd, (error) => this.#synced(error))
    })
  }

  #synced(error: Error | null): void {
    if (error) this.#failure.resolve(unusable(error))
    if (this.#state === 'closed') closeSync(this.#fd)
    else if (!error) {
      this.#state = 'idle'
      if (this.#isDirty) this.#schedule()
    }
  }

  /** Makes the last record durable and closes.
   *  @throws {AbzuError} ABZU_IO */
  close(): void {
    this.#cancel()
    const isSyncing = this.#state === 'syncing'
    this.#state = 'closed'
    try {
      fdatasyncSync(this.#fd)
    } catch (cause) {
      throw unusable(cause)
    } finally {
      if (!isSyncing) closeSync(this.#fd)
    }
  }
}

function unusable(cause: unknown): AbzuError {
  const isFull = (cause as { code?: unknown }).code === 'ENOSPC'
  const code = isFull ? 'ABZU_DISK_FULL' : 'ABZU_IO'
  return new AbzuError(code, 'the commit file cannot be written', { cause })
}
