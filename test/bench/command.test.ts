import t from 'tap'
import { systemClock, systemScheduler } from '../../src/base/util/system-time.ts'
import { runCommand } from '../../bench/command.ts'
import type { Benchmark, Measure } from '../../bench/harness.ts'

const measures: Measure[] = [
  { name: 'good', value: 2.71828, unit: 'us', target: { op: '<=', value: 4 }, note: 'by hand' },
  { name: 'bad', value: 0.5, unit: 'ratio', target: { op: '>=', value: 0.75 } },
  { name: 'printed', value: 1234.5, unit: 'messages/s', target: null },
  { name: 'absent', value: null, unit: 'ratio', target: null, note: 'redis is not installed' },
]
const benchmark = (run: Benchmark['parts'][number]['run']): Benchmark => ({
  name: 'sample',
  timeoutMs: 60_000,
  parts: [{ name: 'part', run }],
})

async function command(args: string[], run: () => Promise<Measure[]> = async () => measures) {
  let stdout = ''
  let stderr = ''
  const exitCode = await runCommand(args, {
    benchmarks: [
      benchmark(async ({ progress }) => {
        progress('half way')
        return run()
      }),
    ],
    clock: systemClock,
    scheduler: systemScheduler,
    signal: new AbortController().signal,
    stdout: (text) => (stdout += text),
    stderr: (text) => (stderr += text),
  })
  return { exitCode, stdout, stderr }
}

t.test('with --json stdout is one object of the agreed shape', async (t) => {
  const { exitCode, stdout, stderr } = await command(['sample', '--json'])
  t.equal(exitCode, 0, 'a missed target is a result, not a failure')
  const report = JSON.parse(stdout) as Record<string, unknown>
  t.same(Object.keys(report), ['bench', 'machine', 'measures'])
  t.equal(report['bench'], 'sample')
  t.match(report['machine'], { cpu: String, cores: Number, node: process.versions.node })
  t.strictSame(report['measures'], [
    { name: 'good', value: 2.71828, unit: 'us', target: { op: '<=', value: 4 }, ok: true },
    { name: 'bad', value: 0.5, unit: 'ratio', target: { op: '>=', value: 0.75 }, ok: false },
    { name: 'printed', value: 1234.5, unit: 'messages/s', target: null, ok: null },
    { name: 'absent', value: null, unit: 'ratio', target: null, ok: null },
  ])
  t.match(stderr, 'half way', 'progress goes elsewhere')
})

t.test('without it stdout is a table', async (t) => {
  const { exitCode, stdout } = await command(['sample', '--quick'])
  t.equal(exitCode, 0)
  t.match(stdout, /^good +2\.72 +us +<= 4 +ok +by hand$/m)
  t.match(stdout, /^bad +0\.5 +ratio +>= 0\.75 +MISSED$/m)
  t.match(stdout, /^printed +1235 +messages\/s$/m)
  t.match(stdout, /^absent +skipped +ratio +redis is not installed$/m)
})

t.test('a failure is told on stderr and exits 1', async (t) => {
  const crash = await command(['sample', '--json'], () => Promise.reject(new Error('broken')))
  t.match(crash, { exitCode: 1, stdout: '', stderr: /broken/ })
  const empty = await command(['sample', '--json'], async () => [])
  t.match(empty, { exitCode: 1, stdout: '', stderr: /measured nothing/ })
})

t.test('arguments that make no sense exit 64', async (t) => {
  for (const args of [[], ['other'], ['sample', 'more'], ['sample', '--fast']]) {
    t.match(await command(args), { exitCode: 64, stdout: '', stderr: /^usage: [^]*sample: part/ })
  }
  t.match(await command(['sample', '--only', 'other']), { exitCode: 1, stderr: /no part other/ })
  t.match(await command(['sample', '--only', 'part']), { exitCode: 0 })
})
