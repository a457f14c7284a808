import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { systemClock, systemScheduler } from '../../src/base/util/system-time.ts'
import { isReached, runBenchmark, type Measure, type PartContext } from '../../bench/harness.ts'

const figure: Measure = { name: 'figure', value: 2, unit: 'ms', target: null }
const init = {
  quick: true,
  only: [],
  clock: systemClock,
  scheduler: systemScheduler,
  progress: () => {},
}
const benchmark = (run: (context: PartContext) => Promise<Measure[]>, timeoutMs = 60_000) => ({
  name: 'test',
  timeoutMs,
  parts: [{ name: 'part', run }],
})

t.test('a measure is held against its target', async (t) => {
  const at = (value: number | null, op: '>=' | '<=') =>
    isReached({ ...figure, value, target: { op, value: 2 } })
  t.equal(at(2, '>='), true)
  t.equal(at(1.9, '>='), false)
  t.equal(at(2, '<='), true)
  t.equal(at(2.1, '<='), false)
  t.equal(at(null, '<='), null, 'what was skipped is neither reached nor missed')
  t.equal(isReached(figure), null)
})

t.test('chosen parts run in order', async (t) => {
  const part = (name: string) => ({ name, run: async () => [{ ...figure, name }] })
  const three = { name: 'test', timeoutMs: 60_000, parts: ['a', 'b', 'c'].map(part) }
  const names = async (only: string[]) =>
    (await runBenchmark(three, { ...init, only })).map(({ name }) => name)
  t.same(await names([]), ['a', 'b', 'c'])
  t.same(await names(['c', 'a']), ['a', 'c'])
  await t.rejects(names(['d']), { message: 'test has no part d' })
})

t.test('a part leaves nothing behind, whether it succeeds or fails', async (t) => {
  for (const outcome of ['succeeds', 'fails']) {
    let dir = ''
    let isClosed = false
    const run = runBenchmark(
      benchmark(async ({ scratchDir, open }) => {
        dir = scratchDir
        open.add({ close: () => void (isClosed = existsSync(scratchDir)) })
        writeFileSync(join(scratchDir, 'file'), '')
        if (outcome === 'fails') throw new Error('broken')
        return [figure]
      }),
      init,
    )
    if (outcome === 'fails') await t.rejects(run, { message: 'broken' })
    else t.same(await run, [figure])
    t.equal(isClosed, true, 'closed while its scratch directory was still there')
    t.equal(existsSync(dir), false)
  }
})

t.test(
  'a run ends at its deadline and by its signal, even where a part does not listen',
  async (t) => {
    const deaf = () => new Promise<Measure[]>(() => {})
    const keepAlive = setInterval(() => {}, 1000)
    t.teardown(() => clearInterval(keepAlive))
    await t.rejects(runBenchmark(benchmark(deaf, 20), init), { code: 'ABZU_TIMEOUT' })
    const stop = new AbortController()
    const run = runBenchmark(benchmark(deaf), { ...init, signal: stop.signal })
    stop.abort(new Error('stop'))
    await t.rejects(run, { message: 'stop' })
  },
)

t.test('a run that measured nothing fails', async (t) => {
  await t.rejects(
    runBenchmark(
      benchmark(async () => []),
      init,
    ),
    /measured nothing/,
  )
  await t.rejects(runBenchmark({ name: 'test', timeoutMs: 1000, parts: [] }, init))
  const nan = benchmark(async () => [{ ...figure, value: Number.NaN }])
  await t.rejects(runBenchmark(nan, init), { message: 'figure is NaN' })
})
