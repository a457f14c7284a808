import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { peerIdOf } from '../../../src/base/crypto/address.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import type { PeerId } from '../../../src/base/util/brand.ts'
import { silentLog } from '../../../src/base/util/log.ts'
import { PeerCandidates, type HintSource } from '../../../src/machine/node/peer-candidates.ts'
import type { PeerChange } from '../../../src/machine/transport/transport.ts'
import { ManualTime } from '../../support/manual-time.ts'

const newPeer = (): PeerId => peerIdOf(nodePlatform().ed25519.publicKey(randomBytes(32)))
const at = (peerId: PeerId, port = 1) => `/ip4/192.168.1.9/tcp/${port}/p2p/${peerId}`

/** A world in which the peers of `answering` can be reached. */
function openWorld(t: Test) {
  const time = new ManualTime()
  const peerId = newPeer()
  const answering = new Set<PeerId>()
  const connected = new Set<PeerId>()
  const dials: { peerId: PeerId; addresses: readonly string[]; atMs: number }[] = []
  const watchers = new Set<(change: PeerChange) => void>()
  let running = 0
  let runningMost = 0
  const tell = (peerId: PeerId, isConnected: boolean) => {
    if (isConnected) connected.add(peerId)
    else connected.delete(peerId)
    for (const watcher of watchers) watcher({ peerId, connected: isConnected })
  }
  const candidates = new PeerCandidates({
    clock: time,
    scheduler: time,
    log: silentLog,
    transport: {
      peerId,
      peers: () =>
        [...connected].map((peerId) => ({
          peerId,
          address: at(peerId),
          direction: 'outbound' as const,
        })),
      watch: (watcher) => {
        watchers.add(watcher)
        return () => watchers.delete(watcher)
      },
      connect: async (address) => {
        const addresses = typeof address === 'string' ? [address] : address
        const peerId = addresses[0]?.split('/p2p/').at(-1) as PeerId
        dials.push({ peerId, addresses, atMs: time.monotonicMs() })
        runningMost = Math.max(runningMost, ++running)
        await new Promise<void>((resolve) => void time.after(1000, resolve))
        running--
        if (!answering.has(peerId)) throw new Error('nobody there')
        tell(peerId, true)
        return peerId
      },
    },
  })
  t.teardown(() => candidates.close())
  candidates.start()
  const offer = (source: HintSource, peer: PeerId) => candidates.offer(source, peer, [at(peer)])
  const dialsOf = (peer: PeerId) => dials.filter(({ peerId }) => peerId === peer).length
  return {
    time,
    peerId,
    candidates,
    answering,
    connected,
    dials,
    offer,
    dialsOf,
    lose: (peer: PeerId) => tell(peer, false),
    runningMost: () => runningMost,
  }
}

t.test('a hint is dialled once, whoever repeats it', async (t) => {
  const world = openWorld(t)
  const peer = newPeer()
  world.answering.add(peer)
  for (let n = 0; n < 50; n++) world.offer('lan', peer)
  await world.time.advance(10_000)
  t.equal(world.dialsOf(peer), 1)
  t.ok(world.connected.has(peer))
  for (let n = 0; n < 50; n++) world.offer('lan', peer)
  await world.time.advance(600_000)
  t.equal(world.dialsOf(peer), 1, 'nor while it is connected')
  world.lose(peer)
  await world.time.advance(60_000)
  t.equal(world.dialsOf(peer), 2, 'and again when it is lost')
})

t.test('pauses double, and hints do not end them; another network does', async (t) => {
  const world = openWorld(t)
  const peer = newPeer()
  for (let minute = 0; minute < 60; minute++) {
    world.candidates.offer('lan', peer, [at(peer, minute + 1)])
    await world.time.advance(60_000)
  }
  const dials = world.dialsOf(peer)
  t.ok(dials >= 6 && dials <= 12, `${dials} dials in an hour`)
  world.candidates.wake()
  await world.time.advance(1000)
  t.equal(world.dialsOf(peer), dials + 1)
})

t.test('junk, names of others and the own id are no candidates', async (t) => {
  const world = openWorld(t)
  const [peer, other] = [newPeer(), newPeer()]
  world.offer('lan', world.peerId)
  world.candidates.offer('lan', peer, [])
  world.candidates.offer('lan', peer, ['nonsense', at(other), `/unix/tmp/x/p2p/${peer}`])
  t.equal(world.candidates.size, 0)
  await world.time.advance(10_000)
  t.equal(world.dials.length, 0)
})

t.test(
  'thousands of hints: bounded memory, few dials, and the others still get their turn',
  async (t) => {
    const world = openWorld(t)
    for (let n = 0; n < 2000; n++) world.offer('lan', newPeer())
    const [bootstrap, late] = [newPeer(), newPeer()]
    for (const peer of [bootstrap, late]) world.answering.add(peer)
    t.ok(world.candidates.size <= 128, `${world.candidates.size}`)
    world.offer('bootstrap', bootstrap)
    await world.time.advance(2000)
    t.ok(world.connected.has(bootstrap), 'bootstrap is reached in the middle of it')
    t.ok(world.runningMost() <= 3 * 2)
    world.answering.delete(bootstrap)
    world.lose(bootstrap)
    const before = world.dials.length
    for (let second = 0; second < 60; second++) {
      for (let n = 0; n < 100; n++) world.offer('lan', newPeer())
      if (second === 40) world.offer('bootstrap', late)
      await world.time.advance(1000)
      if (second === 42) t.ok(world.connected.has(late), 'nor does it have to wait then')
    }
    t.ok(world.dials.length - before <= 3 * 60, `${world.dials.length - before} dials in a minute`)
    t.ok(world.candidates.size <= 131)
  },
)

t.test(
  'bootstrap peers are dialled while there is nobody else, and neighbours do not count',
  async (t) => {
    const world = openWorld(t)
    const [bootstrap, friend, neighbour] = [newPeer(), newPeer(), newPeer()]
    for (const peer of [friend, neighbour]) world.answering.add(peer)
    world.offer('lan', neighbour)
    world.offer('bootstrap', friend)
    await world.time.advance(5000)
    world.offer('bootstrap', bootstrap)
    await world.time.advance(3_600_000)
    t.equal(world.dialsOf(bootstrap), 0)
    world.answering.delete(friend)
    world.lose(friend)
    await world.time.advance(3_600_000)
    const dials = world.dialsOf(bootstrap)
    t.ok(dials >= 6 && dials <= 12, `${dials} dials in an hour`)
    world.answering.add(bootstrap)
    await world.time.advance(600_000)
    t.ok(world.connected.has(bootstrap))
  },
)

t.test('once closed it dials nobody', async (t) => {
  const world = openWorld(t)
  world.candidates.close()
  world.offer('lan', newPeer())
  await world.time.advance(60_000)
  t.equal(world.dials.length, 0)
  t.equal(world.time.pending, 0)
})
