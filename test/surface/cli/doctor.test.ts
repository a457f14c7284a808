import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Finding } from '../../../src/base/health/finding.ts'
import { abzu, spawnAbzu } from '../../support/cli.ts'
import { startFakeDaemon } from '../../support/fake-daemon.ts'
import { tempHome } from '../../support/temp-home.ts'

interface Told {
  readonly ok: boolean
  readonly findings: readonly Finding[]
}

function told({ stdout }: { stdout: string }): Told & Record<string, unknown> {
  const told = JSON.parse(stdout) as Told
  const byCheck = Object.fromEntries(told.findings.map(({ check, severity }) => [check, severity]))
  return { ...told, ...byCheck }
}

t.test('all is well: 0; notes change nothing; a warning or an error: 1', async (t) => {
  const env = tempHome(t)
  const daemon = await startFakeDaemon(env)
  t.teardown(() => daemon.close())
  const run = async () => abzu(env, ['doctor', '--json'])
  t.equal((await run()).code, 0)
  t.match(told(await run()), { ok: true, fake: 'ok', config: 'ok' })
  const trouble = { check: 'fake', found: 'a thing', means: 'no good', remedy: 'mend it' }
  daemon.node.found = [{ ...trouble, severity: 'note' }]
  t.equal((await run()).code, 0)
  for (const severity of ['warning', 'error'] as const) {
    daemon.node.found = [{ ...trouble, severity }]
    t.equal((await run()).code, 1)
    const { code, stdout, stderr } = await abzu(env, ['doctor'])
    t.equal(code, 1)
    t.equal(stderr, '')
    t.match(stdout, `${severity.padEnd(7)}  fake: a thing\n`)
    t.match(stdout, 'means: no good\n         do: mend it\n')
  }
})

t.test('what a finding quotes is inert', async (t) => {
  const env = tempHome(t)
  const daemon = await startFakeDaemon(env)
  t.teardown(() => daemon.close())
  daemon.node.found = [{ check: 'fake', severity: 'ok', found: '\u001b[2J\u202e' }]
  const { stdout } = await abzu(env, ['doctor'])
  t.notMatch(stdout, '\u001b')
  t.notMatch(stdout, '\u202e')
})

t.test('--verify and --confirm-time', async (t) => {
  const env = tempHome(t)
  const daemon = await startFakeDaemon(env)
  t.teardown(() => daemon.close())
  t.notOk('store-verified' in told(await abzu(env, ['doctor', '--json'])))
  t.notOk(daemon.node.isTimeConfirmed)
  const verified = await abzu(env, ['doctor', '--verify', '--confirm-time', '--json'])
  t.match(told(verified), { 'store-verified': 'ok' })
  t.ok(daemon.node.isTimeConfirmed)
})

t.test('without a daemon it looks at what it can', async (t) => {
  const env = tempHome(t)
  const down = await abzu(env, ['doctor', '--json'])
  t.equal(down.code, 1)
  t.match(told(down), { ok: false, permissions: 'ok', 'disk-space': 'ok', daemon: 'error' })
  writeFileSync(join(env.ABZU_HOME, 'config.json'), '{"colour":1}')
  writeFileSync(join(env.ABZU_HOME, 'machine.key'), '', { mode: 0o644 })
  chmodSync(env.ABZU_HOME, 0o755)
  const open = await abzu(env, ['doctor', '--json'])
  t.equal(open.code, 1)
  t.match(told(open), { permissions: 'error', config: 'error', daemon: 'error' })
  for (const option of ['--verify', '--confirm-time']) {
    t.equal((await abzu(env, ['doctor', option])).code, 69, 'that needs a daemon')
  }
})

t.test('a real daemon: alone, its store whole, its records good; and its numbers', async (t) => {
  const env = tempHome(t)
  const { child, ended } = spawnAbzu(env, ['start', '--tcp', '127.0.0.1:0', '--no-lan'])
  t.teardown(() => child.kill('SIGKILL'))
  t.equal((await abzu(env, ['status', '--wait', '20'])).code, 0)
  const created = spawnAbzu(env, ['account', 'create', 'anna', '--password-fd', '0', '--json'], {
    stdio: 'pipe',
  })
  created.child.stdin?.end('a good password')
  t.equal((await created.ended).code, 0)
  const { code, stdout } = await abzu(env, ['doctor', '--verify', '--json'])
  t.equal(code, 1, 'it has no peer')
  const { ok: _, findings, ...checks } = told({ stdout })
  t.same(checks, {
    config: 'ok',
    permissions: 'ok',
    'disk-space': checks['disk-space'],
    store: 'ok',
    clock: 'ok',
    reachability: 'warning',
    peers: 'warning',
    records: 'ok',
    'store-verified': 'ok',
  })
  t.notMatch(JSON.stringify(findings), /abzu1|12D3Koo|anna/)
  t.equal((await abzu(env, ['doctor', '--confirm-time'])).code, 1)
  const numbers = (await abzu(env, ['metrics'])).stdout
  t.match(numbers, /^abzu_mailboxes 1$/m)
  t.match(numbers, /^abzu_store_writes_total [1-9]/m)
  t.notMatch(numbers, /abzu1|12D3Koo|anna|libp2p_/)
  t.equal((await abzu(env, ['stop'])).code, 0)
  await ended
})
