import { createServer, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import t, { type Test } from 'tap'
import { AbzuError } from '../../../src/base/util/errors.ts'
import type { Protocol } from '../../../src/base/wire/protocols.ts'
import type { FrameStream } from '../../../src/machine/transport/frame-stream.ts'
import type { Transport } from '../../../src/machine/transport/transport.ts'
import {
  listening,
  MemoryLog,
  openTestTransport,
  until,
  type TestTransportInit,
} from '../../support/transports.ts'

const echo: Protocol = { id: '/abzu/test-echo/1.0.0', streamsMax: 4 }

function handleEcho(transport: Transport): void {
  transport.handle(echo, async (stream) => {
    for await (const batch of stream.batches()) {
      for (const message of batch) {
        await stream.ready()
        stream.send(message)
      }
    }
  })
}

async function ask(stream: FrameStream, text: string): Promise<string> {
  stream.send(new TextEncoder().encode(text))
  await stream.end()
  let answer = ''
  for await (const batch of stream.batches()) {
    for (const message of batch) answer += new TextDecoder().decode(message)
  }
  return answer
}

/** A port at which something listens that speaks no protocol of ours. */
async function occupyPort(t: Test, onConnection?: () => void): Promise<number> {
  const sockets = new Set<{ destroy(): void }>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    onConnection?.()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as { port: number }).port
}

/** What holds for streams over any carrier; `at` is where to listen. */
function testCarrier(t: Test, at: (place: string) => TestTransportInit): void {
  t.test('a stream over a new connection', async (t) => {
    const [server, client] = [
      await listening(t, at('127.0.0.1:0')),
      await openTestTransport(t, { tcp: [] }),
    ]
    handleEcho(server)
    t.throws(() => handleEcho(server), { message: /assertion/ }, 'a protocol has one handler')
    const place = `^/ip4/127.0.0.1/(tcp/[0-9]+|udp/[0-9]+/quic-v1)/p2p/${server.peerId}$`
    t.match(server.addresses(), [new RegExp(place)])
    t.same(client.addresses(), [])
    const stream = await client.open(server.peerId, echo, { addresses: server.addresses() })
    t.equal(stream.peer, server.peerId)
    t.equal(await ask(stream, 'hello'), 'hello')
    await stream.closed
    t.match(client.peers(), [{ peerId: server.peerId, direction: 'outbound' }])
    await until(() => server.peers().length === 1, 'the server knows its peer')
    t.match(server.peers(), [{ peerId: client.peerId, direction: 'inbound' }])
  })

  t.test('a stream over a connection that the peer opened', async (t) => {
    const [server, client] = [
      await listening(t, at('127.0.0.1:0')),
      await openTestTransport(t, { tcp: [] }),
    ]
    handleEcho(client)
    await t.rejects(server.open(client.peerId, echo), { code: 'ABZU_UNREACHABLE' })
    const connected = new Promise((resolve) => server.watch(resolve))
    t.equal(await client.connect(server.addresses()[0] as string), server.peerId)
    t.same(await connected, { peerId: client.peerId, connected: true })
    t.equal(await ask(await server.open(client.peerId, echo), 'back'), 'back')
  })

  t.test('opens at the same time share one dial, and wait for their turn', async (t) => {
    const [server, client] = [
      await listening(t, at('127.0.0.1:0')),
      await openTestTransport(t, { tcp: [] }),
    ]
    handleEcho(server)
    const addresses = server.addresses()
    const answers = await Promise.all(
      Array.from({ length: 40 }, async (_, n) =>
        ask(await client.open(server.peerId, echo, { addresses }), `${n}`),
      ),
    )
    t.same(
      answers,
      Array.from({ length: 40 }, (_, n) => `${n}`),
    )
    t.equal(client.peers().length, 1)
  })

  t.test('too many opens at the same time are refused', async (t) => {
    const [server, client] = [
      await listening(t, at('127.0.0.1:0')),
      await openTestTransport(t, { tcp: [], limits: { opensWaitingMax: 2 } }),
    ]
    handleEcho(server)
    const addresses = server.addresses()
    const streams = await Promise.all(
      Array.from({ length: 4 }, async () => client.open(server.peerId, echo, { addresses })),
    )
    const waiting = [client.open(server.peerId, echo), client.open(server.peerId, echo)]
    await t.rejects(client.open(server.peerId, echo), { code: 'ABZU_OVERLOADED' })
    for (const stream of streams) t.equal(await ask(stream, 'x'), 'x')
    for (const stream of await Promise.all(waiting)) t.equal(await ask(stream, 'y'), 'y')
  })

  t.test('both dial at once', async (t) => {
    const [left, right] = [
      await listening(t, at('127.0.0.1:0')),
      await listening(t, at('127.0.0.1:0')),
    ]
    handleEcho(left)
    handleEcho(right)
    const [toRight, toLeft] = await Promise.all([
      left.open(right.peerId, echo, { addresses: right.addresses() }),
      right.open(left.peerId, echo, { addresses: left.addresses() }),
    ])
    t.same(await Promise.all([ask(toRight, 'r'), ask(toLeft, 'l')]), ['r', 'l'])
  })

  t.test('streams that either side gives up make room for others', async (t) => {
    const [server, client] = [
      await listening(t, at('127.0.0.1:0')),
      await openTestTransport(t, { tcp: [] }),
    ]
    server.handle(echo, async (stream) => {
      for await (const batch of stream.batches()) {
        if (batch.length > 0) throw new AbzuError('ABZU_DENIED', 'not today')
      }
    })
    const addresses = server.addresses()
    for (let n = 0; n < 150; n++) {
      const stream = await client.open(server.peerId, echo, { addresses })
      if (n % 3 === 0) stream.send(new Uint8Array(1))
      else if (n % 3 === 1) stream.abort(new AbzuError('ABZU_CLOSED', 'enough'))
      else await stream.end()
      await stream.closed
    }
    t.equal(client.peers().length, 1, 'all by one connection')
  })

  t.test('a protocol that the peer does not serve', async (t) => {
    const [server, client] = [
      await listening(t, at('127.0.0.1:0')),
      await openTestTransport(t, { tcp: [] }),
    ]
    const addresses = server.addresses()
    await t.rejects(client.open(server.peerId, echo, { addresses }), { code: 'ABZU_UNREACHABLE' })
    t.equal(client.peers().length, 1, 'the connection stays')
  })

  t.test('a kept peer comes back after its restart at the same port', async (t) => {
    const machineSeed = new Uint8Array(32).fill(7)
    const client = await openTestTransport(t, { tcp: [], limits: { reconnectMinMs: 20 } })
    const first = await listening(t, { ...at('127.0.0.1:0'), machineSeed })
    const addresses = first.addresses()
    const { peerId } = first
    const changes: boolean[] = []
    client.watch(({ connected }) => changes.push(connected))
    client.keep(peerId, addresses)
    await until(() => changes.length === 1, 'connected')
    await first.close()
    await until(() => changes.length === 2, 'lost')
    const port = addresses[0]?.split('/')[4]
    const second = await listening(t, {
      ...at('127.0.0.1:0'),
      machineSeed,
      ...at(`127.0.0.1:${port}`),
    })
    t.equal(second.peerId, peerId)
    await until(() => changes.length === 3, 'connected again')
    t.same(changes, [true, false, true])

    client.release(peerId)
    await second.close()
    await until(() => client.peers().length === 0, 'lost again')
    t.throws(() => client.keep(peerId, ['nonsense']), { code: 'ABZU_ADDRESS_INVALID' })
  })

  t.test('closing while sending shows the peer a broken stream, never an end', async (t) => {
    const [server, client] = [
      await listening(t, at('127.0.0.1:0')),
      await openTestTransport(t, { tcp: [] }),
    ]
    const outcome = Promise.withResolvers<{ messages: number; error: unknown }>()
    const started = Promise.withResolvers<void>()
    server.handle(echo, async (stream) => {
      let messages = 0
      try {
        for await (const batch of stream.batches()) {
          messages += batch.length
          started.resolve()
        }
        outcome.resolve({ messages, error: undefined })
      } catch (error) {
        outcome.resolve({ messages, error })
      }
    })
    const stream = await client.open(server.peerId, echo, { addresses: server.addresses() })
    for (let n = 0; n < 20; n++) stream.send(new Uint8Array(100_000))
    await started.promise
    const beganAtMs = performance.now()
    await Promise.all([client.close(), client.close()])
    t.ok(performance.now() - beganAtMs < 3000)
    t.match(await outcome.promise, { error: { code: 'ABZU_UNREACHABLE' } })
    t.throws(() => stream.send(new Uint8Array()), { code: 'ABZU_CLOSED' })
    await t.rejects(client.open(server.peerId, echo), { code: 'ABZU_CLOSED' })
    await t.rejects(client.connect(server.addresses()[0] as string), { code: 'ABZU_CLOSED' })
    t.throws(() => client.keep(server.peerId, server.addresses()), { code: 'ABZU_CLOSED' })
  })
}

t.test('by TCP', async (t) => testCarrier(t, (place) => ({ tcp: [place] })))
t.test('by QUIC', async (t) => testCarrier(t, (place) => ({ quic: [place] })))

t.test('an address that does not answer, or as somebody else', async (t) => {
  const limits = { dialMs: 1500, dialAddressMs: 500 }
  const [server, other] = [await listening(t), await listening(t)]
  const client = await openTestTransport(t, { tcp: [], limits })
  handleEcho(server)
  const silentPort = await occupyPort(t)
  const asOther = (server.addresses()[0] as string).replace(server.peerId, other.peerId)
  const unreachable = { code: 'ABZU_UNREACHABLE' }
  await t.rejects(client.connect(asOther), unreachable, 'another machine answers')
  await t.rejects(client.connect(`/ip4/127.0.0.1/tcp/1/p2p/${server.peerId}`), unreachable)
  const silent = `/ip4/127.0.0.1/tcp/${silentPort}/p2p/${server.peerId}`
  await t.rejects(client.connect(silent), unreachable, 'nobody speaks')
  await t.rejects(client.connect('/ip4/127.0.0.1/tcp/1'), { code: 'ABZU_ADDRESS_INVALID' })
  const self = `/ip4/127.0.0.1/tcp/1/p2p/${client.peerId}`
  await t.rejects(client.connect(self), { code: 'ABZU_ADDRESS_INVALID' }, 'its own address')
  t.throws(() => client.keep(client.peerId, [self]), { code: 'ABZU_ADDRESS_INVALID' })
  await t.rejects(client.open(client.peerId, echo, { addresses: [self] }), unreachable)

  const addresses = ['nonsense', asOther, silent, ...server.addresses()]
  t.equal(await ask(await client.open(server.peerId, echo, { addresses }), 'found'), 'found')
})

t.test('a signal ends the waiting', async (t) => {
  const port = await occupyPort(t)
  const [server, client] = [await listening(t), await openTestTransport(t, { tcp: [] })]
  const controller = new AbortController()
  const addresses = [`/ip4/127.0.0.1/tcp/${port}/p2p/${server.peerId}`]
  const opening = client.open(server.peerId, echo, { addresses, signal: controller.signal })
  controller.abort(new AbzuError('ABZU_TIMEOUT', 'no patience'))
  await t.rejects(opening, { code: 'ABZU_TIMEOUT' })
})

t.test('where it cannot listen', async (t) => {
  const port = await occupyPort(t)
  const taken = await openTestTransport(t, { tcp: [`127.0.0.1:${port}`] })
  await t.rejects(taken.listen(), { code: 'ABZU_PORT_IN_USE' })
  const half = await openTestTransport(t, { tcp: ['127.0.0.1:0', `127.0.0.1:${port}`] })
  await t.rejects(half.listen(), { code: 'ABZU_PORT_IN_USE' })
  const foreign = await openTestTransport(t, { tcp: ['192.0.2.1:0'] })
  await t.rejects(foreign.listen(), { code: 'ABZU_CONFIG_INVALID' })
  for (const tcp of ['127.0.0.1', 'example.org:1', '[::1]', '1.2.3.4:99999', '::1:80', '']) {
    await t.rejects(openTestTransport(t, { tcp: [tcp] }), { code: 'ABZU_CONFIG_INVALID' }, tcp)
  }
})

t.test('the addresses of a wildcard are those of the interfaces, loopback last', async (t) => {
  const hasIp6 = Object.values(networkInterfaces())
    .flat()
    .some((info) => info?.address === '::1')
  const tcp = hasIp6 ? ['0.0.0.0:0', '[::]:0'] : ['0.0.0.0:0']
  const transport = await listening(t, { tcp })
  const addresses = transport.addresses()
  t.ok(
    addresses.every((address) => !/\/(0\.0\.0\.0|::)\//.test(address)),
    addresses.join(' '),
  )
  t.match(addresses.at(-1), hasIp6 ? /^\/ip6\/::1\// : /^\/ip4\/127\./)
  const client = await openTestTransport(t, { tcp: [] })
  for (const address of addresses) t.equal(await client.connect(address), transport.peerId)
})

t.test('a watcher that throws hurts nobody', async (t) => {
  const log = new MemoryLog()
  const [server, client] = [await listening(t, { log }), await openTestTransport(t, { tcp: [] })]
  server.watch(() => {
    throw new Error('a bug')
  })
  let seen = 0
  const unwatch = server.watch(() => seen++)
  await client.connect(server.addresses()[0] as string)
  await until(() => seen === 1, 'the other watcher is told')
  t.same(log.events('error'), ['watcher of peers failed'])
  unwatch()
  await client.close()
  await until(() => server.peers().length === 0, 'gone')
  t.equal(seen, 1)
})

t.test('announced addresses come first, each once, and peers are told', async (t) => {
  const announce = [
    '/dns4/home.example/tcp/4180',
    '/ip4/203.0.113.9/tcp/4180',
    '/ip4/203.0.113.9/tcp/4180',
  ]
  const server = await listening(t, { announce })
  const { peerId } = server
  t.match(server.ownAddresses(), [
    { address: `/dns4/home.example/tcp/4180/p2p/${peerId}`, source: 'announced', scope: 'public' },
    { address: `/ip4/203.0.113.9/tcp/4180/p2p/${peerId}`, source: 'announced', scope: 'public' },
    { source: 'listening', scope: 'loopback' },
  ])
  t.strictSame(
    server.addresses(),
    server.ownAddresses().map(({ address }) => address),
  )
  const client = await openTestTransport(t, { tcp: [] })
  const [own = ''] = server.addresses().slice(-1)
  await client.connect([own, `/ip4/127.0.0.1/tcp/1/p2p/${peerId}`])
  t.equal(client.peers()[0]?.peerId, peerId, 'any of its addresses will do')
  for (const wrong of [
    '/ip4/1.2.3.4/tcp/0',
    '/ip4/1.2.3.4/udp/1',
    `/ip4/1.2.3.4/tcp/1/p2p/${peerId}`,
  ]) {
    const refused = openTestTransport(t, { announce: [wrong] })
    await t.rejects(refused, { code: 'ABZU_CONFIG_INVALID' })
  }
})
