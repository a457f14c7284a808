/** Properties of fast-check as assertions of tap: seeded, and counted. @module */

import fc from 'fast-check'
import type { Test } from 'tap'

/** Asserts that `property` holds in `runs` cases that follow from `seed`. */
export function holds<T>(
  t: Pick<Test, 'pass' | 'fail'>,
  property: fc.IProperty<T>,
  { seed, runs }: { readonly seed: number; readonly runs: number },
): void {
  const details = fc.check(property, { seed, numRuns: runs })
  if (details.failed) t.fail(fc.defaultReportMessage(details) ?? 'the property does not hold')
  else t.pass(`held in ${details.numRuns} cases`)
}

/** As `holds`, for a property that takes its time. */
export async function holdsInTime<T>(
  t: Pick<Test, 'pass' | 'fail'>,
  property: fc.IAsyncProperty<T>,
  { seed, runs }: { readonly seed: number; readonly runs: number },
): Promise<void> {
  const details = await fc.check(property, { seed, numRuns: runs })
  if (details.failed) t.fail(fc.defaultReportMessage(details) ?? 'the property does not hold')
  else t.pass(`held in ${details.numRuns} cases`)
}
