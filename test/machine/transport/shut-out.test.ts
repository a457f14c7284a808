/** Who breaks the rules again and again, or opens streams without end, by either carrier. */

import { connect } from 'node:net'
import t, { type Test } from 'tap'
import type { Protocol } from '../../../src/base/wire/protocols.ts'
import { systemScheduler as scheduler } from '../../../src/base/util/system-time.ts'
import { carrierOf } from '../../../src/machine/transport/addresses.ts'
import { call, serveCalls } from '../../../src/machine/transport/call.ts'
import type { Transport } from '../../../src/machine/transport/transport.ts'
import { attack, hostileStream, openAttacker } from '../../support/attacker.ts'
import { ManualTime } from '../../support/manual-time.ts'
import {
  listening,
  MemoryLog,
  openTestTransport,
  until,
  type TestTransportInit,
} from '../../support/transports.ts'

const protocol: Protocol = { id: '/abzu/test/1.0.0', streamsMax: 32 }
const garbage = new Uint8Array(100).fill(255)

/** A node that echoes, and counts what it was asked. */
async function openVictim(t: Test, init: TestTransportInit) {
  const log = new MemoryLog()
  const transport = await listening(t, { log, ...init })
  const counts = { asked: 0 }
  const answer = async (bytes: Uint8Array) => {
    counts.asked++
    return bytes
  }
  serveCalls(transport, protocol, { timeoutMs: 5000, scheduler, answer })
  return { transport, log, counts, address: transport.addresses()[0] as string }
}

async function serves(t: Test, { peerId }: Transport, address: string, from?: Transport) {
  const client = from ?? (await openTestTransport(t, { tcp: [] }))
  const init = { addresses: [address], timeoutMs: 5000, scheduler }
  return call(client, peerId, protocol, new Uint8Array([1]), init).then(
    () => true,
    () => false,
  )
}

function testCarrier(t: Test, at: TestTransportInit): void {
  t.test('a peer that breaks the rules again and again is shut out for a while', async (t) => {
    const clock = new ManualTime()
    const victim = await openVictim(t, { ...at, clock })
    const machineSeed = new Uint8Array(32).fill(3)
    const attacker = await openTestTransport(t, { tcp: [], machineSeed })
    const stranger = await openTestTransport(t, { tcp: [] })
    t.ok(await serves(t, victim.transport, victim.address, attacker))
    for (let n = 0; n < 11; n++) {
      const stream = await attacker.open(victim.transport.peerId, protocol, {
        addresses: [victim.address],
      })
      // two messages where one belongs
      for (let twice = 0; twice < 2; twice++) stream.send(garbage)
      await stream.closed
    }
    await until(() => attacker.peers().length === 0, 'the connection is ended')
    t.same(victim.log.events('warn'), ['peer shut out for a while'])
    t.notOk(await serves(t, victim.transport, victim.address, attacker), 'refused')
    t.ok(await serves(t, victim.transport, victim.address, stranger), 'nobody else is')
    await clock.advance(61_000)
    t.ok(await serves(t, victim.transport, victim.address, attacker), 'forgiven')
  })

  t.test('streams that are opened too fast are reset, and their peer shut out', async (t) => {
    const limits = { peerStreams: { perSecond: 1, burst: 100 } }
    const victim = await openVictim(t, { ...at, limits })
    const attacker = await openAttacker(t, { carrier: carrierOf(victim.address) })
    const connection = await attack(attacker, victim.address)
    let opened = 0
    for (; opened < 1000 && connection.status === 'open'; opened++) {
      const stream = await hostileStream(connection, protocol.id)
      stream?.abort(new Error('hostile reset'))
      await new Promise((resolve) => setImmediate(resolve))
    }
    t.ok(opened < 150, `${opened} streams until the connection was ended`)
    t.ok(opened > 90)
    const again = await attack(attacker, victim.address).catch(() => undefined)
    if (again) await until(() => again.status !== 'open', 'refused')
    t.ok(await serves(t, victim.transport, victim.address))
  })

  t.test('who keeps to its pace opens as many as it likes', async (t) => {
    const limits = { peerStreams: { perSecond: 1000, burst: 20 } }
    const victim = await openVictim(t, { ...at, limits })
    const client = await openTestTransport(t, {
      tcp: [],
      limits: { peerStreamsOutbound: { perSecond: 500, burst: 10 } },
    })
    const served = await Promise.all(
      Array.from({ length: 60 }, async () => serves(t, victim.transport, victim.address, client)),
    )
    t.ok(served.every((one) => one))
  })
}

t.test('by TCP', async (t) => testCarrier(t, { tcp: ['127.0.0.1:0'] }))
t.test('by QUIC', async (t) => testCarrier(t, { quic: ['127.0.0.1:0'] }))

t.test('silent sockets of one address do not take the places of all handshakes', async (t) => {
  const limits = { inboundPendingMax: 10, inboundPendingPerAddressMax: 4 }
  const victim = await openVictim(t, { limits })
  const port = Number(victim.address.split('/')[4])
  let open = 0
  const sockets = Array.from({ length: 30 }, () => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' })
    socket.on('connect', () => open++)
    socket.on('error', () => undefined)
    return socket
  })
  t.teardown(() => sockets.forEach((socket) => socket.destroy()))
  await until(() => open === 30, 'all connected')
  const beganAtMs = performance.now()
  t.ok(await serves(t, victim.transport, victim.address))
  t.ok(performance.now() - beganAtMs < 2000, 'at once: before the silent ones are given up')
})
