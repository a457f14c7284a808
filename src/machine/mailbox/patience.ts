import type { Cancel, Clock, Scheduler } from '../../base/util/clock.ts'

export interface PatienceDeps<T> {
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly scheduler: Pick<Scheduler, 'after'>
  /** Told what has waited for too long, `lateMax` at once; each once and no more. */
  readonly late: (waiting: readonly T[]) => void
}

/** How long a host may leave a letter without an answer. */
const patienceMs = 1500
/** Told at once, so that a long queue holds nobody else up. */
const lateMax = 256

/** Who waits for one host, since when, and for too long: one timer for all. */
export class Patience<T extends object> {
  readonly #deps: PatienceDeps<T>
  /** Since when, monotonic ms; who waits longest is first. */
  readonly #since = new Map<T, number>()
  readonly #told = new WeakSet<T>()
  #cancelTimer: Cancel | undefined

  constructor(deps: PatienceDeps<T>) {
    this.#deps = deps
  }

  /** Who waits already has waited since then. */
  begin(one: T): void {
    if (this.#since.has(one) || this.#told.has(one)) return
    this.#since.set(one, this.#deps.clock.monotonicMs())
    this.#cancelTimer ??= this.#deps.scheduler.after(patienceMs, () => this.#look())
  }

  end(one: T): void {
    this.#since.delete(one)
  }

  close(): void {
    this.#cancelTimer?.()
    this.#since.clear()
  }

  #look(): void {
    this.#cancelTimer = undefined
    const nowMs = this.#deps.clock.monotonicMs()
    const late: T[] = []
    for (const [one, sinceMs] of this.#since) {
      const leftMs = late.length < lateMax ? sinceMs + patienceMs - nowMs : 1
      if (leftMs > 0) {
        this.#cancelTimer = this.#deps.scheduler.after(leftMs, () => this.#look())
        break
      }
      this.#since.delete(one)
      this.#told.add(one)
      late.push(one)
    }
    if (late.length > 0) this.#deps.late(late)
  }
}
