/** When a home that did not answer is tried again. @module */

const hourMs = 3_600_000

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
  return delayMs * (0.7 + 0.3 * fraction)
}
