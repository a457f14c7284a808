import { isAbzuError } from '../util/errors.ts'
import type { Database, WriteBatch } from './database.ts'
import { keyText } from './keys.ts'

/** How the rows of one family are read and written. */
export interface RowForm<T> {
  empty(): T
  /** @throws {AbzuError} ABZU_STORE_DAMAGED */
  decode(key: Uint8Array, value: Uint8Array): T
  /** The sealed value; undefined where the row is not needed. */
  encode(key: Uint8Array, row: T): Uint8Array | undefined
}

/** A row held in memory, perhaps newer than its bytes on the disk. */
export interface CachedRow<T> {
  readonly key: Uint8Array
  /** Changed in place, by whoever then calls `changed`. */
  readonly value: T
  /** The last commit that writes it; -1 where none does. */
  commit: number
}

/**
 * Rows that many writes change, such as a count: changed in memory, written once a batch. What is
 * cached runs ahead of the database; rows that no unfinished commit writes are dropped when there are
 * too many.
 */
export class CachedRows<T> {
  readonly #database: Pick<Database, 'getSync'>
  readonly #form: RowForm<T>
  /** What nobody changes. */
  readonly #nothing: T
  readonly #rowsMax: number
  /** Least recently used first. */
  readonly #rows = new Map<string, CachedRow<T>>()
  #changed: CachedRow<T>[] = []
  #openCommit = 0
  #durableCommit = -1

  constructor(database: Pick<Database, 'getSync'>, form: RowForm<T>, rowsMax: number) {
    this.#database = database
    this.#form = form
    this.#nothing = form.empty()
    this.#rowsMax = rowsMax
  }

  /** The row, to be changed before control returns to the event loop.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  open(key: Uint8Array): CachedRow<T> {
    const text = keyText(key)
    const cached = this.#rows.get(text)
    if (cached) return cached
    const row = { key: ownBytes(key), value: this.#read(key), commit: -1 }
    this.#rows.set(text, row)
    return row
  }

  /** The row, or where it cannot be read a new one that begins from nothing. */
  recover(key: Uint8Array): CachedRow<T> {
    try {
      return this.open(key)
    } catch (error) {
      if (!isAbzuError(error, 'ABZU_STORE_DAMAGED')) throw error
      const row = { key: ownBytes(key), value: this.#form.empty(), commit: -1 }
      this.#rows.set(keyText(key), row)
      return row
    }
  }

  /** The row's value as it is now, to be read only.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  peek(key: Uint8Array): T {
    return this.#rows.get(keyText(key))?.value ?? this.#stored(key) ?? this.#nothing
  }

  /** Lets `correct` change the row; puts `whole` in its place where it cannot be read. */
  correct(key: Uint8Array, whole: T, correct: (value: T) => void): void {
    try {
      const row = this.open(key)
      correct(row.value)
      this.changed(row)
    } catch (error) {
      if (!isAbzuError(error, 'ABZU_STORE_DAMAGED')) throw error
      const row = { key: ownBytes(key), value: whole, commit: -1 }
      this.#rows.set(keyText(key), row)
      this.changed(row)
    }
  }

  #read(key: Uint8Array): T {
    return this.#stored(key) ?? this.#form.empty()
  }

  #stored(key: Uint8Array): T | undefined {
    const value = this.#database.getSync(key)
    return value && this.#form.decode(key, value)
  }

  /** States that the open commit writes this row. */
  changed(row: CachedRow<T>): void {
    if (row.commit === this.#openCommit) return
    row.commit = this.#openCommit
    this.#changed.push(row)
  }

  /** Adds what changed to the commit's batch; later changes belong to the next one. */
  seal(batch: WriteBatch): void {
    for (const { key, value } of this.#changed) {
      const sealed = this.#form.encode(key, value)
      if (sealed) batch.put(key, sealed)
      else batch.delete(key)
    }
    this.#changed = []
    this.#openCommit++
  }

  /** The commit that was sealed last is durable. */
  durable(): void {
    this.#durableCommit = this.#openCommit - 1
    this.#forget(this.#rows.size - this.#rowsMax)
  }

  /** Makes the database, and not the cache, say what no unfinished commit writes. */
  refresh(): void {
    this.#forget(this.#rows.size)
  }

  #forget(rowsMax: number): void {
    let left = rowsMax
    if (left <= 0) return
    for (const [text, row] of this.#rows) {
      if (row.commit > this.#durableCommit) continue
      this.#rows.delete(text)
      if (--left === 0) return
    }
  }
}

/** A small Buffer is a view of a slab of 64 KiB, all of which it would keep for as long as the row is cached. */
function ownBytes(key: Uint8Array): Uint8Array {
  return new Uint8Array(key)
}
