import t from 'tap'
import type { PeerId } from '../../../src/base/util/brand.ts'
import { silentLog } from '../../../src/base/util/log.ts'
import { Reconnector } from '../../../src/machine/transport/reconnect.ts'
import { ManualTime } from '../../support/manual-time.ts'

const peer = 'peer' as PeerId
const limits = { keptPeersMax: 2, reconnectMinMs: 1000, reconnectMaxMs: 60_000 }

/** A world with peers that answer or not. */
function openWorld({ jitter = 0 } = {}) {
  const time = new ManualTime()
  const connected = new Set<PeerId>()
  const dials: { peerId: PeerId; addresses: readonly string[]; atMs: number }[] = []
  let answers = false
  const reconnector = new Reconnector({
    clock: time,
    scheduler: time,
    random: (length) => new Uint8Array(length).fill(jitter),
    log: silentLog,
    limits,
    isConnected: (peerId) => connected.has(peerId),
    dial: async (peerId, addresses) => {
      dials.push({ peerId, addresses, atMs: time.monotonicMs() })
      if (!answers) throw new Error('nobody there')
      world.connect(peerId)
    },
  })
  const world = {
    time,
    dials,
    reconnector,
    answer: (yes: boolean) => {
      answers = yes
    },
    connect: (peerId: PeerId) => {
      connected.add(peerId)
      reconnector.connected(peerId)
    },
    lose: (peerId: PeerId) => {
      connected.delete(peerId)
      reconnector.lost(peerId)
    },
    gaps: () => dials.map(({ atMs }, n) => atMs - (dials[n - 1]?.atMs ?? 0)),
  }
  return world
}

t.test('pauses double up to the longest, for ever', async (t) => {
  const { reconnector, time, gaps } = openWorld()
  reconnector.keep(peer, ['a'])
  await time.advance(130_000)
  t.same(gaps(), [0, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000])
  for (let hour = 0; hour < 2; hour++) await time.advance(3_600_000)
  t.ok(
    gaps()
      .slice(8)
      .every((gap) => gap === 60_000),
  )
  t.ok(gaps().length > 120)
})

t.test('a random half of each pause is left off', async (t) => {
  const { reconnector, time, gaps } = openWorld({ jitter: 255 })
  reconnector.keep(peer, ['a'])
  await time.advance(40_000)
  const [first, second, third] = gaps()
  t.equal(first, 0)
  t.ok(second && second >= 500 && second < 510)
  t.ok(third && third >= 1000 && third < 1020)
})

t.test('at once when told, with new addresses and from the shortest pause', async (t) => {
  const { reconnector, time, dials, gaps } = openWorld()
  reconnector.keep(peer, ['a'])
  await time.advance(40_000)
  const before = dials.length
  reconnector.keep(peer, ['b'])
  await time.advance(1500)
  t.same(
    dials.slice(before).map(({ addresses }) => addresses),
    [['b'], ['b']],
  )
  t.equal(gaps().at(-1), 1000)
})

t.test(
  'a connection that lasted is dialled anew from the shortest pause, a short one is not',
  async (t) => {
    const world = openWorld()
    const { reconnector, time, dials } = world
    world.answer(true)
    reconnector.keep(peer, ['a'])
    for (let n = 0; n < 4; n++) {
      await time.advance(10_000)
      world.lose(peer)
    }
    await time.advance(100_000)
    const short = dials.map(({ atMs }) => atMs)
    t.same(short, [0, 11_000, 22_000, 34_000, 48_000], 'after 1, 2, 4 and 8 seconds')
    world.lose(peer)
    await time.advance(1000)
    t.equal(dials.length, 6, 'after one second')
  },
)

t.test('whoever dialled: a connected peer is not dialled', async (t) => {
  const world = openWorld()
  world.connect(peer)
  world.reconnector.keep(peer, ['a'])
  await world.time.advance(100_000)
  t.equal(world.dials.length, 0)
  world.lose(peer)
  await world.time.advance(10)
  world.connect(peer)
  await world.time.advance(100_000)
  t.equal(world.dials.length, 0, 'the peer was faster')
  t.equal(world.time.pending, 0)
})

t.test('a peer that is not kept is left alone', async (t) => {
  const world = openWorld()
  const { reconnector, time, dials } = world
  reconnector.keep(peer, ['a'])
  t.ok(reconnector.isKept(peer))
  await time.advance(10)
  reconnector.release(peer)
  t.notOk(reconnector.isKept(peer))
  world.lose(peer)
  await time.advance(100_000)
  t.equal(dials.length, 1)
  t.equal(time.pending, 0)
})

t.test('there is a limit to the peers kept, and an end', async (t) => {
  const { reconnector, time, dials } = openWorld()
  reconnector.keep('one' as PeerId, ['a'])
  reconnector.keep('two' as PeerId, ['a'])
  t.throws(() => reconnector.keep('three' as PeerId, ['a']), { code: 'ABZU_OVERLOADED' })
  reconnector.keep('two' as PeerId, ['b'])
  await time.advance(10)
  reconnector.close()
  const before = dials.length
  await time.advance(100_000)
  t.equal(dials.length, before)
  t.equal(time.pending, 0)
})

t.test('a peer without an address is not dialled, and has its place', async (t) => {
  const { reconnector, time, dials, connect, lose } = openWorld()
  reconnector.keep(peer, [])
  connect(peer)
  lose(peer)
  await time.advance(3_600_000)
  t.same(dials, [])
  t.ok(reconnector.isKept(peer))
  reconnector.keep(peer, ['a'])
  await time.advance(0)
  t.match(dials, [{ addresses: ['a'] }])
})
