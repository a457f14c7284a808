import type { Log } from '../util/log.ts'
import type { Database } from './database.ts'
import { family, idPrefixOf, rangeOf } from './keys.ts'

export interface IdFilterDeps {
  readonly database: Pick<Database, 'page'>
  readonly log: Log
}

const keysPerPage = 512

/**
 * Knows for most ids that are not here that they are not, without asking the database: a Bloom filter.
 * Asking costs more than it seems: LevelDB merges tables that were searched in vain too often.
 *
 * Ids are hashes, so their own bytes serve as the positions. Whoever grinds ids until they collide gains
 * a lookup.
 */
export class IdFilter {
  readonly #deps: IdFilterDeps
  readonly #bits: Uint32Array
  readonly #mask: number
  #state: 'filling' | 'complete' | 'closed' = 'filling'
  #filling: Promise<void> | undefined

  /** `bytes` is a power of two. */
  constructor(deps: IdFilterDeps, { bytes, isEmpty }: { bytes: number; isEmpty: boolean }) {
    this.#deps = deps
    this.#bits = new Uint32Array(bytes / 4)
    this.#mask = bytes * 8 - 1
    if (isEmpty) this.#state = 'complete'
    else this.#filling = this.#fill()
  }

  /** False where no item's id begins with these 16 bytes. */
  mayHave(idPrefix: Uint8Array): boolean {
    if (this.#state !== 'complete') return true
    for (let probe = 0; probe < 4; probe++) {
      const at = this.#position(idPrefix, probe)
      if (((this.#bits[at >>> 5] as number) & (1 << (at & 31))) === 0) return false
    }
    return true
  }

  add(idPrefix: Uint8Array): void {
    for (let probe = 0; probe < 4; probe++) {
      const at = this.#position(idPrefix, probe)
      this.#bits[at >>> 5] = (this.#bits[at >>> 5] as number) | (1 << (at & 31))
    }
  }

  async close(): Promise<void> {
    this.#state = 'closed'
    await this.#filling
  }

  #position(id: Uint8Array, probe: number): number {
    const at = 4 * probe
    const word =
      ((id[at] as number) << 24) |
      ((id[at + 1] as number) << 16) |
      ((id[at + 2] as number) << 8) |
      (id[at + 3] as number)
    return (word & this.#mask) >>> 0
  }

  /** What is stored meanwhile is added by whoever stores it. */
  async #fill(): Promise<void> {
    const { database, log } = this.#deps
    try {
      let after: Uint8Array | undefined
      while (this.#state === 'filling') {
        const range = rangeOf(family.index)
        const rows = await database.page(range, { limit: keysPerPage, after, keysOnly: true })
        for (const [key] of rows) this.add(idPrefixOf(key))
        after = rows.at(-1)?.[0]
        if (rows.length < keysPerPage) break
      }
      if (this.#state === 'filling') this.#state = 'complete'
    } catch (error) {
      log.warn('id-filter-incomplete', { error: error as Error })
    }
  }
}
