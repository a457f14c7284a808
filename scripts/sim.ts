/** `npm run sim -- [--seeds N] [--first K] [--threads T] [--trace]`: simulated households under seeded faults. The
 *  last line says `N passed, N failed`. @module */

import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { faultKinds } from '../test/sim/fault-counts.ts'
import { runSeeds } from '../test/sim/seeds.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    first: { type: 'string', default: '1' },
    threads: { type: 'string', default: String(availableParallelism()) },
    trace: { type: 'boolean', default: false },
  },
})
const [count, first, threads] = [values.seeds, values.first, values.threads].map(Number) as [
  number,
  number,
  number,
]
if (![count, first, threads].every((number) => Number.isSafeInteger(number) && number > 0)) {
  process.stderr.write('usage: npm run sim -- [--seeds N] [--first K] [--threads T] [--trace]\n')
  process.exit(64)
}
/** So few may well draw none of some fault. */
const fewSeeds = 200

const startedAt = performance.now()
const report = await runSeeds({
  first,
  count,
  threads,
  hasStacks: values.trace,
  failed: ({ seed, problems, trace }) => {
    if (values.trace) process.stdout.write(`${trace.join('\n')}\n`)
    process.stdout.write(
      `seed ${seed} failed; again: npm run -s sim -- --first ${seed} --seeds 1 --trace\n`,
    )
    for (const problem of problems) process.stdout.write(`  ${problem}\n`)
  },
})
const seconds = (performance.now() - startedAt) / 1000
const { passed, failed, events, letters, relocated, faults, idleFaults } = report
process.stdout.write(
  `${events} events, ${letters} letters, ${relocated} accounts relocated, ${seconds.toFixed(1)} s, ${(count / seconds).toFixed(1)} seeds a second\n`,
)
process.stdout.write(`${faultKinds.map((kind) => `${kind} ${faults[kind]}`).join(', ')}\n`)
const isTooTame = idleFaults.length > 0 && count >= fewSeeds
if (isTooTame) process.stdout.write(`never came about: ${idleFaults.join(', ')}\n`)
process.stdout.write(`${passed} passed, ${failed + (isTooTame ? 1 : 0)} failed\n`)
process.exitCode = failed > 0 || isTooTame ? 1 : 0
