import type { Cancel, Scheduler } from '../../base/util/clock.ts'
import { AbzuError, isAbzuError, toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'

export interface PumpInit {
  /** For the log. */
  readonly name: string
  /** Does all the work that there is. Looks at the signal between steps. */
  readonly run: (signal: AbortSignal) => Promise<void>
  readonly scheduler: Scheduler
  readonly log: Log
}

const retryMsMin = 1000
const retryMsMax = 300_000

/** Does one kind of work whenever there may be some: one run at a time, another where there was a kick
 *  meanwhile, and again after a while where a run failed. */
export class Pump {
  readonly #init: PumpInit
  readonly #stopping = new AbortController()
  #running: Promise<void> = Promise.resolve()
  /** A run that was asked for and has not begun. */
  #next: Promise<void> | undefined
  #failures = 0
  #cancelRetry: Cancel | undefined

  constructor(init: PumpInit) {
    this.#init = init
  }

  /** There may be work. */
  kick(): void {
    if (this.#stopping.signal.aborted) return
    this.flush().catch((error: unknown) => {
      if (isAbzuError(error, 'ABZU_LOCKED')) return
      this.#init.log.warn('work-failed', { work: this.#init.name, error: toAbzuError(error) })
    })
  }

  /** Resolves when a run that began after this call has ended.
   *  @throws {AbzuError} ABZU_LOCKED, those of the run */
  async flush(): Promise<void> {
    this.#stopping.signal.throwIfAborted()
    this.#next ??= this.#runAfter(this.#running)
    return this.#next
  }

  /** Ends the work at its next step; nothing begins any more. */
  stop(): void {
    this.#stopping.abort(new AbzuError('ABZU_LOCKED', 'the account is locked'))
    this.#cancelRetry?.()
  }

  /** Resolves when nothing runs. */
  async stopped(): Promise<void> {
    await Promise.allSettled([this.#next, this.#running])
  }

  async #runAfter(running: Promise<void>): Promise<void> {
    await Promise.allSettled([running])
    this.#next = undefined
    this.#cancelRetry?.()
    this.#running = this.#run()
    return this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    signal.throwIfAborted()
    try {
      await this.#init.run(signal)
      this.#failures = 0
    } catch (error) {
      if (!signal.aborted) this.#retryLater()
      throw error
    }
  }

  #retryLater(): void {
    const delayMs = Math.min(retryMsMax, retryMsMin * 2 ** this.#failures++)
    this.#cancelRetry = this.#init.scheduler.after(delayMs, () => this.kick())
  }
}
