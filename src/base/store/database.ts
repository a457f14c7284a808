/**
 * What the store needs of an ordered key-value database. One implementation is LevelDB, one lies in
 * memory; a test or a benchmark wraps either (`StoreInit.decorate`).
 * @module
 */

import type { KeyRange } from './keys.ts'

/** Rows to be written as one. Keys and values are copied as they are added. */
export interface WriteBatch {
  /** Keys and values added so far. */
  readonly bytes: number
  readonly length: number
  put(key: Uint8Array, value: Uint8Array): void
  delete(key: Uint8Array): void
}

/** A state of the whole database that later writes do not change. */
export interface Snapshot {
  close(): Promise<void>
}

export interface PageOptions {
  readonly limit: number
  /** Only rows behind this key. */
  readonly after?: Uint8Array | undefined
  readonly snapshot?: Snapshot | undefined
  /** The values are left out, empty. */
  readonly keysOnly?: boolean
  /** From the end of the range backwards. */
  readonly reverse?: boolean
}

export type DatabaseRow = readonly [key: Uint8Array, value: Uint8Array]

/** Every read @throws {AbzuError} ABZU_STORE_DAMAGED where the database cannot be read. */
export interface Database {
  getSync(key: Uint8Array): Uint8Array | undefined
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  /** One value a key, in order. */
  getMany(keys: readonly Uint8Array[], snapshot: Snapshot): Promise<(Uint8Array | undefined)[]>
  /** The first `limit` rows of a range, in the order of their keys. A damaged file is never passed over. */
  page(range: KeyRange, options: PageOptions): Promise<DatabaseRow[]>
  batch(): WriteBatch
  /** Writes a batch of this database, all or none, and resolves after fsync.
   *  @throws {AbzuError} ABZU_DISK_FULL, ABZU_STORE_FAILED */
  write(batch: WriteBatch): Promise<void>
  snapshot(): Snapshot
  /** Rewrites the files of a range without what was replaced or deleted. */
  compact(range: KeyRange): Promise<void>
  close(): Promise<void>
}
