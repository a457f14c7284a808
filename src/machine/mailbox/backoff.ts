/** When a home that did not answer, or refused, is tried again. @module */

import { hourMs } from '../../base/util/clock.ts'

/** Longest that a refused letter waits, whatever its home asks for. */
const refusalMsMax = 600_000

/** The ms to wait after `failures` attempts in a row, the first of them `sinceMs` ago: 1 s doubling to 10 s
 *  in the first hour, so that mail flows soon after a restart; then to 5 min. `fraction`, from 0 to 1,
 *  spreads it over 70 to 100 %. */
export function backoffMs({
  failures,
  sinceMs,
  fraction,
}: {
  failures: number
  sinceMs: number
  fraction: number
}): number {
  const longestMs = sinceMs < hourMs ? 10_000 : 300_000
  const delayMs = Math.min(longestMs, 1000 * 2 ** Math.min(failures - 1, 20))
  return spread(delayMs, fraction)
}

/** The ms to wait after `refusals` in a row of a letter, or of a home: 2 s doubling to 10 min, and at least
 *  what the home asked for within that; spread by `fraction` as above, and never in step with others. */
export function refusalMs({
  refusals,
  askedMs,
  fraction,
}: {
  refusals: number
  askedMs: number
  fraction: number
}): number {
  const grownMs = spread(2000 * 2 ** Math.min(refusals - 1, 20), fraction)
  return Math.min(refusalMsMax, Math.max(askedMs + spread(1000, fraction), grownMs))
}

/** 70 to 100 % of `delayMs`. */
function spread(delayMs: number, fraction: number): number {
  return delayMs * (0.7 + 0.3 * fraction)
}
