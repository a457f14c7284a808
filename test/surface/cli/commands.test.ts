import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { abzu, type Ended } from '../../support/cli.ts'
import { startFakeDaemon } from '../../support/fake-daemon.ts'
import { fakeId } from '../../support/fake-services.ts'
import { tempHome } from '../../support/temp-home.ts'

const friend = fakeId(31)
const link = `abzu:${friend}#secret`

/** A daemon with the account `anna`, created by the command line. */
async function household(t: Test) {
  const env = tempHome(t)
  const daemon = await startFakeDaemon(env)
  t.teardown(() => daemon.close())
  const pw = join(env.ABZU_HOME, 'pw')
  writeFileSync(pw, 'secret\n', { mode: 0o600 })
  const run = (...args: string[]): Promise<Ended> => abzu(env, args)
  const created = await run('account', 'create', 'anna', '--password-file', pw, '--json')
  t.equal(created.code, 0, created.stderr)
  const anna = () => daemon.accounts.member('anna')
  return { ...daemon, env, pw, run, anna, created }
}

/** Success, and nothing on stderr. */
function ok(t: Test, { code, stdout, stderr }: Ended): string {
  t.strictSame({ code, stderr }, { code: 0, stderr: '' })
  return stdout
}

/** Success, and exactly one line of JSON. */
function okJson(t: Test, ended: Ended): unknown {
  const stdout = ok(t, ended)
  t.match(stdout, /^[^\n]+\n$/, 'one line')
  return JSON.parse(stdout)
}

/** Failure, nothing on stdout, and one line of JSON on stderr. */
function failJson(t: Test, { code, stdout, stderr }: Ended, exitCode: number, error: string): void {
  t.strictSame({ code, stdout }, { code: exitCode, stdout: '' }, error)
  t.match(stderr, /^[^\n]+\n$/, 'one line')
  t.match(JSON.parse(stderr), { error: { code: error, message: String } })
  t.strictSame(Object.keys(JSON.parse(stderr) as object), ['error'])
}

t.test('account create', async (t) => {
  const { created, run, pw } = await household(t)
  const told = okJson(t, created) as { words: string[] }
  t.strictSame(Object.keys(told), ['id', 'name', 'role', 'words'])
  t.match(told, { id: fakeId(0), name: 'anna' })
  t.equal(told.words.length, 24)
  const text = ok(t, await run('account', 'create', 'berta', '--password-file', pw))
  t.match(text, /24 abandon/)
  t.match(text, /Write these words down/)
  failJson(
    t,
    await run('account', 'create', 'anna', '--password-file', pw, '--json'),
    64,
    'ABZU_ALREADY_EXISTS',
  )
  const guest = ['account', 'create', 'c', '--role', 'guest', '--password-file', pw, '--json']
  failJson(t, await run(...guest), 77, 'ABZU_DENIED')
})

t.test('status', async (t) => {
  const { run } = await household(t)
  const told = okJson(t, await run('status', '--json')) as object
  t.strictSame(Object.keys(told), [
    'peerId',
    'pid',
    'addresses',
    'accounts',
    'peers',
    'reachability',
    'version',
  ])
  t.match(told, { accounts: [{ id: fakeId(0), name: 'anna', role: 'admin', locked: false }] })
  t.strictSame((told as { peers: unknown }).peers, [])
  const text = ok(t, await run('status'))
  t.match(
    text,
    /mesh address 12D3Koo.*\nreached at\n {2}\/ip4.* listening, tcp, from this machine\n/,
  )
  t.match(text, /\nLAN discovery: off\nconnected: 0 in, 0 out\naccounts\n {2}anna/)
})

t.test('account list, lock, unlock', async (t) => {
  const { run, pw, accounts, env } = await household(t)
  t.match(okJson(t, await run('account', 'list', '--json')), { accounts: [{ name: 'anna' }] })
  const session = join(env.ABZU_HOME, 'sessions', fakeId(0))
  t.equal(statSync(session).mode & 0o777, 0o600)
  t.equal(statSync(join(env.ABZU_HOME, 'sessions')).mode & 0o777, 0o700)
  t.match(okJson(t, await run('account', 'lock', 'anna', '--json')), { name: 'anna', locked: true })
  t.notOk(existsSync(session))
  t.throws(() => accounts.member('anna'), { code: 'ABZU_LOCKED' })
  ok(t, await run('account', 'lock', 'anna'))
  failJson(t, await run('contact', 'list', '--json'), 77, 'ABZU_LOCKED')
  const unlocked = await run('account', 'unlock', 'anna', '--password-file', pw, '--json')
  t.match(okJson(t, unlocked), { id: fakeId(0), name: 'anna', locked: false })
  t.match(readFileSync(session, 'utf8'), /^[\w-]{43}\n$/)
  t.match(ok(t, await run('contact', 'list')), /no contact yet/)
  writeFileSync(pw, 'wrong')
  const wrong = await run('account', 'unlock', fakeId(0), '--password-file', pw, '--json')
  failJson(t, wrong, 77, 'ABZU_WRONG_PASSWORD')
  failJson(t, await run('account', 'unlock', 'nobody', '--json'), 64, 'ABZU_NOT_FOUND')
})

t.test('contact links, shut, strangers', async (t) => {
  const { run, anna } = await household(t)
  t.match(ok(t, await run('contact', 'links')), /no link works/)
  const until = '2026-12-05T12:00:00.000Z'
  for (const id of ['a'.repeat(16), 'b'.repeat(16)])
    anna().openLinks.set(id, { id, until, uses: 3 })
  t.match(okJson(t, await run('contact', 'links', '--json')), {
    links: [{ id: 'a'.repeat(16), until, uses: 3 }, { id: 'b'.repeat(16) }],
  })
  t.match(ok(t, await run('contact', 'links')), /^a{16} {2}until 2026-12-05, 3 letters in all\nb/)
  t.match(okJson(t, await run('contact', 'shut', 'a'.repeat(16), '--json')), { id: 'a'.repeat(16) })
  t.strictSame([...anna().openLinks.keys()], ['b'.repeat(16)])
  const again = await run('contact', 'shut', 'a'.repeat(16), '--json')
  failJson(t, again, 64, 'ABZU_NOT_FOUND')
  t.match(ok(t, await run('contact', 'shut', 'b'.repeat(16))), /b{16} works no more/)

  t.strictSame(okJson(t, await run('contact', 'strangers', '--json')), { strangers: 'welcome' })
  t.match(ok(t, await run('contact', 'strangers', 'refused')), /Only contacts/)
  t.equal(anna().strangers, 'refused')
  t.match(ok(t, await run('contact', 'strangers', 'welcome')), /can write/)
  failJson(t, await run('contact', 'strangers', 'maybe', '--json'), 64, 'ABZU_INVALID_ARGUMENT')
})

t.test('contact link, add, list, verify, block', async (t) => {
  const { run, anna } = await household(t)
  const told = okJson(t, await run('contact', 'link', '--uses', '2', '--days', '3', '--json'))
  t.strictSame(told, { link: `abzu:${fakeId(0)}#2-3` })
  const text = ok(t, await run('contact', 'link', '--account', 'anna'))
  const [first, , ...picture] = text.split('\n')
  t.equal(first, `abzu:${fakeId(0)}#any-30`)
  t.ok(picture.length > 15 && picture.every((line) => /^[█▀▄ ]*$/.test(line)), 'a QR code')

  const added = await run('contact', 'add', link, '--as', 'friend', '--account', 'anna', '--json')
  t.match(okJson(t, added), { id: friend, name: 'friend', verified: false })
  failJson(
    t,
    await run('contact', 'add', 'nonsense', '--as', 'x', '--json'),
    65,
    'ABZU_LINK_INVALID',
  )
  t.match(okJson(t, await run('contact', 'list', '--json')), { contacts: [{ name: 'friend' }] })
  t.match(ok(t, await run('contact', 'list')), /^friend {2}not verified {2}abzu1l+\n$/)
  anna().known.set(friend, {
    ...anna().contacts.get('friend'),
    keysChangedAt: '2026-01-02T03:04:05Z',
  })
  t.match(ok(t, await run('contact', 'list')), /friend's keys changed 2026-01-02T03:04:05Z/)

  const shown = okJson(t, await run('contact', 'verify', 'friend', '--json')) as {
    safetyNumber: string
  }
  t.match(shown, {
    id: friend,
    name: 'friend',
    safetyNumber: /^(\d{5} ){11}\d{5}$/,
    verified: false,
  })
  const digits = shown.safetyNumber.split(' ')
  failJson(
    t,
    await run('contact', 'verify', 'friend', '54321', '--json'),
    64,
    'ABZU_INVALID_ARGUMENT',
  )
  const verified = await run('contact', 'verify', 'friend', ...digits, '--json')
  t.match(okJson(t, verified), { verified: true })
  t.match(ok(t, await run('contact', 'verify', 'friend')), /12345[^]*friend is verified/)
  t.match(okJson(t, await run('contact', 'block', friend, '--json')), { blocked: true })
  t.match(ok(t, await run('contact', 'list')), /verified, blocked/)
  failJson(t, await run('contact', 'block', 'who', '--json'), 64, 'ABZU_NOT_FOUND')
})

t.test('send, message show', async (t) => {
  const { run, anna, env } = await household(t)
  ok(t, await run('contact', 'add', link, '--as', 'friend'))
  const sent = okJson(t, await run('send', '--account', 'anna', 'friend', 'hello', '--json'))
  t.strictSame(Object.keys(sent as object), ['msgId', 'state'])
  t.match(sent, { state: 'delivered' })
  t.strictSame(anna().sent.at(-1), { to: 'friend', text: 'hello' })
  t.match(okJson(t, await run('send', 'friend', 'x', '--wait', '0', '--json')), { state: 'queued' })
  t.match(
    ok(t, await run('send', 'friend', '--', '--json')),
    /^delivered: the recipient's home has it\n/,
  )
  t.equal(anna().sent.at(-1)?.text, '--json')
  t.equal((await abzu(env, ['send', 'friend', '-'], 'from a pipe\n')).code, 0)
  t.equal(anna().sent.at(-1)?.text, 'from a pipe\n')
  failJson(t, await run('send', 'who', 'x', '--json'), 64, 'ABZU_NOT_FOUND')
  const long = await abzu(env, ['send', 'friend', '-', '--json'], 'x'.repeat(64 * 1024 + 1))
  failJson(t, long, 64, 'ABZU_INVALID_ARGUMENT')

  const { msgId } = sent as { msgId: string }
  const shown = okJson(t, await run('message', 'show', msgId, '--account', 'anna', '--json')) as {
    history: object[]
  }
  t.strictSame(Object.keys(shown), ['msgId', 'state', 'history'])
  t.strictSame(Object.keys(shown.history[0] ?? {}), ['state', 'at', 'by'])
  t.match(ok(t, await run('message', 'show', msgId)), /^queued: [^\n]+\n {2}2026-.*said by 12D3Koo/)
  failJson(t, await run('message', 'show', '99', '--json'), 64, 'ABZU_NOT_FOUND')

  anna().settlesAs = 'refused'
  const refused = await run('send', 'friend', 'x', '--json')
  t.equal(refused.code, 77)
  t.match(JSON.parse(refused.stdout), { state: 'refused' })
  t.match(JSON.parse(refused.stderr), { error: { code: 'ABZU_DENIED' } })
})

t.test('a message that is held: by whom and until when, by name where there is one', async (t) => {
  const { run, anna, node } = await household(t)
  ok(t, await run('contact', 'add', link, '--as', 'friend'))
  const by = '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp'
  const until = '2026-11-19T12:00:00.000Z'
  anna().settlesAs = 'held'
  anna().holding = { by, until }
  const sent = okJson(t, await run('send', 'friend', 'x', '--json')) as { msgId: string }
  t.match(sent, { state: 'held', held: { by, until } })
  const { msgId } = sent
  const short = 'held by 12D3KooW...nc6iDEp until 2026-11-19'.replace('nc6iDEp', by.slice(-8))
  t.equal(ok(t, await run('send', 'friend', 'x')).split('\n')[0], short)
  t.match(okJson(t, await run('message', 'show', msgId, '--json')), {
    state: 'held',
    history: [{ state: 'queued' }, { state: 'held', at: String, by, until }],
  })
  const shown = ok(t, await run('message', 'show', msgId)).split('\n')
  t.equal(shown[0], short)
  t.ok(shown[2]?.endsWith(`  ${short}`))

  node.names.set(by, 'grandma')
  t.match(okJson(t, await run('send', 'friend', 'x', '--json')), { held: { by, name: 'grandma' } })
  t.match(ok(t, await run('message', 'show', msgId)), /^held by grandma until 2026-11-19\n/)
})

t.test('inbox', async (t) => {
  const { run, anna } = await household(t)
  t.equal(ok(t, await run('inbox', '--json')), '')
  anna().receive({ text: 'first\nsecond' })
  anna().receive({ text: 'more', verified: true })
  anna().receive({ name: 'stranger', request: true })
  const lines = ok(t, await run('inbox', '--account', 'anna', '--json'))
    .trimEnd()
    .split('\n')
  t.equal(lines.length, 3)
  const [first] = lines.map((line) => JSON.parse(line) as object)
  t.strictSame(Object.keys(first ?? {}), [
    'msgId',
    'from',
    'name',
    'sentAt',
    'text',
    'verified',
    'request',
  ])
  t.equal((first as { text: string }).text, 'first\nsecond')
  const text = ok(t, await run('inbox'))
  t.match(text, /^2026-11-05 12:00 UTC {2}friend {2}0+1\n {2}\| first\n {2}\| second\n/)
  t.match(text, /friend \(verified\)/)
  t.match(text, /stranger asks to be added \(abzu1/)
  anna().inboxFailure = new Error('midway')
  const failed = await run('inbox', '--json')
  t.equal(failed.code, 70)
  t.equal(failed.stdout.trimEnd().split('\n').length, 3, 'what came before is shown')
})

t.test('several accounts: which one must be said, and each has its own session', async (t) => {
  const { run, pw, accounts } = await household(t)
  ok(t, await run('account', 'create', 'berta', '--password-file', pw))
  failJson(t, await run('inbox', '--json'), 64, 'ABZU_INVALID_ARGUMENT')
  failJson(t, await run('inbox', '--account', 'carla', '--json'), 64, 'ABZU_NOT_FOUND')
  accounts.member('anna').receive({ text: 'for anna' })
  accounts.member('berta').receive({ text: 'for berta' })
  t.match(okJson(t, await run('inbox', '--account', 'anna', '--json')), { text: 'for anna' })
  t.match(okJson(t, await run('inbox', '--account', fakeId(1), '--json')), { text: 'for berta' })
})

t.test('a session that is gone, foreign or open to others', async (t) => {
  const { run, env, accounts } = await household(t)
  const session = join(env.ABZU_HOME, 'sessions', fakeId(0))
  writeFileSync(session, `${'A'.repeat(43)}\n`)
  failJson(t, await run('inbox', '--json'), 77, 'ABZU_SESSION_INVALID')
  chmodSync(session, 0o640)
  failJson(t, await run('inbox', '--json'), 77, 'ABZU_INSECURE_MODE')
  rmSync(session)
  failJson(t, await run('inbox', '--json'), 77, 'ABZU_SESSION_INVALID')
  t.ok(accounts.member('anna'), 'the account is unlocked all the while')
})

t.test('no daemon, and a home that cannot be', async (t) => {
  const env = tempHome(t)
  const commands = [
    ['status'],
    ['metrics'],
    ['stop'],
    ['account', 'list'],
    ['account', 'holders'],
    ['account', 'lock'],
    ['account', 'unlock', 'anna'],
    ['contact', 'link'],
    ['contact', 'add', link, '--as', 'x'],
    ['contact', 'list'],
    ['contact', 'verify', 'x'],
    ['contact', 'block', 'x'],
    ['send', 'x', 'y'],
    ['inbox'],
    ['message', 'show', '1'],
    ['peer', 'invite'],
    ['peer', 'accept', 'abzu-peer:1'],
    ['peer', 'list'],
    ['peer', 'remove', 'x'],
  ]
  const tooLong = { ABZU_HOME: `/${'x'.repeat(120)}` }
  for (const command of commands) {
    failJson(t, await abzu(env, [...command, '--json']), 69, 'ABZU_NO_DAEMON')
    failJson(t, await abzu(tooLong, [...command, '--json']), 64, 'ABZU_CONFIG_INVALID')
    const { code, stderr, stdout } = await abzu(env, command)
    t.strictSame([code, stdout], [69, ''])
    t.match(stderr, /^abzu: no daemon answers at .*\(ABZU_NO_DAEMON\)\n$/)
  }
})

t.test('whatever is wrong with the line is 64, and told once', async (t) => {
  const env = tempHome(t)
  const wrong = [
    [],
    ['nonsense'],
    ['account'],
    ['account', 'nonsense'],
    ['account', 'create'],
    ['account', 'create', 'a', 'b'],
    ['account', 'recover'],
    ['account', 'create', 'a', '--role', 'king'],
    ['account', 'create', 'a', '--password', 'secret'],
    ['account', 'create', 'a', '--password-fd', 'x'],
    ['account', 'create', 'a', '--password-fd', '3', '--password-file', 'x'],
    ['contact', 'add', link],
    ['contact', 'link', '--uses', '0'],
    ['contact', 'link', '--uses', '1e2'],
    ['contact', 'link', '--days', '-1'],
    ['send', 'friend'],
    ['send', 'friend', 'text', '--wait', '61'],
    ['send', 'friend', 'text', '--wait'],
    ['status', '--wait', 'soon'],
    ['status', '--nonsense'],
    ['message', 'show'],
    ['peer', 'accept'],
    ['peer', 'remove'],
    ['peer', 'invite', '--hours', '673'],
    ['peer', 'invite', '--quota', 'much'],
    ['peer', 'accept', 'abzu-peer:1', '--quota', '-5GB'],
    ['start', '--quic', 'nonsense'],
    ['start', '--tcp', 'nonsense'],
    ['start', '--tcp', '127.0.0.1:99999'],
  ]
  for (const args of wrong) {
    const json = await abzu(env, [...args, '--json'])
    t.equal(json.code, 64, args.join(' '))
    t.match(JSON.parse(json.stderr), {
      error: { code: /^ABZU_(INVALID_ARGUMENT|NOT_YET|CONFIG_INVALID)$/ },
    })
    t.equal(json.stdout, '')
    const text = await abzu(env, args)
    t.equal(text.code, 64)
    t.equal(text.stderr.match(/\(ABZU_\w+\)/g)?.length, 1, text.stderr)
  }
  failJson(
    t,
    await abzu(env, ['start', '--peer', 'nonsense', '--json']),
    65,
    'ABZU_ADDRESS_INVALID',
  )
})

t.test('help for everything, and a version', async (t) => {
  const env = tempHome(t)
  const commands = [
    [],
    ['start'],
    ['status'],
    ['doctor'],
    ['metrics'],
    ['stop'],
    ['account'],
    ['account', 'create'],
    ['account', 'recover'],
    ['account', 'list'],
    ['account', 'lock'],
    ['account', 'unlock'],
    ['contact'],
    ['contact', 'link'],
    ['contact', 'add'],
    ['contact', 'list'],
    ['contact', 'verify'],
    ['contact', 'block'],
    ['send'],
    ['inbox'],
    ['message'],
    ['message', 'show'],
    ['peer'],
    ['peer', 'invite'],
    ['peer', 'accept'],
    ['peer', 'list'],
    ['peer', 'remove'],
  ]
  for (const command of commands) {
    const help = ok(t, await abzu(env, [...command, '--help']))
    t.match(help, `Usage: ${['abzu', ...command].join(' ')} `)
    t.match(help, /--json/)
  }
  const lan = ok(t, await abzu(env, ['start', '--help'])).replaceAll(/\s+/g, ' ')
  t.match(lan, /--no-lan no discovery on the local network: neither ask nor answer/)
  t.match(ok(t, await abzu(env, ['--version'])), /^\d+\.\d+\.\d+\n$/)
})
