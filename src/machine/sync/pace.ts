import type { Cancel, Scheduler } from '../../base/util/clock.ts'

/** Lets what may wait happen at once, and then again no sooner than so long after it happened last. */
export class Pace {
  readonly #scheduler: Pick<Scheduler, 'after'>
  readonly #restMs: number
  readonly #run: () => void
  #isDue = false
  #rest: Cancel | undefined

  /** @param run must not throw */
  constructor(scheduler: Pick<Scheduler, 'after'>, restMs: number, run: () => void) {
    this.#scheduler = scheduler
    this.#restMs = restMs
    this.#run = run
  }

  /** Runs now, or when it has rested. */
  request(): void {
    if (this.#rest) this.#isDue = true
    else this.#run()
  }

  /** It has happened, for whatever reason: rests from now on. */
  happened(): void {
    this.#rest ??= this.#scheduler.after(this.#restMs, () => {
      this.#rest = undefined
      const isDue = this.#isDue
      this.#isDue = false
      if (isDue) this.#run()
    })
  }

  /** Nothing that was asked for runs any more. */
  close(): void {
    this.#rest?.()
    this.#rest = undefined
    this.#isDue = false
  }
}
