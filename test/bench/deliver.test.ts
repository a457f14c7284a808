import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { daemonEnvironment, daemonFlags } from '../../bench/forked.ts'
import { startBenchmark } from '../support/benchmark.ts'
import { isGone } from '../support/process-state.ts'

const run = (args: readonly string[], scratch: string) =>
  startBenchmark(['deliver', '--quick', ...args], scratch)

function scratchOf(t: { testdir: () => string }): string {
  const scratch = join(t.testdir(), 'scratch')
  mkdirSync(scratch)
  return scratch
}

/** Process ids of the direct children. */
function childrenOf(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split(' ').map(Number) : []
}

t.test('real servers take real letters, and every step is measured', async (t) => {
  const scratch = scratchOf(t)
  const { written, closed } = run(['--json', '--only', '16x16', '--only', 'one-at-a-time'], scratch)
  const [exitCode] = await closed
  t.equal(exitCode, 0, written.stderr)
  const { bench, measures } = JSON.parse(written.stdout) as {
    bench: string
    measures: { name: string; value: number; target: unknown; ok: boolean | null }[]
  }
  t.equal(bench, 'deliver')
  const names = measures.map(({ name }) => name)
  for (const step of ['transport', 'decode', 'checks', 'receipts', 'store']) {
    t.ok(names.includes(`cpu-16x16-${step}`), step)
  }
  const judged = measures.filter(({ target }) => target !== null).map(({ name }) => name)
  t.same(judged, ['durable-vs-unstored-16x16', 'cpu-16x16', 'single-vs-floor'])
  for (const { name, value, target, ok } of measures) {
    t.ok(Number.isFinite(value), name)
    t.equal(ok === null, target === null, `${name} has a verdict where it has a target`)
  }
  t.same(readdirSync(scratch), [], 'nothing is left behind')
})

t.test('a signal ends a run and everything it started', async (t) => {
  const scratch = scratchOf(t)
  const { child, written, closed } = run(['--only', 'one-at-a-time'], scratch)
  const pid = child.pid as number
  let servers: number[] = []
  for (let tries = 0; servers.length < 2 && tries < 3000; tries++) {
    await pause(20)
    servers = childrenOf(pid).filter((id) => id > 0)
  }
  t.equal(servers.length, 2, 'both processes were seen within a minute')
  child.kill('SIGTERM')
  const [exitCode] = await closed
  t.equal(exitCode, 1)
  t.match(written.stderr, /ended by SIGTERM/)
  t.equal(written.stdout, '')
  for (const server of servers) t.ok(await isGone(server), `process ${server} is gone`)
  t.same(readdirSync(scratch), [])
})

t.test('a benchmark process runs as a daemon does', async (t) => {
  const bin = readFileSync(join(import.meta.dirname, '../../bin/abzu.js'), 'utf8')
  const flags = /daemonFlags = \[([^\]]*)\]/.exec(bin)?.[1]?.match(/'[^']+'/g) ?? ['']
  for (const flag of daemonFlags) t.ok(flags.includes(`'${flag}'`), flag)
  const rest = flags.filter((flag) => !daemonFlags.includes(flag.replaceAll("'", '')))
  t.same(rest, ["'--disable-sigusr1'", "'--report-exclude-env'"], 'nothing else bears on speed')
  const threads = daemonEnvironment.UV_THREADPOOL_SIZE
  t.match(bin, `UV_THREADPOOL_SIZE = process.env.UV_THREADPOOL_SIZE || '${threads}'`)
})
