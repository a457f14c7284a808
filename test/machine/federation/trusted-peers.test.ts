import t from 'tap'
import { peerIdOf } from '../../../src/base/crypto/address.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { defaultFederationLimits } from '../../../src/machine/federation/federation-limits.ts'
import { PeerBook } from '../../../src/machine/node/peer-book.ts'
import { defaultTransportLimits } from '../../../src/machine/transport/transport-limits.ts'
import { PairNetwork, PairNode } from '../../support/pair-node.ts'
import type { TrustedPeer } from '../../../src/machine/federation/trusted-peers.ts'

async function world() {
  const network = new PairNetwork()
  const node = await PairNode.start(network)
  const others = [await PairNode.start(network), await PairNode.start(network)]
  const peers = others.map(({ peerId, address }, n): TrustedPeer => {
    const quotas = { quotaBytes: 1, grantedBytes: 2 }
    return { peerId, name: `peer ${n}`, addresses: [address], sinceMs: 3, ...quotas }
  })
  const [a, b] = peers as [TrustedPeer, TrustedPeer]
  return { node, a, b }
}

t.test('added, found by name and by id, replaced, removed', async (t) => {
  const { node, a, b } = await world()
  const { trusted } = node
  let told = 0
  const cancel = trusted.watch(() => told++)
  await trusted.add(b)
  await trusted.add(a)
  t.strictSame(trusted.list(), [a, b], 'by name')
  t.strictSame(trusted.get(a.peerId), a)
  for (const text of ['peer 0', 'PEER 0', a.peerId]) t.strictSame(trusted.named(text), a)
  t.throws(() => trusted.named('peer'), { code: 'ABZU_NOT_FOUND' })
  await t.rejects(trusted.add({ ...b, name: 'Peer 0' }), { code: 'ABZU_ALREADY_EXISTS' })
  await trusted.add({ ...a, name: 'first', quotaBytes: 9 })
  t.match(trusted.list(), [{ name: 'first', quotaBytes: 9 }, { name: 'peer 1' }])
  await trusted.remove(a.peerId)
  await trusted.remove(a.peerId)
  t.equal(told, 4, 'once for each change')
  cancel()
  await node.restart()
  t.strictSame(node.trusted.list(), [b], 'all of it is on the disk')
  t.equal(told, 4)
})

t.test('the quota of a peer changes at once, and for good', async (t) => {
  const { node, a, b } = await world()
  await node.trusted.add(a)
  await node.trusted.add(b)
  let told = 0
  node.trusted.watch(() => told++)
  t.strictSame(await node.trusted.setQuota('peer 0', 77), { ...a, quotaBytes: 77 })
  t.strictSame(node.trusted.list(), [{ ...a, quotaBytes: 77 }, b])
  t.equal(told, 1)
  await t.rejects(node.trusted.setQuota('nobody', 1), { code: 'ABZU_NOT_FOUND' })
  await node.restart()
  t.strictSame(node.trusted.list(), [{ ...a, quotaBytes: 77 }, b])
})

t.test('who was trusted once is remembered as parted, the latest of them', async (t) => {
  const network = new PairNetwork()
  const node = await PairNode.start(network, { limits: { partedPeersMax: 2 } })
  const peers: TrustedPeer[] = []
  for (let n = 0; n < 3; n++) {
    const { peerId } = await PairNode.start(network)
    peers.push({ peerId, name: `p${n}`, addresses: [], sinceMs: 3, quotaBytes: 1, grantedBytes: 1 })
  }
  const parted = () => peers.map(({ peerId }) => node.trusted.hasParted(peerId))
  for (const peer of peers) await node.trusted.add(peer)
  t.strictSame(parted(), [false, false, false])
  for (const { peerId } of peers) {
    await network.time.advance(1000)
    await node.trusted.remove(peerId)
  }
  t.strictSame(parted(), [false, true, true])
  await node.restart()
  t.strictSame(parted(), [false, true, true])
  t.strictSame(node.trusted.list(), [])
  await node.trusted.add(peers[2] as TrustedPeer)
  t.strictSame(parted(), [false, true, false])
})

t.test('connections are kept to all of them, beside those that the owner named', async (t) => {
  const { node, a, b } = await world()
  const [dialA, dialB] = [a, b].map(({ addresses, peerId }) => `${addresses[0]}/p2p/${peerId}`)
  await node.trusted.add(a)
  const named = `/ip4/192.0.2.77/tcp/1/p2p/${b.peerId}`
  node.named.set(b.peerId, [named])
  await node.trusted.add(b)
  t.strictSame(Object.fromEntries(node.kept), { [a.peerId]: [dialA], [b.peerId]: [named, dialB] })
  node.kept.clear()
  node.trusted.wake()
  t.equal(node.kept.size, 2)
  await node.trusted.remove(a.peerId)
  await node.trusted.remove(b.peerId)
  t.strictSame(Object.fromEntries(node.kept), { [b.peerId]: [named] }, 'by the word of the owner')
})

t.test('a peer that cannot be dialled has its place all the same', async (t) => {
  const { node, a } = await world()
  await node.trusted.add({ ...a, addresses: ['/unknown/x'] })
  t.strictSame([...node.kept], [[a.peerId, []]])
})

t.test('at once: names stay unique, and there are never too many', async (t) => {
  const network = new PairNetwork()
  const node = await PairNode.start(network, { limits: { trustedPeersMax: 2 } })
  const { a, b } = await world()
  const { a: c, b: d } = await world()
  const same = await Promise.allSettled(
    [a, b].map(async (p) => node.trusted.add({ ...p, name: 'x' })),
  )
  t.equal(same.filter(({ status }) => status === 'fulfilled').length, 1)
  const more = await Promise.allSettled(
    [c, d].map(async (peer, n) => node.trusted.add({ ...peer, name: `y${n}` })),
  )
  t.equal(more.filter(({ status }) => status === 'fulfilled').length, 1)
  t.match(
    more.find(({ status }) => status === 'rejected'),
    { reason: { code: 'ABZU_QUOTA_EXCEEDED' } },
  )
})

t.test(
  'every trusted peer has a place that neither strangers nor named peers can take',
  async (t) => {
    const { trustedPeersMax } = defaultFederationLimits
    const { connectionsMax, connectionsReserved, keptPeersMax } = defaultTransportLimits
    t.ok(trustedPeersMax <= connectionsReserved)
    t.ok(keptPeersMax <= connectionsMax)
    const { node } = await world()
    let kept = 0
    const transport = { peerId: node.peerId, peers: () => [], keep: () => void kept++ }
    const book = new PeerBook({ table: node.store.table('peers'), transport })
    const addNew = async () => {
      const platform = nodePlatform()
      const peerId = peerIdOf(platform.ed25519.publicKey(platform.random(32)))
      await book.add(`/ip4/192.0.2.1/tcp/1/p2p/${peerId}`)
    }
    for (let n = 0; n < keptPeersMax - trustedPeersMax; n++) await addNew()
    await t.rejects(addNew(), { code: 'ABZU_QUOTA_EXCEEDED' })
    t.equal(kept, keptPeersMax - trustedPeersMax)
  },
)
