import { connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import type { Protocol } from '../../../src/base/wire/protocols.ts'
import { call, serveCalls } from '../../../src/machine/transport/call.ts'
import { systemScheduler as scheduler } from '../../../src/base/util/system-time.ts'
import type { Transport } from '../../../src/machine/transport/transport.ts'
import { listening, openTestTransport, until } from '../../support/transports.ts'

const protocol: Protocol = { id: '/abzu/test/1.0.0', streamsMax: 16 }

const serveEcho = (transport: Transport) =>
  serveCalls(transport, protocol, { timeoutMs: 5000, scheduler, answer: async (bytes) => bytes })

const ask = async (client: Transport, { peerId }: Transport, addresses: readonly string[]) =>
  call(client, peerId, protocol, new Uint8Array([1]), { addresses, timeoutMs: 5000, scheduler })

/** A way to `port` that can be blocked: nothing passes any more, and nobody is told. */
async function openProxy(t: Test, port: number) {
  const sockets: Socket[] = []
  const proxy = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const socket of [near, far]) socket.on('error', () => undefined)
    near.pipe(far).pipe(near)
    sockets.push(near, far)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    proxy.close()
  })
  return {
    port: (proxy.address() as { port: number }).port,
    block: () => {
      for (const socket of sockets) socket.unpipe().pause()
    },
  }
}

const portOf = (transport: Transport) => Number(transport.addresses()[0]?.split('/')[4])

t.test('a connection that died unseen is replaced', async (t) => {
  const server = await listening(t)
  serveEcho(server)
  const proxy = await openProxy(t, portOf(server))
  const client = await openTestTransport(t, { tcp: [], limits: { streamOpenMs: 300 } })
  await ask(client, server, [`/ip4/127.0.0.1/tcp/${proxy.port}/p2p/${server.peerId}`])
  proxy.block()
  t.same([...(await ask(client, server, server.addresses()))], [1])
  t.match(client.peers(), [{ address: server.addresses()[0] }])
})

t.test('a connection whose peer does not answer is closed', async (t) => {
  const server = await listening(t)
  const proxy = await openProxy(t, portOf(server))
  const limits = { monitorIntervalMs: 100, monitorTimeoutMs: 200 }
  const client = await openTestTransport(t, { tcp: [], limits })
  await client.connect(`/ip4/127.0.0.1/tcp/${proxy.port}/p2p/${server.peerId}`)
  const lost = Promise.withResolvers<void>()
  client.watch(() => lost.resolve())
  proxy.block()
  await lost.promise
  t.same(client.peers(), [])
})

t.test('strangers leave room for kept peers', async (t) => {
  const limits = { connectionsMax: 3, connectionsReserved: 1 }
  const server = await listening(t, { limits })
  const clients = await Promise.all(
    Array.from({ length: 4 }, async () => openTestTransport(t, { tcp: [] })),
  )
  const [first, second, stranger, kept] = clients as [Transport, Transport, Transport, Transport]
  const address = server.addresses()[0] as string
  const isServed = (client: Transport) =>
    server.peers().some(({ peerId }) => peerId === client.peerId)
  await first.connect(address)
  await second.connect(address)
  await until(() => isServed(first) && isServed(second), 'two strangers')
  await stranger.connect(address).catch(() => undefined)
  await until(() => stranger.peers().length === 0, 'the third is refused')
  server.keep(kept.peerId, [`/ip4/127.0.0.1/tcp/1/p2p/${kept.peerId}`])
  await kept.connect(address)
  await until(() => isServed(kept), 'the kept peer is not')
  const late = await openTestTransport(t, { tcp: [] })
  await late.connect(address).catch(() => undefined)
  await until(() => late.peers().length === 0, 'full is full')
  t.equal(server.peers().length, 3)
  const other = await listening(t)
  await t.rejects(server.connect(other.addresses()[0] as string), { code: 'ABZU_OVERLOADED' })
})

t.test('one address has its share of the connections, no more', async (t) => {
  const server = await listening(t, { limits: { connectionsPerAddressMax: 2 } })
  const address = server.addresses()[0] as string
  for (let n = 0; n < 4; n++) {
    const client = await openTestTransport(t, { tcp: [] })
    await client.connect(address).catch(() => undefined)
    await until(() => client.peers().length === 0 || server.peers().length === n + 1, 'settled')
  }
  t.equal(server.peers().length, 2)
})

t.test('of many connections with one peer the oldest goes', async (t) => {
  const server = await listening(t)
  const seeds = new Uint8Array(32).fill(9)
  const limits = { connectionsPerPeerMax: 2 }
  const clients = await Promise.all(
    Array.from({ length: 3 }, async () => openTestTransport(t, { tcp: [], machineSeed: seeds })),
  )
  const strict = await listening(t, { limits })
  const address = strict.addresses()[0] as string
  const peersOf = () => strict.peers().length
  for (const [n, client] of clients.entries()) {
    await client.connect(address)
    await until(() => peersOf() === Math.min(2, n + 1), 'counted')
  }
  await until(() => clients[0]?.peers().length === 0, 'the oldest is gone')
  t.equal(clients[2]?.peers().length, 1)
  t.equal(server.peers().length, 0)
})

t.test('many streams at once over a connection that is just being made', async (t) => {
  const server = await listening(t)
  serveEcho(server)
  const client = await openTestTransport(t, { tcp: [] })
  const addresses = server.addresses()
  const answers = await Promise.all(
    Array.from({ length: 50 }, async () => ask(client, server, addresses)),
  )
  t.equal(answers.length, 50)
})
