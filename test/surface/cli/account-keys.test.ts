import { openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { abzu, type Ended } from '../../support/cli.ts'
import { startFakeDaemon } from '../../support/fake-daemon.ts'
import { fakeId } from '../../support/fake-services.ts'
import { tempHome } from '../../support/temp-home.ts'
import { atTerminal, noTerminal } from '../../support/terminal.ts'

const device = '0123456789abcdef'

/** A home with the unlocked account anna, whose password is in `old`. */
async function home(t: Test) {
  const env = tempHome(t)
  const daemon = await startFakeDaemon(env)
  t.teardown(() => daemon.close())
  const file = (name: string, content: string): string => {
    const path = join(env.ABZU_HOME, name)
    writeFileSync(path, content, { mode: 0o600 })
    return path
  }
  const old = file('old', 'secret\n')
  const run = (...args: string[]): Promise<Ended> => abzu(env, ['account', ...args, '--json'])
  t.equal((await run('create', 'anna', '--password-file', old)).code, 0)
  const contacts = async () => (await abzu(env, ['contact', 'list', '--json'])).code
  return { ...daemon, env, file, old, run, contacts }
}

t.test('another password, and this command line has a session still', async (t) => {
  const { run, file, old, accounts, env, contacts } = await home(t)
  const next = file('next', 'another\n')
  const args = ['password', '--password-file', old, '--new-password-file', next]
  const { code, stdout, stderr } = await run(...args)
  t.strictSame([code, stderr], [0, ''])
  t.strictSame(JSON.parse(stdout), { id: fakeId(0), name: 'anna', changed: true })
  t.equal(await contacts(), 0)
  t.ok(
    accounts.passwords.every((bytes) => bytes.every((byte) => byte === 0)),
    'wiped',
  )
  t.match(JSON.parse((await run(...args)).stderr), { error: { code: 'ABZU_WRONG_PASSWORD' } })
  const fd = String(openSync(next, 'r'))
  const back = await run('password', '--password-fd', fd, '--new-password-file', old)
  t.equal(back.code, 0, back.stderr)
  t.equal((await run('unlock', 'anna', '--password-file', old)).code, 0)
  const both = [...args, '--new-password-fd', '7']
  t.equal((await run(...both)).code, 64)
  t.equal((await abzu(env, ['account', 'password', '--new-password-fd', 'x'])).code, 64)
  await run('lock', 'anna')
  t.equal((await run(...args)).code, 77, 'only who is unlocked')
})

t.test('new keys by the words, without them, and for others', async (t) => {
  const { run, file, old, keys, contacts } = await home(t)
  const words = file('words', ' 1. some   2. words\n')
  const next = file('next', 'another\n')
  const rotated = await run('rotate', '--words-file', words, '--password-file', next)
  t.equal(rotated.code, 0, rotated.stderr)
  t.strictSame(JSON.parse(rotated.stdout), { id: fakeId(0), name: 'anna', device: true })
  t.equal(await contacts(), 0, 'with a session')
  const only = await run('rotate', '--keys-only', '--password-file', next)
  t.match(JSON.parse(only.stdout), { device: false })
  t.equal((await run('rotate', '--keys-only', '--password-file', old)).code, 77)
  const args = ['--words-file', words, '--password-file', next]
  const revoked = await run('revoke', device, 'fedcba9876543210', ...args)
  t.strictSame(JSON.parse(revoked.stdout).revoked, [device, 'fedcba9876543210'])
  t.match(
    keys.rotated.map(({ words: said, ...rest }) => ({
      ...rest,
      said: said?.[0]?.trim().split(/\s+/),
    })),
    [
      { account: fakeId(0), said: ['some', 'words'] },
      { account: fakeId(0), said: undefined },
      { account: fakeId(0), said: ['some', 'words'], revoke: [device, 'fedcba9876543210'] },
    ],
  )
  t.equal((await run('revoke', 'all', ...args)).code, 64, 'no device')
  t.equal((await run('revoke', ...args)).code, 64)
  const wrong = file('wrong', 'wrong')
  t.equal((await run('rotate', '--words-file', wrong, '--password-file', next)).code, 65)
  t.equal((await run('rotate', '--password-file', next)).code, 64, 'nobody is there to type words')
})

t.test('the devices', async (t) => {
  const { run, env, keys } = await home(t)
  keys.listed.push({ id: 'fedcba9876543210', here: false, docSeq: 1 })
  const { devices } = JSON.parse((await run('devices')).stdout) as { devices: unknown }
  t.strictSame(devices, keys.listed)
  const { stdout } = await abzu(env, ['account', 'devices'])
  t.equal(stdout, `${device}  this node\nfedcba9876543210  elsewhere\n`)
})

t.test('changed keys of a contact are told once', async (t) => {
  const { env, accounts } = await home(t)
  const keysChangedAt = '2026-11-05T12:00:00.000Z'
  const member = accounts.member('anna')
  member.receive({ text: 'before' })
  member.receive({ from: fakeId(7), name: 'carl', keysChangedAt })
  member.receive({ from: fakeId(7), name: 'carl', keysChangedAt })
  const { stdout } = await abzu(env, ['inbox'])
  t.match(stdout, /before\ncarl's keys changed 2026-11-05T12:00:00.000Z: abzu contact verify\n/)
  t.equal(stdout.split('keys changed').length, 2)
  const lines = (await abzu(env, ['inbox', '--json'])).stdout.trim().split('\n')
  t.match(JSON.parse(lines[1] ?? ''), { name: 'carl', keysChangedAt })
})

t.test('at a terminal, secrets are typed unseen', { skip: noTerminal }, async (t) => {
  const { env, keys } = await home(t)
  const typed = [/Password/, 'secret\r'] as const
  const twice = [
    [/New password/, 'another\r'],
    [/The same again/, 'another\r'],
  ] as const
  const changed = await atTerminal(env, ['account', 'password'], [typed, ...twice])
  t.equal(changed.code, 0, changed.screen)
  const rotated = await atTerminal(
    env,
    ['account', 'rotate'],
    [[/The 24 words/, 'some words\r'], ...twice],
  )
  t.equal(rotated.code, 0, rotated.screen)
  t.match(rotated.screen, /anna has new keys/)
  t.equal(keys.rotated.length, 1)
  t.notMatch(changed.screen + rotated.screen, /secret|another|some words/)
  const kept = await atTerminal(env, ['account', 'revoke', device], [[/Revoke 0123/, 'n']])
  t.equal(kept.code, 64, kept.screen)
  t.equal(keys.rotated.length, 1, 'asked first')
})
