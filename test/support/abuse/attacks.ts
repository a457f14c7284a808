/** Attacks on a node's connections and streams. Each ends by itself and is bounded. @module */

import { connect, type Socket } from 'node:net'
import { createSocket } from 'node:dgram'
import type { Connection, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { Libp2p } from 'libp2p'
import type { Test } from 'tap'
import { concatBytes, u32be } from '../../../src/base/util/bytes.ts'
import { peerIdOf } from '../../../src/base/crypto/address.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { encodeDeliverRequest } from '../../../src/base/wire/deliver.ts'
import { encodeFrame, frameType } from '../../../src/base/wire/frame.ts'
import { wireLimits } from '../../../src/base/wire/limits.ts'
import { deliverProtocol, recordProtocol } from '../../../src/base/wire/protocols.ts'
import { carrierOf } from '../../../src/machine/transport/addresses.ts'
import { attack, hostileStream, openAttacker } from '../attacker.ts'
import { seededIntegers } from '../hostile.ts'
import { until } from '../transports.ts'
import type { Target } from './arena.ts'

type Draw = (below: number) => number

const data = (payload: Uint8Array) => encodeFrame(frameType.data, payload)
const bytes = (draw: Draw, length: number) => Uint8Array.from({ length }, () => draw(256))
const isOpen = (connection: Connection | undefined): connection is Connection =>
  connection?.status === 'open'
const turn = async () => new Promise((resolve) => setImmediate(resolve))

/** What a stream sends before it is left alone or reset. The first three are no violations. */
const tricks: ((draw: Draw, stream: Stream) => void)[] = [
  // opens, and never speaks
  () => undefined,
  // half a frame
  (draw, stream) => stream.send(data(bytes(draw, 500)).subarray(0, 1 + draw(500))),
  // opens, and resets
  (_, stream) => stream.abort(new Error('hostile reset')),
  // garbage
  (draw, stream) => stream.send(bytes(draw, 1 + draw(2000))),
  // announces more than a frame may have
  (_, stream) => stream.send(concatBytes(u32be(wireLimits.frameBytesMax + 2), new Uint8Array(1))),
  // a message that means nothing
  (draw, stream) => stream.send(data(bytes(draw, 100))),
]

/** Opens `count` hostile streams, under as many names and from as many addresses as it takes. Returns how
 *  many were opened and what they cost in names. */
export async function hostileStreams(
  t: Test,
  address: string,
  { count, namesMax, seed }: { count: number; namesMax: number; seed: number },
): Promise<{ opened: number; names: number }> {
  const draw = seededIntegers(seed)
  const carrier = carrierOf(address)
  let opened = 0
  let names = 0
  /** One attacker after the other, until all streams were opened. */
  const work = async () => {
    while (opened < count && names < namesMax) {
      const from = `127.0.${1 + seed}.${1 + Math.floor(names++ / 4)}`
      const attacker = await openAttacker(t, { carrier, ...(carrier === 'tcp' && { from }) })
      try {
        opened += await attackOnce(attacker, address, { draw, most: count - opened })
      } finally {
        await attacker.stop()
      }
    }
  }
  await Promise.all(Array.from({ length: 4 }, work))
  return { opened, names }
}

/** Opens streams over one connection until it is ended, 300 at most. */
async function attackOnce(
  attacker: Libp2p,
  address: string,
  { draw, most }: { draw: Draw; most: number },
): Promise<number> {
  const connection = await attack(attacker, address).catch(() => undefined)
  let opened = 0
  for (let n = 0; n < 30 && isOpen(connection) && opened < most; n++) {
    const protocols = [deliverProtocol, recordProtocol]
    const streams = await Promise.all(
      Array.from({ length: 12 }, async (_, n) =>
        hostileStream(connection, (protocols[n % 2] as typeof deliverProtocol).id),
      ),
    )
    // by QUIC each that is not let in costs a timeout: the next name is faster
    if (streams.every((stream) => stream === undefined)) break
    for (const stream of streams) {
      if (!stream) continue
      opened++
      try {
        // most break no rule outright: who does is shut out soon
        tricks[draw(4) > 0 ? draw(3) : draw(tricks.length)]?.(draw, stream)
      } catch {
        // the other side was faster
      }
    }
    await turn()
    // a third is left as it is, for the other side to get rid of
    for (const stream of streams) if (draw(3) > 0) stream?.abort(new Error('enough'))
  }
  return opened
}

/** Opens and resets streams over one connection after the other as fast as it can, for a while. */
export async function churn(t: Test, address: string, durationMs: number): Promise<number> {
  const endMs = performance.now() + durationMs
  let opened = 0
  for (let name = 0; name < 200 && performance.now() < endMs; name++) {
    const attacker = await openAttacker(t, { from: `127.0.200.${1 + (name % 250)}` })
    const connection = await attack(attacker, address).catch(() => undefined)
    while (isOpen(connection) && performance.now() < endMs) {
      const streams = await Promise.all(
        Array.from({ length: 32 }, async () => hostileStream(connection, recordProtocol.id)),
      )
      for (const stream of streams) stream?.abort(new Error('hostile reset'))
      opened += streams.filter((stream) => stream !== undefined).length
      await turn()
    }
    await attacker.stop()
  }
  return opened
}

/** Holds as many sockets as it can from some addresses, each of which says nothing or half of a greeting.
 *  Returns how many it opened. */
export async function halfOpenSockets(
  { tcp }: Target,
  { hosts, durationMs }: { hosts: readonly string[]; durationMs: number },
): Promise<number> {
  const port = Number(tcp.split('/')[4])
  const greeting = new TextEncoder().encode('\x13/multistream/1.0.0\n\x07/noi')
  const sockets = new Set<Socket>()
  let opened = 0
  let isOver = false
  const open = (host: string) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: host })
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('connect', () => {
      if (++opened % 2 === 0) socket.write(greeting)
    })
    socket.on('close', () => {
      sockets.delete(socket)
      // refused or given up: the next one, a moment later
      if (!isOver) setTimeout(() => isOver || open(host), 20)
    })
  }
  for (const host of hosts) for (let n = 0; n < 60; n++) open(host)
  await new Promise((resolve) => setTimeout(resolve, durationMs))
  isOver = true
  for (const socket of sockets) socket.destroy()
  return opened
}

/** Sends beginnings of QUIC handshakes, each from a port at which nobody listens to the answer. Returns
 *  how many. */
export async function halfOpenQuic(t: Test, { quic }: Target, count: number): Promise<number> {
  const port = Number(quic.split('/')[4])
  let passed = 0
  const relay = createSocket('udp4')
  relay.on('message', (first) => {
    if (passed >= count) return
    passed++
    const silent = createSocket('udp4')
    silent.send(first, port, '127.0.0.1', () => silent.close())
  })
  await new Promise<void>((resolve) => relay.bind(0, '127.0.0.1', resolve))
  t.teardown(() => relay.close())
  const { ed25519, random } = nodePlatform()
  const dial = async (attacker: Libp2p) => {
    // libp2p has one dial of a peer at a time: each is of another
    const nobody = peerIdOf(ed25519.publicKey(random(32)))
    const way = `/ip4/127.0.0.1/udp/${relay.address().port}/quic-v1/p2p/${nobody}`
    const signal = AbortSignal.timeout(2000)
    await attacker.dial(multiaddr(way), { signal }).catch(() => undefined)
  }
  const attackers = await Promise.all(
    Array.from({ length: 4 }, async () => openAttacker(t, { carrier: 'quic' })),
  )
  await Promise.all(
    attackers.flatMap((attacker) => Array.from({ length: count / 4 }, async () => dial(attacker))),
  )
  return passed
}

/** Connects under `count` names, and stays. Returns how many places it held at last: `places` at most, once the
 *  refusals are heard. */
export async function crowd(
  t: Test,
  address: string,
  { count, places }: { count: number; places: number },
): Promise<number> {
  const attackers = await Promise.all(
    Array.from({ length: count }, async (_, n) =>
      openAttacker(t, { from: `127.0.150.${1 + Math.floor(n / 40)}` }),
    ),
  )
  const connections: (Connection | undefined)[] = []
  for (let n = 0; n < count; n += 10) {
    const some = attackers.slice(n, n + 10)
    const dialled = some.map(async (one) => attack(one, address).catch(() => undefined))
    connections.push(...(await Promise.all(dialled)))
  }
  const held = () => connections.filter((connection) => connection?.status === 'open').length
  await until(() => held() <= places, `no more than ${places} places are held`)
  const heldAtLast = held()
  await Promise.all(attackers.map(async (one) => one.stop()))
  return heldAtLast
}

/** Asks without end on many streams, and reads none of the answers. Returns how many requests it wrote. */
export async function slowReader(t: Test, address: string, rounds: number): Promise<number> {
  const draw = seededIntegers(77)
  const attacker = await openAttacker(t, { from: '127.0.160.1' })
  const requests = concatBytes(
    ...Array.from({ length: 400 }, (_, requestId) =>
      data(
        encodeDeliverRequest({
          requestId,
          mailbox: bytes(draw, 32),
          doorId: bytes(draw, 8),
          proof: bytes(draw, 16),
          envelope: bytes(draw, 1400),
        }),
      ),
    ),
  )
  let written = 0
  for (let round = 0; round < rounds; round++) {
    const connection = await attack(attacker, address).catch(() => undefined)
    if (!connection) continue
    for (let n = 0; n < deliverProtocol.streamsMax; n++) {
      const stream = await hostileStream(connection, deliverProtocol.id)
      try {
        // as much as the credit that stands at the start
        stream?.send(requests)
        written += stream ? 400 : 0
      } catch {
        // the other side was faster
      }
      await turn()
    }
    await connection.close().catch(() => undefined)
  }
  return written
}
