import { asBuffer } from '../../src/base/store/row.ts'
import { keyText, type KeyRange } from '../../src/base/store/keys.ts'
import type { DatabaseRow, PageOptions } from '../../src/base/store/database.ts'

/** A change of one row, to undefined where it goes. */
export type RowChange = readonly [key: string, value: Uint8Array | undefined]

/** Rows in the order of their keys, which are texts of one character a byte. No value is changed in place. */
export class SimRows {
  readonly #values: Map<string, Uint8Array>
  readonly #keys: string[]

  constructor(from?: SimRows) {
    this.#values = new Map(from ? from.#values : [])
    this.#keys = from ? [...from.#keys] : []
  }

  get size(): number {
    return this.#keys.length
  }

  get(key: string): Uint8Array | undefined {
    return this.#values.get(key)
  }

  /** The key of the row at a place in the order. */
  keyAt(place: number): string {
    return this.#keys[place] as string
  }

  /** Makes the changes, and returns those that undo them. */
  apply(changes: readonly RowChange[]): RowChange[] {
    const undo: RowChange[] = []
    for (const [key, value] of changes) {
      undo.unshift([key, this.#values.get(key)])
      this.#set(key, value)
    }
    return undo
  }

  page(range: KeyRange, { limit, after, keysOnly, reverse = false }: PageOptions): DatabaseRow[] {
    const first = this.#place(keyText(range.gte))
    const end = this.#place(keyText(range.lt))
    const rows: DatabaseRow[] = []
    let at = reverse ? end - 1 : first
    if (after) {
      const place = this.#place(keyText(after))
      if (reverse) at = Math.min(at, place - 1)
      else at = Math.max(at, this.#keys[place] === keyText(after) ? place + 1 : place)
    }
    for (; rows.length < limit && at >= first && at < end; at += reverse ? -1 : 1) {
      const key = this.#keys[at] as string
      const value = keysOnly ? new Uint8Array() : (this.#values.get(key) as Uint8Array)
      rows.push([asBuffer(Buffer.from(key, 'latin1')), value])
    }
    return rows
  }

  #set(key: string, value: Uint8Array | undefined): void {
    const isThere = this.#values.has(key)
    if (value) this.#values.set(key, value)
    else this.#values.delete(key)
    if (isThere && !value) this.#keys.splice(this.#place(key), 1)
    if (!isThere && value) this.#keys.splice(this.#place(key), 0, key)
  }

  /** Of the first key that is not before `key`. */
  #place(key: string): number {
    let [low, high] = [0, this.#keys.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#keys[middle] as string) < key) low = middle + 1
      else high = middle
    }
    return low
  }
}
