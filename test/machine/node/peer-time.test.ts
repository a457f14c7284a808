import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { openStore } from '../../../src/base/store/store.ts'
import type { PeerId } from '../../../src/base/util/brand.ts'
import type { Clock } from '../../../src/base/util/clock.ts'
import { systemScheduler } from '../../../src/base/util/system-time.ts'
import { timeProtocol } from '../../../src/base/wire/protocols.ts'
import { ClockWatch } from '../../../src/machine/node/clock-watch.ts'
import { PeerTime, timeHandler } from '../../../src/machine/node/peer-time.ts'
import { call, serveCalls } from '../../../src/machine/transport/call.ts'
import { ManualTime } from '../../support/manual-time.ts'
import { listening, MemoryLog, openTestTransport, until } from '../../support/transports.ts'

const yearMs = 365 * 86_400_000
const scheduler = systemScheduler

/** A node that tells its time, or what `answer` says. */
async function teller(t: Test, clock: Clock, answer = timeHandler(clock)) {
  const transport = await openTestTransport(t)
  serveCalls(transport, timeProtocol, { timeoutMs: 5000, scheduler, answer })
  await transport.listen()
  return transport
}

async function node(t: Test, time: ManualTime, { neighbours = [] as PeerId[] } = {}) {
  const log = new MemoryLog()
  const store = await openStore({
    dir: undefined,
    platform: nodePlatform(),
    clock: time,
    scheduler,
    log,
  })
  t.teardown(async () => store.close())
  const transport = await listening(t)
  const watch = ClockWatch.open({ clock: time, scheduler: time, table: store.table('clock'), log })
  const peers = new PeerTime({
    transport,
    watch,
    isKept: () => false,
    isNeighbour: (peer) => neighbours.includes(peer),
    clock: time,
    scheduler,
    log,
  })
  t.teardown(() => peers.close())
  return { transport, watch, peers, log }
}

t.test('two chosen peers end the doubt', async (t) => {
  const time = new ManualTime()
  const { transport, watch, peers } = await node(t, time)
  const tellers = [await teller(t, time), await teller(t, time)]
  time.jump(10 * yearMs)
  t.ok(watch.state)
  await transport.connect(tellers[0]?.addresses() ?? '')
  t.match(await peers.ask(), [{ differenceMs: 0 }])
  t.match(watch.state, { witnesses: 1 })
  await transport.connect(tellers[1]?.addresses() ?? '')
  await until(() => watch.state === undefined, 'trusted, without being asked to ask')
})

t.test('who has no say: callers, neighbours, doubters, liars, junk', async (t) => {
  const time = new ManualTime()
  const wrong = new ManualTime()
  const neighbour = await teller(t, time)
  const { transport, watch, peers, log } = await node(t, time, { neighbours: [neighbour.peerId] })
  time.jump(10 * yearMs)
  const doubter: Clock = {
    nowMs: () => time.nowMs(),
    monotonicMs: () => 0,
    doubt: () => ({ earliestMs: 0, latestMs: 1 }),
  }
  const chosen = [
    await teller(t, doubter),
    await teller(t, wrong),
    await teller(t, time, async () => randomBytes(40)),
    await teller(t, time, async () => new Uint8Array(100_000)),
    await listening(t),
  ]
  for (const peer of [...chosen, neighbour]) await transport.connect(peer.addresses())
  for (let n = 0; n < 2; n++) {
    const caller = await teller(t, time)
    await caller.connect(transport.addresses())
  }
  await until(() => transport.peers().length === 8, 'all are connected')
  const opinions = await peers.ask()
  t.equal(opinions.length, 1, 'only the liar has an opinion')
  t.ok(Math.abs((opinions[0]?.differenceMs ?? 0) + 10 * yearMs) < 1000)
  t.match(watch.state, { witnesses: 0 })
  t.strictSame(log.events('error'), [])
})

t.test('the handler: its time, whether it trusts it, and junk', async (t) => {
  const time = new ManualTime()
  const server = await teller(t, time)
  const client = await listening(t)
  const ask = async (request: Uint8Array) =>
    call(client, server.peerId, timeProtocol, request, {
      addresses: server.addresses(),
      timeoutMs: 5000,
      scheduler,
    })
  const malformed = { code: 'ABZU_MALFORMED' }
  for (const junk of [[], [0x90], [0x91, 1], [0x92, 0, 0], [0xc0]]) {
    await t.rejects(ask(Uint8Array.from(junk)), malformed)
  }
  t.same(
    Buffer.from(await ask(Uint8Array.of(0x91, 0)))
      .toString('hex')
      .slice(0, 4),
    '9201',
  )
  time.jump(-60 * yearMs)
  t.same(Buffer.from(await ask(Uint8Array.of(0x91, 0))).toString('hex'), '920100', 'not below zero')
})
