/** Figures that wait for what they are of. @module */

import type { Measure, Part } from '../harness.ts'

/** 200 differences among a million ids: found by comparing sums, beside sending all ids. */
export const repair: Part = planned('repair', 'the repair', [
  { name: 'repair-wire', unit: 'MB', target: { op: '<=', value: 0.5 } },
  { name: 'repair-vs-all-ids', unit: 'ratio', target: { op: '<=', value: 0.2 } },
])

/** From the death of a home to the receipt of a holder for the next message. */
export const homeGone: Part = planned('home-gone', 'the hand-off', [
  { name: 'home-gone-p99', unit: 'ms', target: { op: '<=', value: 3000 } },
])

function planned(
  name: string,
  what: string,
  measures: readonly Omit<Measure, 'value' | 'note'>[],
): Part {
  const note = `skipped: ${what} is not there yet`
  return { name, run: async () => measures.map((measure) => ({ ...measure, value: null, note })) }
}
