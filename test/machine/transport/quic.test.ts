import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type {
  MultiaddrConnection,
  Upgrader,
  UpgraderWithoutEncryptionOptions,
} from '@libp2p/interface'
import t, { type Test } from 'tap'
import { systemScheduler as scheduler } from '../../../src/base/util/system-time.ts'
import type { Protocol } from '../../../src/base/wire/protocols.ts'
import { call, serveCalls } from '../../../src/machine/transport/call.ts'
import type { ImportQuic } from '../../../src/machine/transport/quic.ts'
import type { Transport } from '../../../src/machine/transport/transport.ts'
import { listening, MemoryLog, openTestTransport, until } from '../../support/transports.ts'

const protocol: Protocol = { id: '/abzu/test/1.0.0', streamsMax: 16 }
const unreachable = { code: 'ABZU_UNREACHABLE' }
const both = { tcp: ['127.0.0.1:0'], quic: ['127.0.0.1:0'] }

const serveEcho = (transport: Transport) =>
  serveCalls(transport, protocol, { timeoutMs: 5000, scheduler, answer: async (bytes) => bytes })

const ask = async (client: Transport, { peerId }: Transport, addresses: readonly string[]) =>
  call(client, peerId, protocol, new Uint8Array([1]), { addresses, timeoutMs: 15_000, scheduler })

const addressOf = (transport: Transport, carrier: 'tcp' | 'udp') =>
  transport.addresses().find((address) => address.includes(`/${carrier}/`)) as string

const carriers = (transport: Transport) =>
  transport.peers().map(({ address }) => (address.includes('/quic-v1') ? 'quic' : 'tcp'))

/** A UDP port of 127.0.0.1 at which nobody answers. */
async function swallow(t: Test, onMessage?: (bytes: Buffer) => void): Promise<Socket> {
  const socket = createSocket('udp4')
  if (onMessage) socket.on('message', onMessage)
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  return socket
}

t.test('both listen, one after the other for each host', async (t) => {
  const server = await listening(t, { tcp: ['0.0.0.0:0'], quic: ['0.0.0.0:0'] })
  const kinds = server.addresses().map((address) => address.split('/')[3])
  t.ok(kinds.length >= 2)
  t.same(
    kinds,
    kinds.map((_, n) => (n % 2 === 0 ? 'tcp' : 'udp')),
  )
})

t.test('TCP is dialled first, QUIC where TCP does not answer', async (t) => {
  const server = await listening(t, both)
  serveEcho(server)
  const [quic, tcp] = [addressOf(server, 'udp'), addressOf(server, 'tcp')]
  const first = await openTestTransport(t, { tcp: [] })
  t.same([...(await ask(first, server, [quic, tcp]))], [1])
  t.same(carriers(first), ['tcp'])
  const second = await openTestTransport(t, { tcp: [] })
  const dead = `/ip4/127.0.0.1/tcp/1/p2p/${server.peerId}`
  t.same([...(await ask(second, server, [dead, quic]))], [1])
  t.same(carriers(second), ['quic'])
})

t.test('a blocked UDP path costs a moment, not the dial', async (t) => {
  const server = await listening(t, both)
  serveEcho(server)
  const { port } = (await swallow(t)).address()
  const blocked = `/ip4/127.0.0.1/udp/${port}/quic-v1/p2p/${server.peerId}`
  const client = await openTestTransport(t, { tcp: [], limits: { quicDialMs: 300, dialMs: 3000 } })
  const beganAtMs = performance.now()
  await t.rejects(client.connect(blocked), unreachable)
  t.ok(performance.now() - beganAtMs < 2000, 'the time of a dial by QUIC')
  const dead = `/ip4/127.0.0.1/tcp/1/p2p/${server.peerId}`
  t.same([...(await ask(client, server, [dead, blocked, addressOf(server, 'udp')]))], [1])
})

t.test('who answers as somebody else is refused', async (t) => {
  const [server, other, client] = [
    await listening(t, both),
    await listening(t),
    await openTestTransport(t, { tcp: [] }),
  ]
  const asOther = addressOf(server, 'udp').replace(server.peerId, other.peerId)
  await t.rejects(client.connect(asOther), unreachable)
  t.same(client.peers(), [])
})

t.test('where it cannot listen', async (t) => {
  const { port } = (await swallow(t)).address()
  const taken = await openTestTransport(t, { tcp: ['127.0.0.1:0'], quic: [`127.0.0.1:${port}`] })
  const message = new RegExp(`/ip4/127.0.0.1/udp/${port}/quic-v1`)
  await t.rejects(taken.listen(), { code: 'ABZU_PORT_IN_USE', message })
  const foreign = await openTestTransport(t, { quic: ['192.0.2.1:0'] })
  await t.rejects(foreign.listen(), { code: 'ABZU_CONFIG_INVALID' })
  await t.rejects(openTestTransport(t, { quic: ['nonsense'] }), { code: 'ABZU_CONFIG_INVALID' })
})

t.test('without a binding there is a warning, and TCP', async (t) => {
  const log = new MemoryLog()
  const importQuic = async () => Promise.reject(new Error('Cannot find native binding'))
  const server = await listening(t, { ...both, log, importQuic })
  serveEcho(server)
  t.same(log.events('warn'), ['no QUIC on this machine, TCP alone'])
  t.match(server.addresses(), [/\/tcp\//])
  t.equal(server.addresses().length, 1)
  const other = await listening(t, both)
  await t.rejects(server.connect(addressOf(other, 'udp')), unreachable)
  const client = await openTestTransport(t, { tcp: [] })
  t.same([...(await ask(client, server, server.addresses()))], [1])
})

t.test('handshakes that are never finished do not hold up others', async (t) => {
  const server = await listening(t, both)
  serveEcho(server)
  const target = addressOf(server, 'udp')
  const port = Number(target.split('/')[4])
  // whatever a client sends first is passed on, once, from a port where nobody listens to the answer
  let passed = 0
  const dialled = await swallow(t, (bytes) => {
    if (passed >= 8) return
    passed++
    const silent = createSocket('udp4')
    silent.send(bytes, port, '127.0.0.1', () => silent.close())
  })
  const attacker = await openTestTransport(t, { tcp: [], limits: { quicDialMs: 200 } })
  const way = `/ip4/127.0.0.1/udp/${dialled.address().port}/quic-v1/p2p/${server.peerId}`
  for (let n = 0; n < 8; n++) await attacker.connect(way).catch(() => undefined)
  await until(() => passed === 8, 'the beginnings of handshakes are sent')
  const client = await openTestTransport(t, { tcp: [] })
  const beganAtMs = performance.now()
  t.same([...(await ask(client, server, [target]))], [1])
  t.ok(performance.now() - beganAtMs < 2000, 'at once')
  t.same(carriers(client), ['quic'])
})

t.test('reads of a real stream grow while the peer fills them', async (t) => {
  const server = await listening(t, both)
  serveEcho(server)
  const asked: number[] = []
  const client = await openTestTransport(t, {
    quic: ['127.0.0.1:0'],
    importQuic: recordingReads(asked),
  })
  const bytes = new Uint8Array(200_000).fill(7)
  const address = addressOf(server, 'udp')
  const answer = await call(client, server.peerId, protocol, bytes, {
    addresses: [address],
    timeoutMs: 15_000,
    scheduler,
  })
  t.ok(Buffer.from(answer).equals(bytes))
  t.same(carriers(client), ['quic'])
  t.equal(asked[0], 4096)
  t.ok(asked.some((bytesMax) => bytesMax > 4096))
})

interface NativeStream {
  read(bytesMax: number): Promise<Uint8Array | null>
}

interface QuicMuxerFactory {
  readonly init: { readonly connection: { outboundStream(): Promise<NativeStream> } }
}

function recorded(stream: NativeStream, asked: number[]): NativeStream {
  const read = stream.read.bind(stream)
  stream.read = async (bytesMax) => {
    asked.push(bytesMax)
    return read(bytesMax)
  }
  return stream
}

/** The real library; `asked` tells how much is asked of its native streams, of connections it dialled. */
function recordingReads(asked: number[]): ImportQuic {
  return async () => {
    const { quic } = await import('@chainsafe/libp2p-quic')
    const recording: typeof quic = (options) => (components) => {
      const transport = quic(options)(components)
      const dial = transport.dial.bind(transport)
      transport.dial = async (address, options) => {
        const upgrader: Upgrader = {
          ...options.upgrader,
          upgradeOutbound: async (
            raw: MultiaddrConnection,
            upgrade: UpgraderWithoutEncryptionOptions,
          ) => {
            const { connection } = (upgrade.muxerFactory as unknown as QuicMuxerFactory).init
            const open = connection.outboundStream.bind(connection)
            connection.outboundStream = async () => recorded(await open(), asked)
            return options.upgrader.upgradeOutbound(raw, upgrade)
          },
        }
        return dial(address, { ...options, upgrader })
      }
      return transport
    }
    return { quic: recording }
  }
}
