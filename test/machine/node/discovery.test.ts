import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { openStore, type Store } from '../../../src/base/store/store.ts'
import { systemClock, systemScheduler } from '../../../src/base/util/system-time.ts'
import { Discovery } from '../../../src/machine/node/discovery.ts'
import { NetworkWatch } from '../../../src/machine/node/network-watch.ts'
import { PeerBook } from '../../../src/machine/node/peer-book.ts'
import { PeerCandidates } from '../../../src/machine/node/peer-candidates.ts'
import { LanDiscovery } from '../../../src/machine/transport/lan-discovery.ts'
import type { Transport } from '../../../src/machine/transport/transport.ts'
import { ManualTime } from '../../support/manual-time.ts'
import { multicastWorld, type MulticastWorld } from '../../support/multicast.ts'
import { listening, MemoryLog, until } from '../../support/transports.ts'

interface NodeInit {
  readonly service?: MulticastWorld['service']
  readonly bootstrap?: readonly string[]
  readonly machineSeed?: Uint8Array
  readonly store?: Store
}

async function openTestStore(t: Test): Promise<Store> {
  const store = await openStore({
    dir: undefined,
    platform: nodePlatform(),
    clock: systemClock,
    scheduler: systemScheduler,
    log: new MemoryLog(),
  })
  t.teardown(async () => store.close())
  return store
}

/** A node that looks for others: on the local network where it is given a service. */
async function startNode(t: Test, init: NodeInit = {}) {
  const { service, bootstrap = [], machineSeed = randomBytes(32) } = init
  const store = init.store ?? (await openTestStore(t))
  const transport = await listening(t, { machineSeed })
  const log = new MemoryLog()
  const parts = { clock: systemClock, scheduler: systemScheduler, log }
  const kept = new PeerBook({ table: store.table('peers'), transport })
  const candidates = new PeerCandidates({ ...parts, transport })
  const lan =
    service &&
    new LanDiscovery({
      ...parts,
      service,
      listening: () => transport.addresses(),
      found: (peerId, addresses) => candidates.offer('lan', peerId, addresses),
    })
  const interfaces = { now: ['127.0.0.1'] }
  const time = new ManualTime()
  const network = new NetworkWatch({ interfaces: () => interfaces.now, scheduler: time, log })
  const wakes = { mesh: 0 }
  const mesh = { wake: () => void wakes.mesh++ }
  const deps = { transport, candidates, kept, mesh, network, lan, log }
  const discovery = new Discovery(deps, { bootstrap })
  await discovery.start()
  t.teardown(async () => discovery.close())
  const changeNetwork = async (now: string[]) => {
    interfaces.now = now
    await time.advance(5000)
  }
  return { store, transport, kept, wakes, candidates, discovery, log, changeNetwork, machineSeed }
}

const knows = (one: { transport: Transport }, other: { transport: Transport }) =>
  one.transport.peers().some(({ peerId }) => peerId === other.transport.peerId)

t.test('two nodes on one network connect by themselves, and trust nobody for it', async (t) => {
  const world = await multicastWorld(t, { intervalMs: 50 })
  if (!world) return t.plan(0, 'this machine takes no multicast')
  const { service } = world
  const [a, b] = [await startNode(t, { service }), await startNode(t, { service })]
  await until(() => knows(a, b) && knows(b, a), 'connected')
  t.ok(a.kept.list().every(({ kept }) => !kept))
  const quiet = await startNode(t)
  for (let n = 0; n < 20; n++) await world.say(Buffer.from(`${n}`))
  t.strictSame(quiet.transport.peers(), [], 'who has it switched off stays alone')
})

t.test('bootstrap peers', async (t) => {
  const bootstrap = await startNode(t)
  const node = await startNode(t, { bootstrap: bootstrap.transport.addresses() })
  await until(() => knows(node, bootstrap), 'bootstrapped')
})

t.test('another network: kept peers are dialled at once', async (t) => {
  const time = new ManualTime()
  const friend = await startNode(t)
  const node = await startNode(t)
  const dials: string[] = []
  const book = new PeerBook({
    table: node.store.table('peers'),
    transport: {
      peerId: node.transport.peerId,
      peers: () => [],
      keep: (peerId) => void dials.push(peerId),
    },
  })
  await book.add(friend.transport.addresses()[0] as string)
  t.equal(dials.length, 1)
  book.wake()
  t.equal(dials.length, 2)
  await node.kept.add(friend.transport.addresses()[0] as string)
  await until(() => knows(node, friend), 'connected')
  await node.changeNetwork([])
  await node.changeNetwork(['127.0.0.1', '192.168.1.5'])
  t.strictSame(node.log.events('info'), ['network-changed', 'network-changed'])
  t.equal(node.wakes.mesh, 2)
  t.ok(knows(node, friend), 'a connection that lives stays')
  t.equal(time.pending, 0)
})
