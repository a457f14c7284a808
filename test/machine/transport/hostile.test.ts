/** I33: no remote input ends the process. tap fails on uncaught errors; they are counted here as well. */

import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import type { Stream, StreamMuxerFactory } from '@libp2p/interface'
import { yamux } from '@libp2p/yamux'
import type { Libp2p } from 'libp2p'
import t, { type Test } from 'tap'
import { concatBytes, u32be } from '../../../src/base/util/bytes.ts'
import { encodeFrame, frameType } from '../../../src/base/wire/frame.ts'
import { wireLimits } from '../../../src/base/wire/limits.ts'
import type { Protocol } from '../../../src/base/wire/protocols.ts'
import type { Transport } from '../../../src/machine/transport/transport.ts'
import { attack, openAttacker } from '../../support/attacker.ts'
import { seededIntegers } from '../../support/hostile.ts'
import { listening, MemoryLog, openTestTransport, until } from '../../support/transports.ts'

const protocol: Protocol = { id: '/abzu/test/1.0.0', streamsMax: 32 }
const empty = new Uint8Array()

let uncaught = 0
const count = () => uncaught++
process.on('uncaughtExceptionMonitor', count)
t.teardown(() => process.off('uncaughtExceptionMonitor', count))

interface Victim {
  readonly transport: Transport
  readonly log: MemoryLog
  /** How often its handler ran to an end, by outcome. */
  readonly outcomes: Map<string, number>
}

/** A node that echoes, and whose handler throws what it is told to. */
async function openVictim(t: Test): Promise<Victim> {
  const log = new MemoryLog()
  const endless = { perSecond: 1e6, burst: 1e6 }
  const patience = { peerViolations: endless, addressViolations: endless }
  const limits = { resetGraceMs: 20, lingerMs: 100, ...patience }
  const transport = await listening(t, { log, limits })
  const outcomes = new Map<string, number>()
  const note = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  transport.handle(protocol, async (stream) => {
    try {
      for await (const batch of stream.batches()) {
        for (const message of batch) {
          if (message[0] === 255) throw new TypeError('a bug that a peer can reach')
          await stream.ready()
          stream.send(message)
        }
      }
      note('end')
    } catch (error) {
      note((error as { code?: string }).code ?? 'bug')
      throw error
    }
  })
  return { transport, log, outcomes }
}

const attackVictim = async (attacker: Libp2p, { transport }: Victim) =>
  attack(attacker, transport.addresses()[0] as string)

const total = ({ outcomes }: Victim) => [...outcomes.values()].reduce((sum, n) => sum + n, 0)

async function stillServes(t: Test, { transport }: Victim): Promise<void> {
  const client = await openTestTransport(t, { tcp: [] })
  const addresses = transport.addresses()
  const stream = await client.open(transport.peerId, protocol, { addresses })
  stream.send(new Uint8Array([1]))
  await stream.end()
  const answers: Uint8Array[] = []
  for await (const batch of stream.batches()) answers.push(...batch)
  t.same(
    answers.map(([n]) => n),
    [1],
    'an honest peer is served',
  )
  t.equal(uncaught, 0, 'uncaught errors')
}

const data = (payload: Uint8Array) => encodeFrame(frameType.data, payload)
const end = encodeFrame(frameType.end, empty)

type Draw = (below: number) => number
const bytes = (draw: Draw, length: number) => Uint8Array.from({ length }, () => draw(256))

/** What hostile streams send, and do after it. */
const tricks: ((draw: Draw, stream: Stream) => void)[] = [
  (draw, stream) => stream.send(bytes(draw, 1 + draw(2000))),
  (draw, stream) => stream.send(data(bytes(draw, 500)).subarray(0, draw(500))),
  (_, stream) => stream.send(concatBytes(u32be(wireLimits.frameBytesMax + 2), new Uint8Array(1))),
  (_, stream) => stream.send(concatBytes(...Array.from({ length: 9000 }, () => data(empty)))),
  (_, stream) => stream.send(encodeFrame(frameType.credit, u32be(0xffffffff))),
  (_, stream) => stream.send(data(new Uint8Array([255]))),
  (draw, stream) => stream.send(concatBytes(data(bytes(draw, 10).fill(1)), end, end)),
  (draw, stream) =>
    stream.send(encodeFrame(frameType.error, new Uint8Array([draw(256), draw(256)]))),
  () => undefined,
]
const farewells: ((stream: Stream) => void)[] = [
  (stream) => stream.abort(new Error('hostile reset')),
  (stream) => void stream.close().catch(() => undefined),
  () => undefined,
]

t.test('a thousand hostile streams', async (t) => {
  const victim = await openVictim(t)
  const attacker = await openAttacker(t)
  const draw = seededIntegers(33)
  let connection = await attackVictim(attacker, victim)
  let opened = 0
  for (let wave = 0; wave < 40; wave++) {
    if (connection.status !== 'open') connection = await attackVictim(attacker, victim)
    const streams = await Promise.all(
      Array.from({ length: 25 }, async () =>
        connection.newStream(protocol.id).catch(() => undefined),
      ),
    )
    for (const stream of streams) {
      if (!stream) continue
      opened++
      try {
        tricks[draw(tricks.length)]?.(draw, stream)
        farewells[draw(farewells.length)]?.(stream)
      } catch {
        // the victim was faster
      }
    }
    await new Promise((resolve) => setImmediate(resolve))
    for (const stream of streams) stream?.abort(new Error('enough'))
    await until(() => total(victim) === opened, 'each stream is dealt with')
  }
  t.ok(opened > 900, `${opened} streams were opened`)
  await stillServes(t, victim)
  const { outcomes, log } = victim
  t.comment(Object.fromEntries(outcomes))
  for (const outcome of ['bug', 'ABZU_UNREACHABLE', 'ABZU_TOO_LARGE', 'ABZU_PROTOCOL_VIOLATION']) {
    t.ok((outcomes.get(outcome) ?? 0) > 10, `${outcome} was reached`)
  }
  t.equal(log.events('error').length, outcomes.get('bug'), 'each bug is logged, nothing else')
})

t.test('sockets that speak no libp2p, or only its beginning', async (t) => {
  const victim = await openVictim(t)
  const port = Number(victim.transport.addresses()[0]?.split('/')[4])
  const draw = seededIntegers(34)
  const hello = new TextEncoder().encode('\x13/multistream/1.0.0\n\x07/noise\n')
  const openings: (() => Uint8Array)[] = [
    () => bytes(draw, 1 + draw(5000)),
    () => hello,
    () => concatBytes(hello, bytes(draw, 300)),
    () => concatBytes(hello, new Uint8Array([0xff, 0xff]), bytes(draw, 70_000)),
    () => hello.subarray(0, draw(hello.length)),
    () => new Uint8Array(9).fill(0xff),
    () => empty,
  ]
  const sockets = Array.from({ length: 140 }, (_, n) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.on('connect', () => {
      socket.write(openings[n % openings.length]?.() ?? empty)
      if (n % 3 === 0) socket.resetAndDestroy()
      if (n % 3 === 1) socket.end()
    })
    return socket
  })
  t.teardown(() => sockets.forEach((socket) => socket.destroy()))
  await until(() => sockets.filter(({ connecting }) => connecting).length === 0, 'all connected')
  for (const socket of sockets.slice(0, 100)) socket.destroy()
  // forty sockets are left that hold places of the handshake
  await stillServes(t, victim)
})

t.test('a connection that breaks the rules of its muxer', async (t) => {
  const victim = await openVictim(t)
  const draw = seededIntegers(35)
  for (let n = 0; n < 30; n++) {
    const attacker = await openAttacker(t, { muxer: () => new GarbageMuxerFactory(draw, n) })
    await attackVictim(attacker, victim).catch(() => undefined)
    await new Promise((resolve) => setImmediate(resolve))
    await attacker.stop()
  }
  await until(() => victim.transport.peers().length === 0, 'all are gone')
  await stillServes(t, victim)
})

t.test('a peer that identifies itself with garbage, or not at all', async (t) => {
  const victim = await openVictim(t)
  const draw = seededIntegers(36)
  const attacker = await openAttacker(t)
  let asked = 0
  await attacker.handle('/ipfs/id/1.0.0', (stream) => {
    asked++
    if (asked % 3 === 0) return
    stream.send(bytes(draw, asked % 3 === 1 ? 20_000 : 200))
    void stream.close().catch(() => undefined)
  })
  for (let n = 0; n < 12; n++) {
    const connection = await attackVictim(attacker, victim)
    await until(() => asked > n, 'asked')
    await connection.close()
  }
  await stillServes(t, victim)
})

t.test('a peer whose key is no Ed25519 key is shut out', async (t) => {
  const victim = await openVictim(t)
  const attacker = await openAttacker(t, { key: 'secp256k1' })
  const connection = await attackVictim(attacker, victim).catch(() => undefined)
  if (connection) await until(() => connection.status !== 'open', 'the connection is refused')
  t.same(victim.transport.peers(), [])
  await stillServes(t, victim)
})

/** Sends garbage instead of yamux frames. */
class GarbageMuxerFactory implements StreamMuxerFactory {
  readonly protocol = '/yamux/1.0.0'
  readonly #draw: Draw
  readonly #n: number

  constructor(draw: Draw, n: number) {
    this.#draw = draw
    this.#n = n
  }

  createStreamMuxer(...[connection]: Parameters<StreamMuxerFactory['createStreamMuxer']>) {
    const muxer = yamux()().createStreamMuxer(connection)
    connection.send(this.#garbage())
    return muxer
  }

  #garbage(): Uint8Array {
    const draw = this.#draw
    const header = (type: number, flags: number, stream: number, length: number) =>
      concatBytes(new Uint8Array([0, type, flags >>> 8, flags]), u32be(stream), u32be(length))
    const kinds = [
      () => bytes(draw, 500),
      () => header(0, 1, 2, 10),
      () => header(0, 1, 3, 0xffffffff),
      () => concatBytes(header(0, 1, 3, 300_000), randomBytes(300_000)),
      () => header(1, 1, 5, 0xffffffff),
      () => header(2, 2, 0, 1234),
      () => header(3, 0, 0, 99),
      () => header(9, 0, 0, 0),
      () => concatBytes(...Array.from({ length: 300 }, (_, n) => header(1, 1, 2 * n + 1, 0))),
      () => concatBytes(header(1, 1, 7, 0), header(1, 8, 7, 0), header(0, 0, 7, 5), bytes(draw, 5)),
    ]
    return kinds[this.#n % kinds.length]?.() ?? empty
  }
}
