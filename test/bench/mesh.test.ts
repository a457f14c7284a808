import { readdirSync } from 'node:fs'
import t from 'tap'
import { hasQuic } from '../../bench/mesh/quic-here.ts'
import { systemScheduler as scheduler } from '../../src/base/util/system-time.ts'
import { runBenchmark, shortScratch, targetsOf, type Row } from '../support/benchmark.ts'

const run = async (args: readonly string[], scratch: string) =>
  runBenchmark(['mesh', '--quick', '--json', ...args], scratch)

t.test('a mesh is asked, written to, dialled and left alone', async (t) => {
  const scratch = shortScratch(t)
  const { exitCode, stdout, stderr } = await run([], scratch)
  t.equal(exitCode, 0, stderr)
  const { bench, measures } = JSON.parse(stdout) as { bench: string; measures: Row[] }
  t.equal(bench, 'mesh')
  t.same(targetsOf(measures), [
    'resolve-5-vs-closest <= 1.5',
    'resolve-20-vs-closest <= 1.5',
    'first-vs-known-message <= 10',
    'durable-quic-vs-tcp >= 0.5',
    'idle-peers-resident <= 170',
    'idle-peers-cpu <= 1',
  ])
  const quic = await hasQuic({ scheduler })
  for (const { name, value, target, ok } of measures) {
    if (name.includes('quic') && !quic) t.equal(value, null, `${name} is skipped`)
    else t.ok(value !== null && value >= 0, `${name} was measured`)
    t.equal(ok === null, target === null || value === null, `${name} has a verdict where it may`)
  }
  const valueOf = (name: string) => measures.find((measure) => measure.name === name)?.value ?? 0
  t.ok(valueOf('resolve-5-p50') <= valueOf('resolve-5-p99'))
  t.ok(valueOf('first-message') > valueOf('known-message'), 'a stamp and a search take time')
  t.same(readdirSync(scratch), [], 'nothing is left behind')
})
