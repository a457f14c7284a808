import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { abzu, spawnAbzu } from '../../support/cli.ts'
import { startFakeDaemon } from '../../support/fake-daemon.ts'
import { tempHome } from '../../support/temp-home.ts'
import { atTerminal, noTerminal } from '../../support/terminal.ts'

async function household(t: Test, password: string) {
  const env = tempHome(t)
  const daemon = await startFakeDaemon(env)
  t.teardown(() => daemon.close())
  const bytes = new TextEncoder().encode(password)
  await daemon.accounts.create({ name: 'anna', role: 'admin', password: bytes })
  await daemon.accounts.lock('anna')
  let files = 0
  const file = (content: string | Uint8Array, mode = 0o600): string => {
    const path = join(env.ABZU_HOME, `pw${files++}`)
    writeFileSync(path, content, { mode })
    return path
  }
  const unlock = (...args: string[]) => abzu(env, ['account', 'unlock', 'anna', ...args])
  return { ...daemon, env, file, unlock }
}

t.test('a file: one line end is dropped, nothing else', async (t) => {
  for (const [password, contents] of [
    ['secret', ['secret', 'secret\n', 'secret\r\n']],
    ['two words ', ['two words ', 'two words \n']],
    ['line\n', ['line\n\n']],
    ['äöü 中', ['äöü 中\n', 'a\u0308o\u0308u\u0308 中\n']],
    ['x'.repeat(1024), [`${'x'.repeat(1024)}\n`]],
  ] as const) {
    const { file, unlock } = await household(t, password)
    for (const content of contents) {
      const { code, stderr } = await unlock('--password-file', file(content))
      t.strictSame({ code, stderr }, { code: 0, stderr: '' }, JSON.stringify(content).slice(0, 40))
    }
    t.equal((await unlock('--password-file', file(`${password}x`.slice(-9)))).code, 77)
  }
})

t.test('a file that holds no password', async (t) => {
  const { file, unlock, env } = await household(t, 'secret')
  const dir = join(env.ABZU_HOME, 'dir')
  mkdirSync(dir)
  for (const [what, path] of [
    ['empty', file('')],
    ['a line end', file('\n')],
    ['not UTF-8', file(Uint8Array.of(0xff, 0xfe, 0x0a))],
    ['too long', file('x'.repeat(1030))],
    ['endless', '/dev/zero'],
    ['a directory', dir],
    ['missing', join(env.ABZU_HOME, 'missing')],
  ] as const) {
    const { code, stderr, stdout } = await unlock('--password-file', path, '--json')
    t.strictSame([code, stdout], [65, ''], what)
    t.match(JSON.parse(stderr), { error: { code: 'ABZU_FILE_INVALID' } }, what)
  }
})

t.test('a file that others may read is taken, and told of to people', async (t) => {
  const { file, unlock } = await household(t, 'secret')
  const wide = file('secret', 0o644)
  const text = await unlock('--password-file', wide)
  t.equal(text.code, 0)
  t.match(text.stderr, /others on this machine may read .*: chmod 600 it/)
  const json = await unlock('--password-file', wide, '--json')
  t.strictSame([json.code, json.stderr], [0, ''])
})

t.test('a descriptor', async (t) => {
  const { file, env } = await household(t, 'secret')
  const unlock = async (content: string) => {
    const fd = openSync(file(content), 'r')
    const args = ['account', 'unlock', 'anna', '--password-fd', '3']
    const { ended } = spawnAbzu(env, args, { stdio: ['ignore', 'pipe', 'pipe', fd] })
    const { code } = await ended
    closeSync(fd)
    return code
  }
  t.equal(await unlock('secret\n'), 0)
  t.equal(await unlock('wrong\n'), 77)
  t.equal(await unlock(''), 65)
  const closed = spawnAbzu(env, ['account', 'unlock', 'anna', '--password-fd', '9'])
  t.equal((await closed.ended).code, 65)
  const { child, ended } = spawnAbzu(env, ['account', 'unlock', 'anna', '--password-fd', '0'], {
    stdio: 'pipe',
  })
  child.stdin?.end('secret\n')
  t.equal((await ended).code, 0)
})

t.test('nobody to ask', async (t) => {
  const { unlock } = await household(t, 'secret')
  const { code, stderr } = await unlock('--json')
  t.equal(code, 64)
  t.match(JSON.parse(stderr), {
    error: { code: 'ABZU_INVALID_ARGUMENT', message: /--password-file/ },
  })
})

t.test('a terminal: asked once, and nothing of it is shown', { skip: noTerminal }, async (t) => {
  const { env, accounts } = await household(t, 'tErm1nal-s3cret')
  const right = await atTerminal(
    env,
    ['account', 'unlock', 'anna'],
    [[/Password/, 'tErm1nal-s3cret\r']],
  )
  t.equal(right.code, 0, right.screen)
  t.match(right.screen, /anna is unlocked/)
  t.notMatch(right.screen, /tErm1nal|s3cret/)
  t.notMatch(right.screen, /[*•▪]/, 'nor how long it is')
  await accounts.lock('anna')
  const wrong = await atTerminal(env, ['account', 'unlock', 'anna'], [[/Password/, 'wrong\r']])
  t.equal(wrong.code, 77, wrong.screen)
  const left = await atTerminal(env, ['account', 'unlock', 'anna'], [[/Password/, '\u0003']])
  t.equal(left.code, 64, left.screen)
})

t.test('a terminal: a new password is asked for twice', { skip: noTerminal }, async (t) => {
  const { env } = await household(t, 'secret')
  const create = (...typed: [string, string]) =>
    atTerminal(
      env,
      ['account', 'create', 'berta'],
      [
        [/New password/, typed[0]],
        [/The same again/, typed[1]],
      ],
    )
  const different = await create('one-thing\r', 'another\r')
  t.equal(different.code, 64, different.screen)
  t.match(different.screen, /the two passwords differ/)
  const same = await create('one-thing\r', 'one-thing\r')
  t.equal(same.code, 0, same.screen)
  t.match(same.screen, /Write these words down/)
  t.notMatch(same.screen, /one-thing/)
})
