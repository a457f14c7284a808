import type { Clock } from '../../base/util/clock.ts'

const versionsPerMs = 1024
/** The wall clock counts up to here, the year 2109; there is as much room again above it. */
const wallVersionEnd = 2 ** 52

/** Versions of slots: a hybrid logical clock. It follows the wall clock, never goes back, and is above
 *  every version that it was shown; so a version is above the one that it replaces, whatever the wall
 *  clock does.
 *  @see docs/protocol.md#slots */
export class VersionClock {
  readonly #clock: Pick<Clock, 'nowMs'>
  #last = 0

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock
  }

  observe(version: number): void {
    this.#last = Math.max(this.#last, version)
  }

  next(): number {
    const now = Math.floor(this.#clock.nowMs()) * versionsPerMs
    this.#last = Math.max(Math.min(now, wallVersionEnd), this.#last + 1)
    return this.#last
  }
}
