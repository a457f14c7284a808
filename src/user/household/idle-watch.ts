import type { Cancel, Clock, Scheduler } from '../../base/util/clock.ts'

export interface IdleWatchInit {
  /** 0 = never. */
  readonly idleMinutes: number
  /** Called once for a key that was not touched for so long; it is forgotten then. */
  readonly expired: (key: string) => void
}

const minuteMs = 60_000
/** Longer delays overflow the timers of some runtimes. */
const timerMsMax = 86_400_000

/** Notices what nobody uses any more. One timer for all keys. */
export class IdleWatch {
  readonly #deps: { readonly clock: Pick<Clock, 'monotonicMs'>; readonly scheduler: Scheduler }
  readonly #init: IdleWatchInit
  /** Last use, ms of the monotonic clock; least recently used first. */
  readonly #usedAtMs = new Map<string, number>()
  #cancel: Cancel | undefined

  constructor(
    deps: { readonly clock: Pick<Clock, 'monotonicMs'>; readonly scheduler: Scheduler },
    init: IdleWatchInit,
  ) {
    this.#deps = deps
    this.#init = init
  }

  touch(key: string): void {
    if (this.#init.idleMinutes === 0) return
    this.#usedAtMs.delete(key)
    this.#usedAtMs.set(key, this.#deps.clock.monotonicMs())
    this.#cancel ??= this.#checkAfter(this.#init.idleMinutes * minuteMs)
  }

  forget(key: string): void {
    this.#usedAtMs.delete(key)
  }

  close(): void {
    this.#usedAtMs.clear()
    this.#cancel?.()
  }

  #checkAfter(delayMs: number): Cancel {
    return this.#deps.scheduler.after(Math.min(delayMs, timerMsMax), () => this.#check())
  }

  #check(): void {
    this.#cancel = undefined
    const idleMs = this.#init.idleMinutes * minuteMs
    for (const [key, usedAtMs] of this.#usedAtMs) {
      const leftMs = usedAtMs + idleMs - this.#deps.clock.monotonicMs()
      if (leftMs > 0) {
        this.#cancel = this.#checkAfter(leftMs)
        return
      }
      this.#usedAtMs.delete(key)
      this.#init.expired(key)
    }
  }
}
