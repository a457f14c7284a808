import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { AbzuError } from '../../../src/base/util/errors.ts'
import { abzu, spawnAbzu, type Ended } from '../../support/cli.ts'
import { startFakeDaemon } from '../../support/fake-daemon.ts'
import { fakeId } from '../../support/fake-services.ts'
import { tempHome } from '../../support/temp-home.ts'
import { atTerminal, noTerminal } from '../../support/terminal.ts'

const words = `${'abandon '.repeat(11)}about`
const peer = '/ip4/192.0.2.1/tcp/4180/p2p/12D3KooWFake'

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
  const base = ['account', 'recover', '--name', 'anna', '--password-file', pw]
  const recover = (args: string[], stdin?: string): Promise<Ended> =>
    abzu(env, [...base, ...args], stdin)
  return { ...daemon, env, file, pw, recover }
}

function fails(t: Test, { code, stdout, stderr }: Ended, exitCode: number, error: string): void {
  t.strictSame({ code, stdout }, { code: exitCode, stdout: '' }, error)
  t.match(JSON.parse(stderr), { error: { code: error, message: String } })
}

t.test('words from a file: one line of JSON, and a session', async (t) => {
  const { recover, file, accounts, env } = await home(t)
  const path = file('words', `${words}\n`)
  const { code, stdout, stderr } = await recover(['--words-file', path, '--peer', peer, '--json'])
  t.strictSame([code, stderr], [0, ''])
  t.strictSame(JSON.parse(stdout), {
    id: fakeId(0),
    name: 'anna',
    role: 'admin',
    items: 7,
    bytes: 4321,
  })
  t.strictSame(accounts.recovered, [{ words: [words], name: 'anna', peer }])
  const session = join(env.ABZU_HOME, 'sessions', fakeId(0))
  t.equal(statSync(session).mode & 0o777, 0o600)
  t.equal((await abzu(env, ['contact', 'list', '--json'])).code, 0, 'it is unlocked for commands')
  t.ok(accounts.passwords.every((bytes) => bytes.every((byte) => byte === 0)))
})

t.test('words from standard input, with the numbers that account create shows', async (t) => {
  const { recover, accounts } = await home(t)
  const numbered = words
    .split(' ')
    .map((word, n) => `${String(n + 1).padStart(4)} ${word.padEnd(10)}${n % 4 === 3 ? '\n' : ''}`)
    .join('')
  const { code, stdout, stderr } = await recover(['--words-file', '-'], numbered)
  t.equal(code, 0, stderr)
  t.equal(stderr, '', 'progress is for terminals')
  t.match(stdout, /^anna is abzu1\w+, recovered and unlocked: 7 items, 5 kB\.\n/)
  t.equal(accounts.recovered.length, 1)
})

t.test('what is not a way to recover', async (t) => {
  const { recover, file, accounts, env, pw } = await home(t)
  const wrong = file('wrong', words.replace('about', 'abandon'))
  fails(t, await recover(['--words-file', wrong, '--json']), 65, 'ABZU_WORDS_INVALID')
  for (const content of ['', '\n', 'x'.repeat(1100)]) {
    const path = file('none', content)
    fails(t, await recover(['--words-file', path, '--json']), 65, 'ABZU_FILE_INVALID')
  }
  const missing = join(env.ABZU_HOME, 'missing')
  fails(t, await recover(['--words-file', missing, '--json']), 65, 'ABZU_FILE_INVALID')
  fails(t, await recover(['--json']), 64, 'ABZU_INVALID_ARGUMENT')
  const right = file('right', words)
  for (const args of [
    ['account', 'recover', '--words-file', right, '--password-file', pw],
    ['account', 'recover', '--name', 'anna', '--password-file', pw, ...words.split(' ')],
    ['account', 'recover', '--name', 'anna', '--password-file', pw, '--words', words],
  ]) {
    fails(t, await abzu(env, [...args, '--json']), 64, 'ABZU_INVALID_ARGUMENT')
  }
  t.strictSame(accounts.recovered, [], 'nobody was asked for')
  t.notOk(existsSync(join(env.ABZU_HOME, 'sessions')))
})

t.test('an error that comes early, and one that comes late', async (t) => {
  const { recover, file, accounts } = await home(t)
  const args = ['--words-file', file('words', words), '--json']
  accounts.whileRecovering = async () => {
    throw new AbzuError('ABZU_UNREACHABLE', 'nobody there')
  }
  fails(t, await recover(args), 75, 'ABZU_UNREACHABLE')
  accounts.whileRecovering = async ({ progress }) => {
    progress({ items: 1, bytes: 100, itemsTotal: 9 })
    await new Promise((resolve) => setTimeout(resolve, 1200))
    throw new AbzuError('ABZU_DISK_FULL', 'no room')
  }
  fails(t, await recover(args), 74, 'ABZU_DISK_FULL')
})

t.test(
  'at a terminal: words and password unseen, and how far it is',
  { skip: noTerminal },
  async (t) => {
    const { env, accounts } = await home(t)
    accounts.whileRecovering = async ({ progress }) => {
      progress({ items: 12, bytes: 3_400_000, itemsTotal: 90 })
      await new Promise((resolve) => setTimeout(resolve, 1200))
      progress({ items: 90, bytes: 9_000_000, itemsTotal: 90 })
    }
    const { code, screen } = await atTerminal(
      env,
      ['account', 'recover', '--name', 'anna'],
      [
        [/The 24 words/, `${words}\r`],
        [/New password/, 'secret\r'],
        [/The same again/, 'secret\r'],
      ],
    )
    t.equal(code, 0, screen)
    t.match(screen, /12 of 90 items, 3\.4 MB/)
    t.match(screen, /recovered and unlocked: 90 items, 9\.0 MB/)
    t.notMatch(screen, /abandon|secret/)
  },
)

t.test('who leaves ends it', async (t) => {
  const { env, accounts, file, pw } = await home(t)
  let ended: unknown
  const begun = Promise.withResolvers<void>()
  const over = Promise.withResolvers<void>()
  accounts.whileRecovering = async ({ signal }) => {
    begun.resolve()
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    ended = signal.reason
    over.resolve()
    signal.throwIfAborted()
  }
  const args = ['account', 'recover', '--name', 'anna', '--password-file', pw]
  const run = spawnAbzu(env, [...args, '--words-file', file('words', words)])
  await begun.promise
  run.child.kill('SIGINT')
  await run.ended
  await over.promise
  t.ok(ended)
  t.strictSame(accounts.list(), [])
})

t.test('an account that has moved is told of, and of where it is', async (t) => {
  const { env, accounts, pw } = await home(t)
  await accounts.create({ name: 'anna', role: 'admin', password: Buffer.from('secret') })
  await accounts.lock('anna')
  accounts.movedTo.set(fakeId(0), '12D3KooWNew')
  const listed = await abzu(env, ['account', 'list'])
  t.match(listed.stdout, /^anna {2}admin, moved to 12D3KooWNew {2}abzu1/)
  const json = await abzu(env, ['account', 'list', '--json'])
  t.match(JSON.parse(json.stdout), { accounts: [{ locked: true, movedTo: '12D3KooWNew' }] })
  fails(t, await abzu(env, ['inbox', '--json']), 77, 'ABZU_ACCOUNT_MOVED')
  const unlock = ['account', 'unlock', 'anna', '--password-file', pw, '--json']
  const refused = await abzu(env, unlock)
  fails(t, refused, 77, 'ABZU_ACCOUNT_MOVED')
  t.match(refused.stderr, /12D3KooWNew/)
})
