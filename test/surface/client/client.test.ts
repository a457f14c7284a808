import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { AbzuClient } from '../../../src/surface/client/client.ts'
import { startFakeDaemon } from '../../support/fake-daemon.ts'
import { ManualTime } from '../../support/manual-time.ts'
import { tempHome } from '../../support/temp-home.ts'

async function daemon(t: Test) {
  const fake = await startFakeDaemon(tempHome(t))
  t.teardown(() => fake.close())
  return { ...fake, client: new AbzuClient({ socketPath: fake.socket }) }
}

/** Something that is no daemon: it answers every connection with these bytes. */
async function impostor(t: Test, answer: (socket: Socket) => void): Promise<string> {
  const path = join(tempHome(t).ABZU_HOME, 'api.sock')
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket.on('error', () => {}))
    socket.once('data', () => answer(socket))
  }).listen({ path })
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return path
}

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const value of values) all.push(value)
  return all
}

const head = (type: string, length?: number) =>
  `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nConnection: close\r\n${length === undefined ? '' : `Content-Length: ${length}\r\n`}\r\n`

t.test('the story of two people, through every method', async (t) => {
  const { client, accounts, node } = await daemon(t)
  const created = await client.createAccount({ name: 'anna', role: 'admin', password: 'pw' })
  t.equal(created.words.length, 24)
  const anna = client.withSession(created.token)
  await anna.addPeer({ address: '/ip4/127.0.0.1/tcp/1' })
  t.strictSame(node.added, ['/ip4/127.0.0.1/tcp/1'])
  const link = await anna.createLink({ uses: 3 })
  t.match(link, /#3-30$/)
  await anna.addContact({ link, as: 'friend/ü .. %2f' })
  t.strictSame(await anna.links(), [])
  await t.rejects(anna.shutLink('0'.repeat(16)), { code: 'ABZU_NOT_FOUND' })
  await anna.letStrangersBe('refused')
  t.equal(await anna.strangers(), 'refused')
  t.match(await anna.contacts(), [{ name: 'friend/ü .. %2f' }])
  const shown = await anna.safetyNumber('friend/ü .. %2f')
  t.match(await anna.confirmContact('friend/ü .. %2f', shown.safetyNumber), { verified: true })
  const { msgId, state } = await anna.send({ to: created.id, text: 'hello', waitMs: 100 })
  t.equal(state, 'delivered')
  t.match(await anna.message(msgId), { msgId, history: [{ state: 'queued' }] })
  accounts.member('anna').receive({ from: created.id, text: 'one' })
  accounts.member('anna').receive({ text: 'two' })
  t.match(await collect(anna.inbox()), [{ text: 'one' }, { text: 'two' }])
  t.match(await collect(anna.conversation(created.id)), [{ text: 'one' }])
  t.match(await anna.blockContact(created.id), { blocked: true })
  t.match((await client.status()).accounts, [{ name: 'anna', locked: false }])
  await anna.lock()
  t.match((await client.status()).accounts, [{ name: 'anna', locked: true }])
  await t.rejects(anna.contacts(), { code: 'ABZU_SESSION_INVALID' })
  const again = await client.unlock({ account: 'anna', password: 'pw' })
  t.strictSame(await client.withSession(again.token).contacts(), [])
  await t.rejects(client.unlock({ account: 'anna', password: 'no' }), {
    code: 'ABZU_WRONG_PASSWORD',
  })
  let isStopped = false
  node.onStop = () => (isStopped = true)
  await client.stop()
  t.ok(isStopped)
})

t.test('no daemon', async (t) => {
  const { ABZU_HOME } = tempHome(t)
  const nowhere = new AbzuClient({ socketPath: join(ABZU_HOME, 'api.sock') })
  await t.rejects(nowhere.status(), { code: 'ABZU_NO_DAEMON' })
  const { client, close } = await daemon(t)
  await close()
  await t.rejects(client.status(), { code: 'ABZU_NO_DAEMON' })
})

t.test('an inbox that fails midway gives what came before, then its error', async (t) => {
  const { client, accounts } = await daemon(t)
  const { token } = await client.createAccount({ name: 'anna', role: 'admin', password: 'pw' })
  const member = accounts.member('anna')
  member.receive({ text: 'one' })
  member.inboxFailure = new Error('secret detail')
  const texts: string[] = []
  const reading = (async () => {
    for await (const { text } of client.withSession(token).inbox()) texts.push(text)
  })()
  await t.rejects(reading, { code: 'ABZU_INTERNAL', message: 'something went wrong inside Abzu' })
  t.strictSame(texts, ['one'])
})

t.test('a reader that leaves ends the answer', async (t) => {
  const { client, accounts } = await daemon(t)
  const { token } = await client.createAccount({ name: 'anna', role: 'admin', password: 'pw' })
  const member = accounts.member('anna')
  for (let count = 0; count < 1000; count++) member.receive({ text: 'x'.repeat(10_000) })
  for await (const { text } of client.withSession(token).inbox()) {
    t.equal(text.length, 10_000)
    break
  }
  while (!member.left) await client.status()
  t.ok(member.taken < 1000)
})

t.test('answers of another shape are no answers', async (t) => {
  const answers = [
    `${head('application/json')}{"pid":1}`,
    `${head('application/json')}{"pid":`,
    `${head('text/html')}<html>`,
    head('application/json'),
    `HTTP/1.1 500 No\r\nConnection: close\r\n\r\n{"error":"no"}`,
    `HTTP/1.1 404 No\r\nConnection: close\r\n\r\n{"error":{"code":"OTHER","message":""}}`,
    `${head('application/json')}"${'x'.repeat(17 * 1024 * 1024)}"`,
  ]
  for (const answer of answers) {
    const socketPath = await impostor(t, (socket) => socket.end(answer))
    const client = new AbzuClient({ socketPath })
    await t.rejects(client.status(), { code: 'ABZU_PROTOCOL_VIOLATION' }, answer.slice(0, 90))
  }
})

t.test('a connection that breaks', async (t) => {
  for (const answer of [
    '',
    head('application/json', 100),
    `${head('application/json', 100)}{"pid"`,
  ]) {
    const socketPath = await impostor(t, (socket) => socket.end(answer))
    await t.rejects(new AbzuClient({ socketPath }).status(), { code: 'ABZU_CLOSED' }, answer)
  }
  const socketPath = await impostor(t, (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'))
  await t.rejects(new AbzuClient({ socketPath }).status(), {
    code: /^ABZU_(IO|PROTOCOL_VIOLATION)$/,
  })
})

t.test('lines that are cut off, endless or wrong', async (t) => {
  const type = head('application/x-ndjson')
  for (const answer of [
    `${type}{"msgId":`,
    `${type}nonsense\n`,
    `${type}{"msgId":"1"}\n`,
    `${type}${'x'.repeat(1024 * 1024 + 70_000)}`,
  ]) {
    const socketPath = await impostor(t, (socket) => socket.end(answer))
    const inbox = new AbzuClient({ socketPath }).inbox()
    await t.rejects(collect(inbox), { code: 'ABZU_PROTOCOL_VIOLATION' }, answer.slice(0, 90))
  }
})

t.test('silence is bounded, before an answer and inside it', async (t) => {
  for (const answer of ['', head('application/json', 100), 'HTTP/1.1 200 OK\r\n']) {
    const asked = Promise.withResolvers<void>()
    const socketPath = await impostor(t, (socket) => {
      asked.resolve()
      socket.write(answer)
    })
    const scheduler = new ManualTime()
    const client = new AbzuClient({ socketPath, scheduler, timeoutMs: 1000 })
    const status = client.status()
    status.catch(() => {})
    await asked.promise
    await scheduler.settle(50)
    await scheduler.advance(1000)
    await t.rejects(status, { code: 'ABZU_TIMEOUT' }, JSON.stringify(answer))
    t.equal(scheduler.pending, 0)
  }
})
