import t, { type Test } from 'tap'
import { abzu } from '../../support/cli.ts'
import { startFakeDaemon } from '../../support/fake-daemon.ts'
import { tempHome } from '../../support/temp-home.ts'
import { atTerminal, noTerminal } from '../../support/terminal.ts'

async function daemon(t: Test) {
  const env = tempHome(t)
  const { close, federation } = await startFakeDaemon(env)
  t.teardown(close)
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await abzu(env, ['peer', ...args])
    t.strictSame({ code, stderr }, { code: 0, stderr: '' }, args.join(' '))
    return stdout
  }
  return { env, run, federation }
}

t.test('invite, accept, list, remove', async (t) => {
  const { run } = await daemon(t)
  const code = 'abzu-peer:24'
  t.match(JSON.parse(await run('invite', '--json')), { code, until: String })
  t.match(
    await run('invite', '--hours', '1'),
    /^abzu-peer:1\n\n[█▀▄ \n]+\n[^]*works once, until 2026-/,
  )
  t.match(await run('list'), 'no peer yet: abzu peer invite')
  t.strictSame(JSON.parse(await run('list', '--json')), { peers: [] })
  const peer = {
    peerId: `12D3KooW${'B'.repeat(44)}`,
    name: 'ann',
    quotaBytes: 5e8,
    grantedBytes: 24,
    connected: true,
    since: '2026-11-05T12:00:00.000Z',
  }
  const accept = ['accept', code, '--name', 'ann', '--quota', '500MB']
  t.strictSame(JSON.parse(await run(...accept, '--json')), peer)
  t.match(await run(...accept), /^The two nodes trust each other now.\nann {2}connected/)
  t.strictSame(JSON.parse(await run('list', '--json')), { peers: [peer] })
  t.match(await run('list'), /^ann {2}connected, 500 MB for it, 24 B there {2}12D3KooWB+\n$/)
  t.strictSame(JSON.parse(await run('remove', 'ann', '--yes', '--json')), peer)
  await run('accept', code)
  t.match(await run('remove', 'friend'), 'friend is trusted no more.')
})

t.test('at a terminal it asks before it removes', { skip: noTerminal }, async (t) => {
  const { env, run, federation } = await daemon(t)
  await run('accept', 'abzu-peer:24')
  const refused = await atTerminal(env, ['peer', 'remove', 'friend'], [[/no more\?/, 'n']])
  t.equal(refused.code, 64)
  t.match(refused.screen, /nothing was done/)
  t.equal(federation.list().length, 1)
  const agreed = await atTerminal(env, ['peer', 'remove', 'friend'], [[/no more\?/, 'y']])
  t.equal(agreed.code, 0, agreed.screen)
  await run('accept', 'abzu-peer:24')
  t.equal((await atTerminal(env, ['peer', 'remove', 'friend', '--yes'])).code, 0)
  t.strictSame(federation.list(), [])
})
