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
/** Where copies still differ after a repair, the other side lacks something, or has what is refused here, or the two
 *  expire mail at different times. Copies that were the same are compared again after so long. */
const patienceMsMax = 3_600_000

/** When one pull compares the copies: a while after a mark that shows a difference and that no other mark follows; each
 *  hour; and when it is asked to. */
export class Repairs {
  readonly #deps: RepairsDeps
  #futile = 0
  #isRunning = false
  #isClosed = false
  #cancel: Cancel = () => {}

  constructor(deps: RepairsDeps) {
    this.#deps = deps
  }

  marked(isSame: boolean): void {
    if (this.#isRunning) return
    if (isSame) this.#futile = 0
    this.#schedule(isSame)
  }

  /** Compares now. */
  look(): void {
    this.#cancel()
    if (!this.#isRunning && !this.#isClosed) void this.#run()
  }

  close(): void {
    this.#isClosed = true
    this.#cancel()
  }

  #schedule(isSame: boolean): void {
    this.#cancel()
    if (this.#isClosed) return
    const soonMs = Math.min(patienceMsMax, patienceMs * 2 ** this.#futile)
    const delayMs = isSame ? patienceMsMax : soonMs
    this.#cancel = this.#deps.scheduler.after(delayMs, () => void this.#run())
  }

  async #run(): Promise<void> {
    const { puller, peer, verified, log } = this.#deps
    this.#isRunning = true
    let isSame = false
    try {
      const found = await puller.repair()
      isSame = found.isSame
      if (isSame) verified()
      this.#futile = isSame ? 0 : this.#futile + 1
      if (found.items > 0) log.warn('copies-repaired', { peer, items: found.items })
    } catch (error) {
      this.#futile++
      log.debug('not-repaired', { peer, error: toAbzuError(error) })
    }
    this.#isRunning = false
    // Where something was fetched a mark follows, which says whether that was all.
    this.#schedule(isSame)
  }
}
