/** The rows below a store, to be damaged. @module */

import type { Database, DatabaseRow } from '../../src/base/store/database.ts'
import type { Segments } from '../../src/base/store/segments.ts'
import type { Store, StoreInit, StoreMedia } from '../../src/base/store/store.ts'
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

/** What lies in segments. */
export class RawBodies {
  readonly #segments: Segments

  constructor(segments: Segments) {
    this.#segments = segments
  }

  /** Numbers of the segments that are there. */
  async numbers(): Promise<number[]> {
    return [...(await this.#segments.sizes()).keys()].toSorted((a, b) => a - b)
  }

  async bytes(segment: number): Promise<Buffer> {
    const size = (await this.#segments.sizes()).get(segment) ?? 0
    return Buffer.from((await this.#segments.read({ segment, offset: 0 }, size)) ?? [])
  }

  /** Where in its segment these bytes lie. */
  async find(content: Uint8Array): Promise<{ segment: number; offset: number }> {
    for (const segment of await this.numbers()) {
      const offset = (await this.bytes(segment)).indexOf(content)
      if (offset >= 0) return { segment, offset }
    }
    throw new Error('these bytes lie in no segment')
  }

  /** Flips one bit. */
  async flip({ segment, offset }: { segment: number; offset: number }): Promise<void> {
    const bytes = await this.bytes(segment)
    bytes[offset] = (bytes[offset] as number) ^ 1
    await this.#segments.append({ segment, offset: 0 }, [bytes])
  }

  async remove(segment: number): Promise<void> {
    await this.#segments.remove(segment)
  }
}

/** A store, and the rows and bodies below it. */
export async function openRawStore(
  init: Partial<StoreInit> = {},
): Promise<{ store: Store; raw: RawRows; bodies: RawBodies }> {
  let raw: RawRows | undefined
  let segments: Segments | undefined
  const decorate = (given: StoreMedia) => {
    const media = init.decorate?.(given) ?? given
    raw = new RawRows(media.database)
    segments = media.segments
    return media
  }
  const store = await openTestStore({ dir: undefined, ...init, decorate })
  return {
    store,
    raw: raw as unknown as RawRows,
    bodies: new RawBodies(segments as unknown as Segments),
  }
}
