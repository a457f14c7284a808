/**
 * One rate that many share, so that whoever asks without pause takes nothing from the others: each has a small
 * credit, and what the rate brings is dealt out evenly among those whose credit is not whole. Who asks for less
 * than an even share gets all of it; what nobody claims is anybody's.
 * @module
 */

import type { Clock } from './clock.ts'
import type { Rate } from './gcra.ts'
import { LeastFirst, type Ranked } from './least-first.ts'

export interface FairShareInit {
  /** Of all keys together; another one than before holds from the next call on. */
  readonly rate: () => Rate
  /** Bound on the keys whose credit is not whole; beyond it, the one that lacks least counts as whole. */
  readonly keysMax: number
  readonly clock: Pick<Clock, 'monotonicMs'>
}

/** Keys whose whole credits together are as much as the burst, and as may be owed. */
const creditsInBurst = 32
/** Cells of a whole credit at least: people write more than one letter at once. */
const creditMin = 4

/** A key that lacks some of its credit: it is whole when every such key has been dealt `rank` cells in all. */
interface Short extends Ranked {
  readonly key: string
}

/** Lets at most `rate` a second, one burst, and as much again on credit (128 cells at least) through. */
export class FairShare {
  readonly #init: FairShareInit
  readonly #shorts = new Map<string, Short>()
  readonly #byRank = new LeastFirst<Short>()
  /** Cells that each key which has lacked some all the time was dealt. */
  #dealt = 0
  #dealtAtMs: number
  /** When all that was let through is paid for by the rate, ms of the monotonic clock. */
  #paidAtMs = -Infinity

  constructor(init: FairShareInit) {
    this.#init = init
    this.#dealtAtMs = init.clock.monotonicMs()
  }

  /** Takes a cell for `key` and returns 0; or takes nothing and returns the ms until it is worth asking again. */
  take(key: string): number {
    const waitMs = this.waitMs(key)
    if (waitMs === 0) this.spend(key)
    return waitMs
  }

  /** The ms until a cell might be granted to `key`; 0 means now. Takes nothing. */
  waitMs(key: string): number {
    const now = this.#init.clock.monotonicMs()
    const { perSecond } = this.#init.rate()
    const room = this.#room(now)
    if (room >= 1) return 0
    this.#deal(now)
    const lack = 1 - this.#creditOf(key)
    const isOverdrawn = room - 1 < -creditsInBurst * this.#whole
    if (lack <= 0 && !isOverdrawn) return 0
    const spareMs = ((1 - room) * 1000) / perSecond
    return lack <= 0 ? spareMs : Math.min(spareMs, (lack * this.#byRank.size * 1000) / perSecond)
  }

  /** Takes a cell that `waitMs` has just granted. */
  spend(key: string): void {
    const now = this.#init.clock.monotonicMs()
    const { perSecond, burst } = this.#init.rate()
    const isSpare = this.#room(now) >= 1
    const emptyMs = now - (burst * 1000) / perSecond
    this.#paidAtMs = Math.max(this.#paidAtMs, emptyMs) + 1000 / perSecond
    if (!isSpare) this.#charge(key)
  }

  /** Cells of the burst that are taken now, credit included. */
  get used(): number {
    const { burst } = this.#init.rate()
    return burst - this.#room(this.#init.clock.monotonicMs())
  }

  /** Cells of the burst that are left; below 0 by what was let through on credit. A clock that was set back, or
   *  a rate that was lowered, shuts nobody out for longer than what can be owed. */
  #room(now: number): number {
    const { perSecond, burst } = this.#init.rate()
    const latestMs = now + (creditsInBurst * this.#whole * 1000) / perSecond
    this.#paidAtMs = Math.min(this.#paidAtMs, latestMs)
    return Math.min(burst, ((now - this.#paidAtMs) * perSecond) / 1000)
  }

  #creditOf(key: string): number {
    const short = this.#shorts.get(key)
    return this.#whole - (short ? short.rank - this.#dealt : 0)
  }

  get #whole(): number {
    return Math.max(creditMin, this.#init.rate().burst / creditsInBurst)
  }

  #charge(key: string): void {
    const short = this.#shorts.get(key)
    if (short) {
      short.rank++
      this.#byRank.grown(short)
      return
    }
    if (this.#byRank.size >= this.#init.keysMax) this.#fill()
    const fresh: Short = { key, rank: this.#dealt + 1, place: -1 }
    this.#shorts.set(key, fresh)
    this.#byRank.add(fresh)
  }

  /** Deals out what the rate has brought since the last time. */
  #deal(now: number): void {
    let cells = (Math.max(0, now - this.#dealtAtMs) * this.#init.rate().perSecond) / 1000
    this.#dealtAtMs = now
    for (let next = this.#byRank.first; next && cells > 0; next = this.#byRank.first) {
      const wanted = (next.rank - this.#dealt) * this.#byRank.size
      if (wanted > cells) {
        this.#dealt += cells / this.#byRank.size
        return
      }
      cells -= wanted
      this.#dealt = next.rank
      this.#fill()
    }
    if (this.#byRank.size === 0) this.#dealt = 0
  }

  #fill(): void {
    const filled = this.#byRank.removeFirst()
    if (filled) this.#shorts.delete(filled.key)
  }
}
