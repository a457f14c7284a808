import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { hasQuic } from '../../bench/mesh/quic-here.ts'
import { systemScheduler as scheduler } from '../../src/base/util/system-time.ts'

const entry = join(import.meta.dirname, '../../bench/run.ts')

interface Row {
  readonly name: string
  readonly value: number | null
  readonly target: { readonly op: string; readonly value: number } | null
  readonly ok: boolean | null
}

async function run(args: readonly string[], scratch: string) {
  const env = { ...process.env, TMPDIR: scratch }
  const child = spawn(process.execPath, [entry, 'mesh', '--quick', '--json', ...args], { env })
  const written = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (written.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (written.stderr += text))
  const [exitCode] = (await once(child, 'close')) as [number | null]
  return { exitCode, ...written }
}

t.test('a mesh is asked, written to, dialled and left alone', async (t) => {
  // a socket's path is short, and t.testdir() is not
  const scratch = mkdtempSync(join(tmpdir(), 'abzu-test-'))
  t.teardown(() => rmSync(scratch, { recursive: true, force: true }))
  const { exitCode, stdout, stderr } = await run([], scratch)
  t.equal(exitCode, 0, stderr)
  const { bench, measures } = JSON.parse(stdout) as { bench: string; measures: Row[] }
  t.equal(bench, 'mesh')
  const targets = measures.flatMap(({ name, target }) =>
    target === null ? [] : [`${name} ${target.op} ${target.value}`],
  )
  t.same(targets, [
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
