import { readdirSync } from 'node:fs'
import t from 'tap'
import { redisReplica } from '../../bench/peers/redis-replica.ts'
import { rsync } from '../../bench/peers/rsync.ts'
import { runBenchmark, shortScratch, targetsOf, type Row } from '../support/benchmark.ts'

t.test('copies are made, brought up to date, and made anew from both sides', async (t) => {
  const scratch = shortScratch(t)
  const { exitCode, stdout, stderr } = await runBenchmark(['sync', '--quick', '--json'], scratch)
  t.equal(exitCode, 0, stderr)
  const { bench, measures } = JSON.parse(stdout) as { bench: string; measures: Row[] }
  t.equal(bench, 'sync')
  t.same(targetsOf(measures), [
    'first-copy-wire <= 1.08',
    'first-copy-vs-redis <= 2',
    'ten-new-after-100 <= 1.2',
    'ten-new-after-400 <= 1.2',
    'ten-new-many-vs-few <= 1.1',
    'nothing-new-1 <= 1000',
    'nothing-new-20 <= 1000',
    'repair-wire <= 0.5',
    'repair-vs-all-ids <= 0.2',
    'home-gone-p99 <= 3000',
    'home-back-p99 <= 3000',
    'memory-home <= 100',
    'memory-holder <= 100',
  ])
  const skipped = measures.filter(({ value }) => value === null).map(({ name }) => name)
  const missing = [redisReplica, rsync].filter((peer) => peer.missing() !== undefined)
  t.same(
    skipped,
    missing.map(({ name }) => `first-copy-vs-${name}`),
  )
  for (const { name, value, target, ok } of measures) {
    t.equal(ok === null, target === null || value === null, `${name} has a verdict where it may`)
  }
  const valueOf = (name: string) => measures.find((measure) => measure.name === name)?.value ?? 0
  t.ok(valueOf('first-copy-wire') > 1, 'the bodies went over the wire')
  t.ok(valueOf('nothing-new-20') > 100)
  t.ok(valueOf('repair-wire') > 200 * 1e-5, 'sums and what was lacking went over the wire')
  t.ok(valueOf('home-gone-p99') >= 1500, 'a home is waited for')
  t.same(readdirSync(scratch), [], 'nothing is left behind')
})
