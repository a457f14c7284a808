import type { Scheduler } from '../util/clock.ts'
import type { Log } from '../util/log.ts'
import type { Ballast } from './ballast.ts'
import type { Database } from './database.ts'

export interface ReclaimerDeps {
  readonly database: Pick<Database, 'compact'>
  readonly ballast: Pick<Ballast, 'isTight'>
  readonly scheduler: Pick<Scheduler, 'after'>
  readonly log: Log
}

const waitMs = 1000
const everything = { gte: new Uint8Array([0]), lt: new Uint8Array([0xff, 0xff]) }

/** Gives space back to a disk that is low on it, after removals: LevelDB itself would wait for more
 *  writes, and there may be none. */
export class Reclaimer {
  readonly #deps: ReclaimerDeps
  #state: 'idle' | 'due' | 'running' | 'closed' = 'idle'
  #cancel: () => void = () => {}
  #run: Promise<void> | undefined

  constructor(deps: ReclaimerDeps) {
    this.#deps = deps
  }

  /** Something was removed. */
  request(): void {
    if (this.#state !== 'idle' || !this.#deps.ballast.isTight) return
    this.#state = 'due'
    this.#cancel = this.#deps.scheduler.after(waitMs, () => {
      this.#state = 'running'
      this.#run = this.#compact()
    })
  }

  async #compact(): Promise<void> {
    const { database, log } = this.#deps
    try {
      await database.compact(everything)
      log.info('space-reclaimed')
    } catch (error) {
      log.warn('space-not-reclaimed', { error: error as Error })
    }
    if (this.#state === 'running') this.#state = 'idle'
  }

  async close(): Promise<void> {
    this.#state = 'closed'
    this.#cancel()
    await this.#run
  }
}
