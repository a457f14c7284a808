/** A home that dies while its holder goes on, and comes back. @module */

import type { Measure, Part } from '../harness.ts'
import { median, quantile } from '../rounds.ts'
import { NodeProcess } from './node-process.ts'

const full = { runs: 50, each: 50 }
const quick = { runs: 2, each: 5 }
/** Runs begin until then. */
const budgetMs = 48_000

/** Items that only one of the two has are soon at both. */
export const homeBack: Part = {
  name: 'home-back',
  async run(context) {
    const { clock, signal } = context
    const { runs, each } = context.quick ? quick : full
    const [home, holder] = await NodeProcess.pair(context)
    await home.grow({ accounts: 1, chunks: each })
    const at = await holder.join()
    let { items } = await home.usage()
    const comeBack = async () => {
      await home.join()
      await home.dial(at)
      await NodeProcess.level(home, holder, items)
    }
    await comeBack()
    const timesMs: number[] = []
    const endMs = clock.monotonicMs() + budgetMs
    while (timesMs.length < runs && (timesMs.length === 0 || clock.monotonicMs() < endMs)) {
      signal.throwIfAborted()
      await home.grow({ accounts: 0, chunks: each })
      await home.kill()
      await holder.grow({ accounts: 0, chunks: each })
      items += 2 * each
      const startMs = clock.monotonicMs()
      await home.restart()
      await comeBack()
      timesMs.push(clock.monotonicMs() - startMs)
    }
    return measures(timesMs, 2 * each)
  },
}

function measures(timesMs: readonly number[], items: number): Measure[] {
  const note = `from the start of the home's process to ${items} items more at both; ${timesMs.length} runs`
  const p99 = { value: quantile(timesMs, 0.99), target: { op: '<=', value: 3000 } } as const
  return [
    { name: 'home-back-p50', value: median(timesMs), unit: 'ms', target: null },
    { name: 'home-back-p99', ...p99, unit: 'ms', note },
  ]
}
