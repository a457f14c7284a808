import type { Database, WriteBatch } from './database.ts'
import type { GroupCommit } from './group-commit.ts'
import { keyAfter, keyInTable, keyText, tableKey, type TableName } from './keys.ts'
import type { Ledger } from './ledger.ts'
import { Pending } from './pending.ts'
import { checksumBytes, checksumOf, newValue, seal, unseal } from './row.ts'
import type { RangePage, Row, RowChange, Table } from './table.ts'

export interface TableRowsDeps {
  readonly database: Database
  readonly ledger: Pick<Ledger, 'countRow'>
}

/** A change that can no longer fail. */
export interface PreparedRow {
  readonly key: Uint8Array
  readonly text: string
  readonly value: Buffer | undefined
  /** Checksum of the row in the database; null = no row. */
  readonly stored: number | null
}

const rowsPerPage = 256

/** The rows of all tables, and what is queued of them. */
export class TableRows {
  readonly #deps: TableRowsDeps
  /** Checksum of each queued row; null = deleted. */
  readonly #pending = new Pending<number | null>()

  constructor(deps: TableRowsDeps) {
    this.#deps = deps
  }

  /** Reads what writing `changes` will replace.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  prepare(changes: readonly RowChange[]): PreparedRow[] {
    return changes.map((change) => {
      const key = tableKey(change.table, change.key)
      const value = change.value && newValue(change.value.length)
      if (value && change.value) {
        value.set(change.value, checksumBytes)
        seal(key, value)
      }
      return { key, text: keyText(key), value, stored: this.#stored(key) }
    })
  }

  /** The removal of rows, known by their whole keys, that are not queued to be written anew.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  prepareRemoval(keys: readonly Uint8Array[]): PreparedRow[] {
    return keys
      .map((key) => ({ key, text: keyText(key), value: undefined, stored: this.#stored(key) }))
      .filter(({ text }) => this.#pending.get(text) === undefined)
  }

  #stored(key: Uint8Array): number | null {
    const value = this.#deps.database.getSync(key)
    return value && value.length >= checksumBytes ? checksumOf(value) : null
  }

  write(batch: Pick<WriteBatch, 'put' | 'delete'>, rows: readonly PreparedRow[]): void {
    for (const { key, text, value, stored } of rows) {
      const queued = this.#pending.get(text)
      const after = value ? checksumOf(value) : null
      this.#deps.ledger.countRow(queued === undefined ? stored : queued, after)
      this.#pending.set(text, after)
      if (value) batch.put(key, value)
      else batch.delete(key)
    }
  }

  /** The value of a durable row. */
  get(table: TableName, rowKey: Uint8Array): Uint8Array | undefined {
    const key = tableKey(table, rowKey)
    const value = this.#deps.database.getSync(key)
    return value && unseal(key, value)
  }

  async *range(table: TableName, { after, prefix, limit }: RangePage): AsyncIterable<Row> {
    const gte = tableKey(table, prefix ?? new Uint8Array())
    const range = { gte, lt: keyAfter(gte) }
    let from = after && tableKey(table, after)
    if (from && Buffer.compare(from, gte) < 0) from = undefined
    for (let left = limit; left > 0;) {
      const page = await this.#deps.database.page(range, {
        limit: Math.min(left, rowsPerPage),
        after: from,
      })
      for (const [key, value] of page) yield { key: keyInTable(key), value: unseal(key, value) }
      if (page.length < Math.min(left, rowsPerPage)) return
      left -= page.length
      from = page.at(-1)?.[0]
    }
  }

  seal(): void {
    this.#pending.seal()
  }

  durable(): void {
    this.#pending.durable()
  }
}

export interface StoredTableDeps {
  readonly rows: TableRows
  readonly commit: Pick<GroupCommit, 'expectReady' | 'queue'>
  /** @throws {AbzuError} ABZU_DISK_FULL where there is no room for so many bytes */
  readonly expectRoom: (bytes: number) => void
}

/** One table of small rows; a write is a commit of its own. */
export class StoredTable implements Table {
  readonly name: TableName
  readonly #deps: StoredTableDeps

  constructor(deps: StoredTableDeps, name: TableName) {
    this.#deps = deps
    this.name = name
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#deps.rows.get(this.name, key)
  }

  async put(key: Uint8Array, value: Uint8Array): Promise<void> {
    await commitRows(this.#deps, [{ table: this.name, key, value }])
  }

  async delete(key: Uint8Array): Promise<void> {
    await commitRows(this.#deps, [{ table: this.name, key, value: undefined }])
  }

  range(page: RangePage): AsyncIterable<Row> {
    return this.#deps.rows.range(this.name, page)
  }
}

/** Writes rows as one unit. Resolves after fsync. */
export async function commitRows(
  { rows, commit, expectRoom }: StoredTableDeps,
  changes: readonly RowChange[],
): Promise<void> {
  commit.expectReady()
  expectRoom(changes.reduce((bytes, { value }) => bytes + (value?.length ?? 0), 0))
  if (changes.length === 0) return
  const prepared = rows.prepare(changes)
  await commit.queue((unit) => rows.write(unit, prepared))
}
