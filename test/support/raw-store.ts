/** The rows below a store, to be damaged. @module */

import type { Database, DatabaseRow } from '../../src/base/store/database.ts'
import type { Store, StoreInit } from '../../src/base/store/store.ts'
import { openTestStore } from './store-content.ts'

const everything = { gte: new Uint8Array([0]), lt: new Uint8Array([0xff, 0xff]) }

export class RawRows {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** The rows whose key begins with this byte. */
  async family(first: number): Promise<DatabaseRow[]> {
    const rows = await this.#database.page(everything, { limit: 100_000 })
    return rows.filter(([key]) => key[0] === first)
  }

  /** The only row of a family, or the one at `place`. */
  async row(first: number, place = 0): Promise<DatabaseRow> {
    const row = (await this.family(first))[place]
    if (!row) throw new Error(`no row ${place} in family ${first}`)
    return row
  }

  async put(key: Uint8Array, value: Uint8Array): Promise<void> {
    const batch = this.#database.batch()
    batch.put(key, value)
    await this.#database.write(batch)
  }

  async delete(key: Uint8Array): Promise<void> {
    const batch = this.#database.batch()
    batch.delete(key)
    await this.#database.write(batch)
  }

  /** Flips one bit of the row's value. */
  async flip([key, value]: DatabaseRow, at = value.length - 1): Promise<void> {
    const flipped = Uint8Array.from(value)
    flipped[at] = (flipped[at] as number) ^ 1
    await this.put(key, flipped)
  }
}

/** A store and the rows below it. */
export async function openRawStore(
  init: Partial<StoreInit> = {},
): Promise<{ store: Store; raw: RawRows }> {
  let raw: RawRows | undefined
  const decorate = (database: Database) => {
    raw = new RawRows(database)
    return database
  }
  const store = await openTestStore({ dir: undefined, ...init, decorate })
  return { store, raw: raw as unknown as RawRows }
}
