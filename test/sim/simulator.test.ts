/** Whole households under every fault that a seed can draw. */

import { availableParallelism } from 'node:os'
import t from 'tap'
import { runSeeds } from './seeds.ts'
import { Simulator, type RunReport } from './simulate.ts'

const seeds = 1000

t.test('whatever happens, what must hold holds', async (t) => {
  const report = await runSeeds({
    first: 1,
    count: seeds,
    threads: Math.min(2, availableParallelism()),
    failed: ({ seed, problems }: RunReport) =>
      t.fail(`seed ${seed}: ${problems.join('; ')}; npm run -s sim -- --first ${seed} --seeds 1`),
  })
  t.equal(report.passed, seeds)
  t.ok(report.letters > 5 * seeds, `${report.letters} letters`)
  t.ok(report.relocated > seeds / 50, `${report.relocated} accounts live elsewhere in the end`)
  t.strictSame(report.idleFaults, [], `faults that came about: ${JSON.stringify(report.faults)}`)
})

t.test('the same seed is the same run', async (t) => {
  const shared = new Simulator()
  for (const seed of [3, 8, 11, 16]) {
    const [one, other] = [await new Simulator().run({ seed }), await shared.run({ seed })]
    t.equal(one.hash, other.hash, `seed ${seed}, ${one.events} events`)
    t.ok(one.events > 100)
  }
  const [one, other] = [await shared.run({ seed: 3 }), await shared.run({ seed: 4 })]
  t.not(one.hash, other.hash, 'another seed is another run')
})
