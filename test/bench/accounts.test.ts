import { readdirSync } from 'node:fs'
import t from 'tap'
import { runBenchmark, shortScratch, targetsOf, type Row } from '../support/benchmark.ts'

t.test('many accounts: started, delivered to, and unlocked at once', async (t) => {
  const scratch = shortScratch(t)
  const { exitCode, stdout, stderr } = await runBenchmark(
    ['accounts', '--quick', '--json'],
    scratch,
  )
  t.equal(exitCode, 0, stderr)
  const { bench, measures } = JSON.parse(stdout) as { bench: string; measures: Row[] }
  t.equal(bench, 'accounts')
  t.same(targetsOf(measures), [
    'start-vs-one <= 3',
    'memory-resting <= 100',
    'memory-peak <= 100',
    'delivery-all-vs-one >= 0.8',
    'unlock-4-memory <= 1',
  ])
  const valueOf = (name: string) => measures.find((measure) => measure.name === name)?.value ?? 0
  t.ok(valueOf('delivery-rate-all') > 0, 'letters were delivered')
  t.ok(valueOf('unlock-time') > 0)
  t.ok(valueOf('unlock-vs-floor') > 0.5, 'an unlock hashes')
  t.ok(valueOf('unlock-4-memory') > 0.1, 'which takes memory')
  t.same(readdirSync(scratch), [], 'nothing is left behind')
})
