import { BloomFilter } from '../util/bloom-filter.ts'
import type { Log } from '../util/log.ts'
import type { Database } from './database.ts'
import { family, idPrefixOf, mailboxOf, rangeOf } from './keys.ts'

export interface IdFilterDeps {
  readonly database: Pick<Database, 'page'>
  readonly log: Log
}

const keysPerPage = 512

/**
 * Knows for most ids that are not here that they are not, without asking the database. Asking costs more
 * than it seems: LevelDB merges tables that were searched in vain too often.
 */
export class IdFilter {
  readonly #deps: IdFilterDeps
  readonly #filter: BloomFilter
  #state: 'filling' | 'complete' | 'closed' = 'filling'
  #filling: Promise<void> | undefined

  /** `bytes` is a power of two. */
  constructor(deps: IdFilterDeps, { bytes, isEmpty }: { bytes: number; isEmpty: boolean }) {
    this.#deps = deps
    this.#filter = new BloomFilter(bytes)
    if (isEmpty) this.#state = 'complete'
    else this.#filling = this.#fill()
  }

  /** False where no item has this index key. */
  mayHave(key: Uint8Array): boolean {
    return this.#state !== 'complete' || this.#filter.mayHave(mailboxOf(key), idPrefixOf(key))
  }

  add(key: Uint8Array): void {
    this.#filter.add(mailboxOf(key), idPrefixOf(key))
  }

  async close(): Promise<void> {
    this.#state = 'closed'
    await this.#filling
  }

  /** What is stored meanwhile is added by whoever stores it. */
  async #fill(): Promise<void> {
    const { database, log } = this.#deps
    try {
      let after: Uint8Array | undefined
      while (this.#state === 'filling') {
        const range = rangeOf(family.index)
        const rows = await database.page(range, { limit: keysPerPage, after, keysOnly: true })
        for (const [key] of rows) this.add(key)
        after = rows.at(-1)?.[0]
        if (rows.length < keysPerPage) break
      }
      if (this.#state === 'filling') this.#state = 'complete'
    } catch (error) {
      log.warn('id-filter-incomplete', { error: error as Error })
    }
  }
}
