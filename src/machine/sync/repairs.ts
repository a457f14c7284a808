import type { PeerId } from '../../base/util/brand.ts'
import type { Cancel, Scheduler } from '../../base/util/clock.ts'
import { toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import type { Puller } from './puller.ts'

export interface RepairsDeps {
  readonly puller: Pick<Puller, 'repair'>
  readonly peer: PeerId
  /** Both hold the same. */
  readonly verified: () => void
  readonly scheduler: Pick<Scheduler, 'after'>
  readonly log: Log
}

/** Copies that differ for a moment have news on its way. */
const patienceMs = 2000
/** Where a repair finds nothing, the other side lacks something, or the two expire mail at different times. */
const patienceMsMax = 3_600_000

/** When one pull looks for what was lost: a while after a mark that shows a difference and that no other mark follows. */
export class Repairs {
  readonly #deps: RepairsDeps
  #futile = 0
  #isRunning = false
  #isSame = false
  #isClosed = false
  #cancel: Cancel = () => {}

  constructor(deps: RepairsDeps) {
    this.#deps = deps
  }

  marked(isVerified: boolean): void {
    this.#cancel()
    if (isVerified) this.#futile = 0
    else if (!this.#isRunning && !this.#isClosed) this.#schedule()
  }

  close(): void {
    this.#isClosed = true
    this.#cancel()
  }

  #schedule(): void {
    const delayMs = Math.min(patienceMsMax, patienceMs * 2 ** this.#futile)
    this.#cancel = this.#deps.scheduler.after(delayMs, () => void this.#run())
  }

  async #run(): Promise<void> {
    const { puller, peer, verified, log } = this.#deps
    this.#isRunning = true
    try {
      const { items, isSame } = await puller.repair()
      if (isSame) verified()
      this.#futile = items > 0 || isSame ? 0 : this.#futile + 1
      this.#isSame = isSame
      if (items > 0) log.warn('copies-repaired', { peer, items })
    } catch (error) {
      this.#isSame = false
      this.#futile++
      log.debug('not-repaired', { peer, error: toAbzuError(error) })
    }
    this.#isRunning = false
    // Where something was fetched a mark follows, which begins this anew.
    if (!this.#isClosed && !this.#isSame) this.#schedule()
  }
}
