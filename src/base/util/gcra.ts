/**
 * Rate limits by the generic cell rate algorithm: one number per key, no timer. The same code
 * guards streams and HTTP, inbound and outbound.
 * @module
 */

import type { Clock } from './clock.ts'
import { assert } from './errors.ts'
import { setNewest } from './newest.ts'

export interface Rate {
  /** Sustained rate, cells a second. */
  readonly perSecond: number
  /** Cells that may come at once after a pause. */
  readonly burst: number
}

export interface RateLimiterInit {
  /** Of every key, or of each; another one than before holds from the next call on. */
  readonly rate: Rate | ((key: string) => Rate)
  /** Bound on the keys remembered; the least recently used is forgotten, and so starts afresh. */
  readonly keysMax: number
  readonly clock: Pick<Clock, 'monotonicMs'>
}

export class RateLimiter {
  /** Key to its theoretical arrival time, ms of the monotonic clock; insertion order is use order. */
  readonly #arrivals = new Map<string, number>()
  readonly #init: RateLimiterInit

  constructor(init: RateLimiterInit) {
    this.#init = init
  }

  /** Takes `cells` for `key` and returns 0; or takes nothing and returns the ms to wait for them. */
  take(key: string, cells = 1): number {
    const waitMs = this.waitMs(key, cells)
    if (waitMs === 0) this.#advance(key, cells)
    return waitMs
  }

  /** The ms until `cells`, at most a burst, would be granted to `key`; 0 means now. Takes nothing. */
  waitMs(key: string, cells = 1): number {
    const rate = this.#rateOf(key)
    assert(cells <= rate.burst, `${cells} cells at once never fit a burst of ${rate.burst}`)
    const now = this.#init.clock.monotonicMs()
    return Math.max(
      0,
      this.#arrival(key, now) + ((cells - rate.burst) * 1000) / rate.perSecond - now,
    )
  }

  /** Cells of the burst of `key` that are taken now. */
  used(key: string): number {
    const now = this.#init.clock.monotonicMs()
    return ((this.#arrival(key, now) - now) * this.#rateOf(key).perSecond) / 1000
  }

  #rateOf(key: string): Rate {
    const { rate } = this.#init
    return typeof rate === 'function' ? rate(key) : rate
  }

  /** Never before now, and never further ahead than a whole burst: nothing granted leads there but a clock
   *  that was set back or a rate that was lowered, and the key would be shut out for as long. */
  #arrival(key: string, now: number): number {
    const rate = this.#rateOf(key)
    const known = this.#arrivals.get(key) ?? now
    const latest = now + (rate.burst * 1000) / rate.perSecond
    if (known > latest) this.#arrivals.set(key, latest)
    return Math.min(Math.max(known, now), latest)
  }

  #advance(key: string, cells: number): void {
    const { keysMax, clock } = this.#init
    const now = clock.monotonicMs()
    const arrival = this.#arrival(key, now) + (cells * 1000) / this.#rateOf(key).perSecond
    setNewest(this.#arrivals, [key, arrival], keysMax)
  }
}
