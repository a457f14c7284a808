import { readdirSync } from 'node:fs'
import t from 'tap'
import { runBenchmark, shortScratch, targetsOf, type Row } from '../support/benchmark.ts'

// the part with many accounts takes a minute to make them, which a commit's checks have not
t.test('several accounts unlocked at once', async (t) => {
  const scratch = shortScratch(t)
  const { exitCode, stdout, stderr } = await runBenchmark(
    ['accounts', '--only', 'unlocking', '--quick', '--json'],
    scratch,
  )
  t.equal(exitCode, 0, stderr)
  const { bench, measures } = JSON.parse(stdout) as { bench: string; measures: Row[] }
  t.equal(bench, 'accounts')
  t.same(targetsOf(measures), ['unlock-4-memory <= 1'])
  const valueOf = (name: string) => measures.find((measure) => measure.name === name)?.value ?? 0
  t.ok(valueOf('unlock-time') > 0)
  t.ok(valueOf('unlock-vs-floor') > 0.5, 'an unlock hashes')
  t.ok(valueOf('unlock-4-memory') > 0.1, 'which takes memory')
  t.same(readdirSync(scratch), [], 'nothing is left behind')
})
