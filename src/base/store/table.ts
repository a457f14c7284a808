/** Small rows of the node that are no items, in tables with a name. @module */

import type { TableName } from './keys.ts'

export type { TableName }

export interface Row {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** One row of a write: put, or deleted where `value` is undefined. */
export interface RowChange {
  readonly table: TableName
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

export interface RangePage {
  /** Rows behind this key only. */
  readonly after?: Uint8Array
  /** Rows whose key begins so only. */
  readonly prefix?: Uint8Array
  readonly limit: number
}

/** Reads see durable rows only.
 *  Every call @throws {AbzuError} ABZU_STORE_DAMAGED where a row is not what was written. */
export interface Table {
  readonly name: TableName
  get(key: Uint8Array): Uint8Array | undefined
  /** Resolves after fsync.
   *  @throws {AbzuError} ABZU_DISK_FULL, ABZU_STORE_FAILED, ABZU_OVERLOADED, ABZU_CLOSED */
  put(key: Uint8Array, value: Uint8Array): Promise<void>
  /** Resolves after fsync; a missing row is no error.
   *  @throws {AbzuError} as put */
  delete(key: Uint8Array): Promise<void>
  /** Rows in the order of their keys, `limit` at most. */
  range(page: RangePage): AsyncIterable<Row>
}
