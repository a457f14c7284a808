/** LevelDB and its in-memory sibling as a `Database`. The one place that knows abstract-level. @module */

import { realpathSync } from 'node:fs'
import type { AbstractLevel, AbstractChainedBatch, AbstractSnapshot } from 'abstract-level'
import { ClassicLevel } from 'classic-level'
import { MemoryLevel } from 'memory-level'
import { AbzuError } from '../util/errors.ts'
import type { Database, Snapshot, WriteBatch } from './database.ts'

type Level = AbstractLevel<string | Buffer | Uint8Array, Uint8Array, Uint8Array>

/** Where LevelDB and memory differ: durability, files, and who owns the bytes of a batch. */
interface Medium {
  readonly writeOptions: object
  readonly copy: (bytes: Uint8Array) => Uint8Array
  readonly compact: Database['compact']
  readonly close: Database['close']
}

class LevelBatch implements WriteBatch {
  readonly chained: AbstractChainedBatch<Level, Uint8Array, Uint8Array>
  readonly #copy: Medium['copy']
  #bytes = 0

  constructor(level: Level, copy: Medium['copy']) {
    this.chained = level.batch()
    this.#copy = copy
  }

  get bytes(): number {
    return this.#bytes
  }

  get length(): number {
    return this.chained.length
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.chained.put(key, this.#copy(value))
    this.#bytes += key.length + value.length
  }

  delete(key: Uint8Array): void {
    this.chained.del(key)
    this.#bytes += key.length
  }
}

class LevelSnapshot implements Snapshot {
  readonly inner: AbstractSnapshot

  constructor(inner: AbstractSnapshot) {
    this.inner = inner
  }

  async close(): Promise<void> {
    await this.inner.close()
  }
}

/** strerror(ENOSPC) and strerror(EDQUOT) in the C locale: LevelDB passes on no number. */
const noSpace = /No space left on device|Disk quota exceeded/

/** Whether the disk was full, as far as the messages of an error and its causes tell. */
function isNoSpace(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (noSpace.test(cause.message)) return true
  }
  return false
}

function unreadable(cause: unknown): AbzuError {
  if (codeOf(cause) === 'LEVEL_DATABASE_NOT_OPEN') {
    return new AbzuError('ABZU_CLOSED', 'the store is closed', { cause })
  }
  return new AbzuError('ABZU_STORE_DAMAGED', 'the database cannot be read', { cause })
}

function unwritable(cause: unknown): AbzuError {
  if (isNoSpace(cause)) return new AbzuError('ABZU_DISK_FULL', 'the disk is full', { cause })
  return new AbzuError('ABZU_STORE_FAILED', 'a write did not become durable', { cause })
}

/** The code of the innermost error that has one. */
function codeOf(error: unknown): string | undefined {
  let code: string | undefined
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const own = (cause as { code?: unknown }).code
    if (typeof own === 'string') code = own
  }
  return code
}

const snapshotOption = (snapshot: Snapshot | undefined) =>
  snapshot instanceof LevelSnapshot ? { snapshot: snapshot.inner } : {}

function databaseOf(level: Level, { writeOptions, copy, compact, close }: Medium): Database {
  return {
    getSync(key) {
      try {
        return level.getSync(key)
      } catch (error) {
        throw unreadable(error)
      }
    },
    async get(key) {
      try {
        return await level.get(key)
      } catch (error) {
        throw unreadable(error)
      }
    },
    async getMany(keys, snapshot) {
      try {
        return await level.getMany([...keys], snapshotOption(snapshot))
      } catch (error) {
        throw unreadable(error)
      }
    },
    async page(range, { limit, after, snapshot, keysOnly = false, reverse = false }) {
      // Read to the end of its limit: LevelDB tells of a damaged block only there.
      const iterator = level.iterator({
        ...(after ? { gt: after } : { gte: range.gte }),
        lt: range.lt,
        limit,
        values: !keysOnly,
        reverse,
        ...snapshotOption(snapshot),
      })
      try {
        const rows = await iterator.all()
        return keysOnly ? rows.map(([key]) => [key, new Uint8Array()]) : rows
      } catch (error) {
        throw unreadable(error)
      }
    },
    batch: () => new LevelBatch(level, copy),
    async write(batch) {
      if (!(batch instanceof LevelBatch)) throw new TypeError('not a batch of this database')
      try {
        await batch.chained.write(writeOptions)
      } catch (error) {
        throw unwritable(error)
      }
    },
    snapshot: () => new LevelSnapshot(level.snapshot()),
    compact,
    close,
  }
}

const encodings = { keyEncoding: 'view', valueEncoding: 'view' } as const

export interface LevelInit {
  readonly dir: string
  /** Rows in memory and in the log before LevelDB writes a file of them. */
  readonly writeBufferBytes: number
}

/** Directories that this process has open. A fact about the process, as the lock of a file is: LevelDB
 *  asked a second time opens and closes its lock file, and with that the kernel drops the lock. */
const openHere = new Set<string>()

/** Opens, or creates, the LevelDB in `dir`, which is there.
 *  @throws {AbzuError} ABZU_HOME_IN_USE, ABZU_DISK_FULL, ABZU_STORE_DAMAGED, ABZU_IO */
export async function openLevel({ dir, writeBufferBytes }: LevelInit): Promise<Database> {
  const path = realpathSync(dir)
  if (openHere.has(path)) {
    throw new AbzuError('ABZU_HOME_IN_USE', 'this process has the store open already')
  }
  openHere.add(path)
  const level = new ClassicLevel<Uint8Array, Uint8Array>(dir, {
    ...encodings,
    compression: false,
    writeBufferSize: writeBufferBytes,
  })
  try {
    await level.open()
  } catch (error) {
    openHere.delete(path)
    throw unopenable(error)
  }
  return databaseOf(level, {
    writeOptions: { sync: true },
    copy: (bytes) => bytes,
    compact: async (range) => level.compactRange(range.gte, range.lt),
    async close() {
      await level.close()
      openHere.delete(path)
    },
  })
}

function unopenable(cause: unknown): AbzuError {
  const code = codeOf(cause)
  if (code === 'LEVEL_LOCKED') {
    return new AbzuError('ABZU_HOME_IN_USE', 'another process has this store open', { cause })
  }
  if (isNoSpace(cause)) return new AbzuError('ABZU_DISK_FULL', 'the disk is full', { cause })
  if (code === 'LEVEL_IO_ERROR') {
    return new AbzuError('ABZU_IO', 'the files of the store cannot be used', { cause })
  }
  return new AbzuError('ABZU_STORE_DAMAGED', 'LevelDB refuses its files', { cause })
}

/** A database that lies in memory and is gone with the process. */
export async function openMemory(): Promise<Database> {
  const level = new MemoryLevel<Uint8Array, Uint8Array>({ ...encodings, storeEncoding: 'view' })
  await level.open()
  return databaseOf(level, {
    writeOptions: {},
    copy: (bytes) => Uint8Array.from(bytes),
    compact: async () => {},
    close: async () => level.close(),
  })
}
