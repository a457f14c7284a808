import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { accountIdOf } from '../../../src/base/crypto/address.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { formatShare, splitWords } from '../../../src/base/crypto/recovery-share.ts'
import { newWords, rootKeysOf } from '../../../src/base/crypto/words.ts'
import { abzu, type Ended } from '../../support/cli.ts'
import { startFakeDaemon } from '../../support/fake-daemon.ts'
import { tempHome } from '../../support/temp-home.ts'
import { atTerminal, noTerminal } from '../../support/terminal.ts'

const platform = nodePlatform()
const words = newWords(platform)
const id = accountIdOf(platform.ed25519.publicKey(rootKeysOf(platform, words).rootSeed))

/** A home whose daemon has the account anna, locked, of these words. */
async function home(t: Test) {
  const env = tempHome(t)
  const daemon = await startFakeDaemon(env)
  t.teardown(() => daemon.close())
  daemon.accounts.idOf = () => id
  await daemon.accounts.create({ name: 'anna', role: 'admin', password: Buffer.from('secret') })
  await daemon.accounts.lock('anna')
  return { ...fileIn(env), daemon }
}

function fileIn(env: { readonly ABZU_HOME: string }) {
  const file = (name: string, content: string): string => {
    const path = join(env.ABZU_HOME, name)
    writeFileSync(path, content, { mode: 0o600 })
    return path
  }
  return { env, file }
}

async function textsOf(need: number, of: number): Promise<string[]> {
  return (await splitWords(platform, words, { need, of })).map(formatShare)
}

function fails(t: Test, { code, stdout, stderr }: Ended, error: string): void {
  t.strictSame({ code, stdout }, { code: error === 'ABZU_INVALID_ARGUMENT' ? 64 : 65, stdout: '' })
  t.match(JSON.parse(stderr), { error: { code: error, message: String } }, error)
}

t.test('the words of the account, of another one, and of none', async (t) => {
  const { env, file } = await home(t)
  const check = (content: string, ...args: string[]) =>
    abzu(env, ['account', 'words', '--check', '--words-file', file('words', content), ...args])
  const own = await check(`${words.join(' ').toUpperCase()}\n`, '--json')
  t.equal(own.code, 0)
  t.strictSame(JSON.parse(own.stdout), { id, name: 'anna', matches: true })
  const others = await check(newWords(platform).join(' '), '--account', 'anna', '--json')
  t.equal(others.code, 1)
  t.strictSame(JSON.parse(others.stdout), { id, name: 'anna', matches: false })
  t.equal(
    (await check(words.join(' '))).stdout,
    'These are the words of anna. They bring it back on any node.\n',
  )
  t.match((await check(newWords(platform).join(' '))).stdout, /not those of anna/)
  const noWords = [...words.slice(1), words[0]].join(' ')
  fails(t, await check(noWords, '--json'), 'ABZU_WORDS_INVALID')
})

t.test('words from standard input', async (t) => {
  const { env } = await home(t)
  const args = ['account', 'words', '--check', '--words-file', '-', '--json']
  t.match(JSON.parse((await abzu(env, args, words.join('\n'))).stdout), { matches: true })
})

t.test('what is neither a check nor a joining', async (t) => {
  const { env, file } = await home(t)
  const base = ['account', 'words', '--words-file', file('words', words.join(' ')), '--json']
  for (const args of [[], ['--check', '--join'], [...words], ['--check', ...words]]) {
    fails(t, await abzu(env, [...base, ...args]), 'ABZU_INVALID_ARGUMENT')
  }
  fails(t, await abzu(env, ['account', 'words', '--check', '--json']), 'ABZU_INVALID_ARGUMENT')
  fails(t, await abzu(env, ['account', 'words', '--join', '--json']), 'ABZU_INVALID_ARGUMENT')
})

t.test('words from shares, without a daemon', async (t) => {
  const { env, file } = fileIn(tempHome(t))
  const texts = await textsOf(2, 3)
  const joined = (lines: readonly string[], ...args: string[]) =>
    abzu(env, ['account', 'words', '--join', '--shares-file', file('s', lines.join('\n')), ...args])
  const { code, stdout } = await joined([texts[2] ?? '', '', ` ${texts[0]} `], '--json')
  t.equal(code, 0)
  t.strictSame(JSON.parse(stdout), { id, words })
  const { stdout: told } = await joined(texts)
  t.ok(told.startsWith(`The words of ${id}:\n`))
  for (const word of words) t.ok(told.includes(` ${word}`))
  const anew = await textsOf(2, 3)
  for (const wrong of [
    [texts[0] ?? ''],
    [texts[0] ?? '', texts[0] ?? ''],
    [texts[0] ?? '', anew[1] ?? ''],
    [texts[0] ?? '', words.join(' ')],
    [texts[0] ?? '', (texts[1] ?? '').replace(/.$/, (last) => (last === 'q' ? 'p' : 'q'))],
  ]) {
    fails(t, await joined(wrong, '--json'), 'ABZU_SHARE_INVALID')
  }
  t.match((await joined([texts[0] ?? '', 'abzushare1'])).stderr, /share 2: this is no share/)
})

t.test('shares that are typed, each judged at once', { skip: noTerminal }, async (t) => {
  const { env } = fileIn(tempHome(t))
  const [first = '', second = ''] = await textsOf(2, 2)
  const { code, screen } = await atTerminal(
    env,
    ['account', 'words', '--join'],
    [
      [/Share 1/, `${first.slice(0, -1)}\r`],
      [/a letter of it is wrong/, `${first.at(-1)}\r`],
      [/Share 2 of 2/, `${second.toUpperCase()}\r`],
    ],
  )
  t.equal(code, 0, screen)
  t.match(screen, new RegExp(`The words of ${id}`))
})
