import type { Clock } from '../../base/util/clock.ts'

/** Versions in one ms. Together with ms since 1970 they stay safe integers until the year 2248. */
const versionsPerMs = 1024
const versionMax = Number.MAX_SAFE_INTEGER

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
    this.#last = Math.max(Math.min(now, versionMax / 2), this.#last + 1)
    return this.#last
  }
}
