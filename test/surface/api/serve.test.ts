import { once } from 'node:events'
import { existsSync, linkSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { silentLog } from '../../../src/base/util/log.ts'
import { systemClock, systemScheduler } from '../../../src/base/util/system-time.ts'
import { homePaths } from '../../../src/config.ts'
import { apiLimits } from '../../../src/surface/api/api-limits.ts'
import { serveControlApi } from '../../../src/surface/api/serve.ts'
import { AbzuClient } from '../../../src/surface/client/client.ts'
import { fakeServices } from '../../support/fake-services.ts'
import { hostileInputs } from '../../support/hostile.ts'
import { tempHome } from '../../support/temp-home.ts'

async function serve(t: Test, env = tempHome(t)) {
  const { socket } = homePaths(env)
  const services = fakeServices()
  const api = await serveControlApi({
    config: { socket, limits: { sessionIdleMinutes: 5 } },
    services,
    platform: nodePlatform(),
    clock: systemClock,
    scheduler: systemScheduler,
    log: silentLog,
  })
  let isOpen = true
  const close = async () => {
    if (isOpen) await api.close()
    isOpen = false
  }
  t.teardown(close)
  return { ...services, env, socket, close, client: new AbzuClient({ socketPath: socket }) }
}

/** A raw connection, and everything that comes back until it ends. */
function raw(path: string): { socket: Socket; answer: Promise<string> } {
  const socket = connect({ path })
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  // A write may meet a socket that was cut off: what counts is that it is closed.
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  return { socket, answer: closed.then(() => text) }
}

t.test('only its owner can open the socket, and it goes when the API does', async (t) => {
  const umask = process.umask()
  t.teardown(() => void process.umask(umask))
  for (const mask of [0o022, 0o000, 0o077]) {
    process.umask(mask)
    const { socket, client, close } = await serve(t)
    t.equal(statSync(socket).mode & 0o777, 0o600, `umask ${mask.toString(8)}`)
    t.equal(process.umask(), mask, 'the umask is as it was')
    t.equal((await client.status()).pid, process.pid)
    await close()
    t.notOk(existsSync(socket))
  }
})

t.test('a socket that nobody answers at is replaced', async (t) => {
  const env = tempHome(t)
  const { socket } = homePaths(env)
  const dead = createServer().listen({ path: socket })
  await once(dead, 'listening')
  // a killed daemon leaves its socket behind: keep the file past the close, under its own name
  linkSync(socket, `${socket}.kept`)
  await new Promise((resolve) => dead.close(resolve))
  renameSync(`${socket}.kept`, socket)
  t.ok(statSync(socket).isSocket())
  const { client } = await serve(t, env)
  t.ok(await client.status())
})

t.test('a socket that somebody answers at is left alone', async (t) => {
  const { env, client } = await serve(t)
  await t.rejects(serve(t, env), { code: 'ABZU_HOME_IN_USE' })
  t.ok(await client.status(), 'the first one still answers')
})

t.test('what is no socket is left alone', async (t) => {
  const env = tempHome(t)
  const { socket } = homePaths(env)
  writeFileSync(socket, 'precious')
  await t.rejects(serve(t, env), { code: 'ABZU_IO' })
  t.strictSame(readdirSync(env.ABZU_HOME), ['api.sock'])
  t.equal(statSync(socket).size, 8)
})

t.test('a home that is not there', async (t) => {
  const env = { ABZU_HOME: join(tempHome(t).ABZU_HOME, 'nowhere') }
  await t.rejects(serve(t, env), { code: 'ABZU_IO' })
})

t.test('who sends a head slowly is cut off, and others are served meanwhile', async (t) => {
  const { socket: path, client } = await serve(t)
  const started = Date.now()
  const slow = Array.from({ length: 20 }, () => raw(path))
  for (const { socket } of slow) socket.write('GET /v1/status HTTP/1.1\r\nHost: abzu\r\nX-Slow: ')
  const drip = setInterval(() => {
    for (const { socket } of slow) if (!socket.destroyed) socket.write('a')
  }, 200)
  t.teardown(() => clearInterval(drip))
  t.ok(await client.status())
  const answers = await Promise.all(slow.map(({ answer }) => answer))
  const tookMs = Date.now() - started
  for (const answer of answers) t.notMatch(answer, ' 200 ')
  const boundMs = apiLimits.headersMs + 3 * apiLimits.lookEveryMs
  t.ok(tookMs < boundMs, `all were cut off after ${tookMs} ms`)
})

t.test('connections are bounded', async (t) => {
  const { socket: path, client } = await serve(t)
  const idle = Array.from({ length: apiLimits.connectionsMax }, () => raw(path))
  await Promise.all(idle.map(({ socket }) => once(socket, 'connect')))
  const extra = raw(path)
  t.equal(await extra.answer, '', 'one more is dropped')
  for (const { socket } of idle) socket.destroy()
  await Promise.all(idle.map(({ answer }) => answer))
  t.ok(await client.status())
})

t.test('a thousand hostile bodies and heads, and the daemon answers still', async (t) => {
  const { socket: path, client } = await serve(t)
  const good = Buffer.from(JSON.stringify({ name: 'anna', role: 'admin', password: 'pw' }))
  const samples = [good, Buffer.from('{"account":"anna","password":"pw"}'), Buffer.from('[[[[')]
  let refused = 0
  let batch: Promise<string>[] = []
  const settle = async () => {
    for (const answer of await Promise.all(batch)) {
      if (/^HTTP\/1\.1 [45]\d\d /.test(answer)) refused++
    }
    batch = []
  }
  for (const input of hostileInputs(36, samples, 1000)) {
    const { socket, answer } = raw(path)
    const url = refused % 2 === 0 ? '/v1/accounts' : '/v1/sessions'
    socket.write(
      `POST ${url} HTTP/1.1\r\nHost: abzu\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${input.length}\r\n\r\n`,
    )
    socket.write(input)
    batch.push(answer)
    if (batch.length === 20) await settle()
  }
  await settle()
  t.ok(refused > 900, `${refused} refused`)

  const deep = Buffer.from('['.repeat(500_000) + ']'.repeat(500_000))
  const nested = raw(path)
  nested.socket.write(
    `POST /v1/accounts HTTP/1.1\r\nHost: abzu\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${deep.length}\r\n\r\n`,
  )
  nested.socket.write(deep)
  t.match(await nested.answer, /^HTTP\/1\.1 400 /)

  for (const head of [
    '\0\0\0\0',
    'GET',
    'GET / HTTP/9.9\r\n\r\n',
    `GET /${'x'.repeat(40_000)}`,
    '\r\n',
  ]) {
    const { socket, answer } = raw(path)
    socket.end(head)
    await answer
  }
  t.ok(await client.status())
})

t.test('a send waits for its receipt, and no longer than the caller or the daemon', async (t) => {
  const { accounts, client, close } = await serve(t)
  const { token } = await client.createAccount({ name: 'anna', role: 'admin', password: 'pw' })
  const anna = client.withSession(token)
  await anna.addContact({ link: `abzu:abzu1${'l'.repeat(59)}#x`, as: 'friend' })
  t.match(await anna.send({ to: 'friend', text: 'a', waitMs: 1000 }), { state: 'delivered' })
  t.match(await anna.send({ to: 'friend', text: 'b' }), { state: 'queued' })
  accounts.member('anna').settlesAs = undefined

  const leaving = new AbortController()
  const left = anna.send({ to: 'friend', text: 'c', waitMs: 60_000 }, leaving.signal)
  while (accounts.member('anna').sent.length < 3) await anna.contacts()
  leaving.abort()
  await t.rejects(left)

  const waiting = anna.send({ to: 'friend', text: 'd', waitMs: 60_000 })
  while (accounts.member('anna').sent.length < 4) await anna.contacts()
  const started = Date.now()
  await close()
  t.match(await waiting, { state: 'queued' }, 'the message is durable, so it is queued')
  t.ok(Date.now() - started < apiLimits.closeGraceMs, 'closing did not wait')
})

t.test('a reader that does not read stops nothing, and is let go at the close', async (t) => {
  const { accounts, client, socket: path, close } = await serve(t)
  const { token } = await client.createAccount({ name: 'anna', role: 'admin', password: 'pw' })
  const member = accounts.member('anna')
  for (let message = 0; message < 2000; message++) member.receive({ text: 'x'.repeat(10_000) })
  const socket = connect({ path }).pause()
  socket.on('error', () => {})
  socket.write(`GET /v1/inbox HTTP/1.1\r\nHost: abzu\r\nAuthorization: Bearer ${token}\r\n\r\n`)
  while (member.taken === 0) await client.status()
  for (let round = 0; round < 50; round++) await client.status()
  t.ok(member.taken < 500, `${member.taken} of 2000 taken for a reader that does not read`)
  const started = Date.now()
  await close()
  t.ok(Date.now() - started < apiLimits.closeGraceMs + 1000)
  t.ok(member.left, 'the inbox was let go')
  socket.destroy()
})
