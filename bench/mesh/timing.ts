/** Rounds of single operations: each is timed by itself. @module */

import type { Clock } from '../../src/base/util/clock.ts'
import { median, type Rounds } from '../rounds.ts'

/** How long each of `count` runs of `operation` took, ms, one after the other. */
export async function timeEach(
  clock: Pick<Clock, 'monotonicMs'>,
  count: number,
  operation: () => Promise<unknown>,
): Promise<number[]> {
  const timesMs: number[] = []
  for (let n = 0; n < count; n++) {
    const startMs = clock.monotonicMs()
    await operation()
    timesMs.push(clock.monotonicMs() - startMs)
  }
  return timesMs
}

/** All times of one variant. */
export function timesOf(rounds: Rounds<readonly number[]>, variant: string): number[] {
  return rounds.of(variant).flat()
}

/** The median over the rounds of how much longer the median of one variant is than that of another. */
export function timesRatio(rounds: Rounds<readonly number[]>, over: string, under: string): number {
  return rounds.median((round) => median(round(over)) / median(round(under)))
}
