import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { AbzuError } from '../../../src/base/util/errors.ts'
import { abzu, type Ended } from '../../support/cli.ts'
import { startFakeDaemon } from '../../support/fake-daemon.ts'
import { fakeId } from '../../support/fake-services.ts'
import { tempHome } from '../../support/temp-home.ts'

async function home(t: Test) {
  const env = tempHome(t)
  const daemon = await startFakeDaemon(env)
  t.teardown(() => daemon.close())
  const file = (name: string, content: string): string => {
    const path = join(env.ABZU_HOME, name)
    writeFileSync(path, content, { mode: 0o600 })
    return path
  }
  const pw = file('pw', 'secret\n')
  const run = async (...args: string[]): Promise<Ended> => abzu(env, [...args, '--json'])
  await run('account', 'create', 'anna', '--role', 'admin', '--password-file', pw)
  const to = join(env.ABZU_HOME, 'anna.age')
  return { ...daemon, env, file, pw, run, to }
}

function fails(t: Test, { code, stdout, stderr }: Ended, exitCode: number, error: string): void {
  t.strictSame({ code, stdout }, { code: exitCode, stdout: '' }, error)
  t.match(JSON.parse(stderr), { error: { code: error, message: String } })
}

function leftovers(dir: string): string[] {
  return readdirSync(dir).filter((name) => name.endsWith('.part'))
}

t.test('a file for its owner only, whole or not at all', async (t) => {
  const { accounts, env, pw, run, to } = await home(t)
  const args = ['account', 'export', '--account', 'anna', '--to', to, '--password-file', pw]
  const { code, stdout } = await run(...args)
  t.equal(code, 0)
  t.strictSame(JSON.parse(stdout), { file: to, bytes: 6 })
  t.equal(readFileSync(to, 'utf8'), 'sealed')
  t.equal(statSync(to).mode & 0o777, 0o600)
  t.strictSame(accounts.locks, [{ password: 'secret' }])

  writeFileSync(to, 'what was there')
  fails(t, await run(...args), 64, 'ABZU_ALREADY_EXISTS')
  t.equal(readFileSync(to, 'utf8'), 'what was there')
  accounts.exports = [new Uint8Array(100), new AbzuError('ABZU_STORE_DAMAGED', 'a bad row')]
  fails(t, await run(...args, '--force'), 75, 'ABZU_CLOSED')
  t.equal(readFileSync(to, 'utf8'), 'what was there', 'an export that breaks off replaces nothing')
  accounts.exports = [new AbzuError('ABZU_STORE_DAMAGED', 'a bad row')]
  fails(t, await run(...args, '--force'), 74, 'ABZU_STORE_DAMAGED')
  accounts.exports = [new TextEncoder().encode('new')]
  t.equal((await run(...args, '--force')).code, 0)
  t.equal(readFileSync(to, 'utf8'), 'new')
  t.strictSame(leftovers(env.ABZU_HOME), [])
})

t.test('to a key, and what cannot be', async (t) => {
  const { accounts, env, pw, run, to } = await home(t)
  const base = ['account', 'export', '--to', to]
  t.equal((await run(...base, '--recipient', 'age1x')).code, 0)
  t.strictSame(accounts.locks, [{ recipient: 'age1x' }])
  const both = await run(...base, '--recipient', 'age1x', '--password-file', pw)
  fails(t, both, 64, 'ABZU_INVALID_ARGUMENT')
  fails(t, await run(...base), 64, 'ABZU_INVALID_ARGUMENT')
  fails(t, await run('account', 'export', '--password-file', pw), 64, 'ABZU_INVALID_ARGUMENT')
  const nowhere = join(env.ABZU_HOME, 'no', 'such', 'file')
  const there = ['account', 'export', '--to', nowhere, '--password-file', pw]
  fails(t, await run(...there), 74, 'ABZU_IO')
  await accounts.lock('anna')
  fails(t, await run(...base, '--force', '--password-file', pw), 77, 'ABZU_LOCKED')
})

t.test('a file comes in, however long it is', async (t) => {
  const { accounts, uploads, env, file, pw, run } = await home(t)
  const long = 'x'.repeat(9 * 1024 * 1024)
  const path = file('carla.age', long)
  const { code, stdout, stderr } = await run('account', 'import', path, '--password-file', pw)
  t.strictSame([code, stderr], [0, ''])
  t.strictSame(JSON.parse(stdout), {
    id: fakeId(1),
    name: 'carla',
    role: 'adult',
    items: 7,
    bytes: 4321,
    isUpToDate: true,
  })
  t.equal(accounts.imported[0]?.file, long)
  t.match(accounts.imported[0], { secret: { password: 'secret' } })
  t.equal(uploads.size, 0)
  t.ok(existsSync(join(env.ABZU_HOME, 'sessions', fakeId(1))), 'a session is open')
})

t.test('under another name, with another password, by an identity', async (t) => {
  const { accounts, file, pw, run } = await home(t)
  const path = file('x.age', 'x')
  const other = file('other', 'of the file\n')
  const identity = file('key.txt', '# created: today\n# public key: age1x\nAGE-SECRET-KEY-1QQ\n')
  const base = ['account', 'import', path, '--password-file', pw]
  const named = [...base, '--name', 'dora', '--role', 'child']
  t.equal((await run(...named, '--file-password-file', other)).code, 0)
  t.match(accounts.imported.at(-1), {
    name: 'dora',
    role: 'child',
    secret: { password: 'of the file' },
  })
  t.equal((await run(...base, '--name', 'emil', '--file-identity', identity)).code, 0)
  t.match(accounts.imported.at(-1), { secret: { identity: 'AGE-SECRET-KEY-1QQ' } })
  const both = await run(...base, '--file-identity', identity, '--file-password-file', other)
  fails(t, both, 64, 'ABZU_INVALID_ARGUMENT')
  fails(t, await run(...base, '--file-identity', other), 65, 'ABZU_FILE_INVALID')
  fails(t, await run(...base, '--role', 'king'), 64, 'ABZU_INVALID_ARGUMENT')
})

t.test('what is no file, or no export', async (t) => {
  const { accounts, uploads, env, file, pw, run } = await home(t)
  const missing = join(env.ABZU_HOME, 'nothing')
  fails(t, await run('account', 'import', missing, '--password-file', pw), 65, 'ABZU_FILE_INVALID')
  const directory = await run('account', 'import', env.ABZU_HOME, '--password-file', pw)
  fails(t, directory, 65, 'ABZU_FILE_INVALID')
  const newer = await run('account', 'import', file('n', 'newer'), '--password-file', pw)
  fails(t, newer, 65, 'ABZU_EXPORT_NEWER')
  t.equal(accounts.list().length, 1)
  t.equal(uploads.size, 0)
})
