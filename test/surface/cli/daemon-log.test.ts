import { Writable } from 'node:stream'
import t from 'tap'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { newWords } from '../../../src/base/crypto/words.ts'
import { AbzuError } from '../../../src/base/util/errors.ts'
import { createDaemonLog } from '../../../src/surface/cli/daemon-log.ts'
import { fakeId } from '../../support/fake-services.ts'
import { ManualTime } from '../../support/manual-time.ts'
import { dangers, payloads } from '../../support/payloads.ts'

function logTo({ json, level = 'debug' }: { json: boolean; level?: 'debug' | 'warn' }) {
  const lines: string[] = []
  const stream = new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      lines.push(line)
      done()
    },
  })
  return { lines, log: createDaemonLog({ stream, clock: new ManualTime(), level, json }) }
}

t.test('JSON lines', async (t) => {
  const { lines, log } = logTo({ json: true })
  log.info('peer-connected', { count: 2, ok: true, peer: undefined })
  log.error('commit-failed', { error: new AbzuError('ABZU_IO', 'no', { cause: new Error('why') }) })
  t.strictSame(JSON.parse(lines[0] ?? ''), {
    level: 'info',
    time: '2026-01-01T12:00:00.000Z',
    count: 2,
    ok: true,
    event: 'peer-connected',
  })
  t.match(JSON.parse(lines[1] ?? ''), {
    level: 'error',
    error: { code: 'ABZU_IO', message: 'no', cause: { message: 'why', stack: /daemon-log\.test/ } },
  })
  t.ok(lines.every((line) => /^[^\n]+\n$/.test(line)))
})

t.test('lines for people', async (t) => {
  const { lines, log } = logTo({ json: false })
  log.warn('peer-gone', { peer: 'x', count: 2 })
  t.equal(lines[0], '2026-01-01T12:00:00.000Z WARN peer-gone peer="x" count=2\n')
})

t.test('what is below the level is not written', async (t) => {
  const { lines, log } = logTo({ json: true, level: 'warn' })
  log.debug('a')
  log.info('b')
  log.warn('c')
  t.equal(lines.length, 1)
})

t.test('secrets and whole ids do not come through, wherever they stand', async (t) => {
  const token = Buffer.alloc(32, 0xa7).toString('base64url')
  const hex = 'ab'.repeat(32)
  const account = fakeId(3)
  const peer = `12D3KooW${'Q'.repeat(44)}`
  const link = `abzu:${account}#${token}`
  const words = newWords(nodePlatform())
  const secrets = [token, hex, account, peer, link, `did:key:z6Mk${'h'.repeat(44)}`]
  secrets.push(words.join(' '), words.join('","'), words.join('\n'), words.slice(0, 12).join(', '))
  for (const json of [true, false]) {
    const { lines, log } = logTo({ json })
    for (const secret of secrets) {
      for (const text of [secret, `before ${secret} behind`, `"${secret}"`, `x=${secret};`]) {
        log.info('event', { field: text })
        log.info(text)
        log.info('event', { error: new Error(text) })
        log.info('event', { error: new AbzuError('ABZU_IO', 'a', { cause: new Error(text) }) })
        log.info('event', { field: `${'padding '.repeat(36)}${text}` })
        log.info('event', { error: Object.assign(new Error('a'), { code: text, password: text }) })
        let deep = new Error(text)
        for (let level = 0; level < 10; level++) deep = new Error(text, { cause: deep })
        log.info('event', { error: deep })
        log.info('event', { error: new AggregateError([new Error(text)], text, { cause: text }) })
        log.info('event', {
          error: new AbzuError('ABZU_IO', 'a', { cause: { text, toString: () => text } }),
        })
      }
    }
    for (const field of ['password', 'words', 'token', 'secret', 'seed', 'link', 'text']) {
      log.info('event', { [field]: 'hunter2' })
    }
    const all = lines.join('')
    t.ok(lines.length > 100)
    for (const secret of secrets) t.notOk(all.includes(secret))
    t.notOk(all.includes(token.slice(0, 12)), 'nor a part of a token')
    t.notOk(all.includes('hunter2'))
    for (const from of [0, 6, 12, 18]) {
      t.notOk(all.includes(words.slice(from, from + 3).join(' ')), 'nor a part of the words')
    }
    t.ok(all.includes(`12D3Koo…${peer.slice(-6)}`), 'enough of an id to tell them apart')
    t.ok(all.includes(account.slice(0, 11)))
  }
})

t.test('what is no secret is told as it was said', async (t) => {
  const { lines, log } = logTo({ json: true })
  const prose = [
    'cannot listen at 127.0.0.1, port 4180: EADDRINUSE',
    'the disk refused to make something durable, and nothing more is acknowledged until a restart',
    'this account is over: abandon ability able about',
  ]
  for (const text of prose) log.info('event', { field: text })
  t.strictSame(
    lines.map((line) => (JSON.parse(line) as { field: string }).field),
    prose,
  )
})

t.test('remote text is inert', async (t) => {
  for (const json of [true, false]) {
    const { lines, log } = logTo({ json })
    for (const payload of payloads) {
      log.warn('event', { field: payload, error: new Error(payload) })
      log.warn(payload)
    }
    t.equal(lines.length, 2 * payloads.length)
    t.strictSame(dangers(lines.join('')), [])
    t.ok(
      lines.every((line) => /^[^\n]+\n$/.test(line)),
      'and forges no line',
    )
  }
})

t.test('a reader of stderr that does not read costs a bounded amount of memory', async (t) => {
  const stream = new Writable({ decodeStrings: true, write() {} })
  const log = createDaemonLog({ stream, clock: new ManualTime(), level: 'info', json: true })
  for (let line = 0; line < 20_000; line++) log.info('event', { field: 'x '.repeat(100) })
  t.ok(stream.writableLength < 1.1 * 1024 * 1024, `${stream.writableLength} bytes wait`)
})
