/** kad-dht routes; it stores nothing, and what it hears stays within bounds. */

import { randomBytes } from 'node:crypto'
import { publicKeyToProtobuf } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Ed25519PublicKey } from '@libp2p/interface'
import { kadDHT, passthroughMapper, type KadDHT } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import t, { type Test } from 'tap'
import type { PeerId } from '../../../src/base/util/brand.ts'
import { concatBytes, utf8 } from '../../../src/base/util/bytes.ts'
import { routingProtocol, type Protocol } from '../../../src/base/wire/protocols.ts'
import { HeardPeers } from '../../../src/machine/transport/heard-peers.ts'
import type { MeshPeer } from '../../../src/machine/transport/mesh-routing.ts'
import { dialableBy } from '../../../src/machine/transport/node-dialable.ts'
import { ManualTime } from '../../support/manual-time.ts'
import { listening, openTestTransport, until } from '../../support/transports.ts'

interface CidClass {
  parse(text: string): Parameters<KadDHT['provide']>[0]
}

/** A node that takes part with kad-dht as it comes, and would store anything. */
async function stock(t: Test): Promise<Libp2p<{ dht: KadDHT }>> {
  const node = await createLibp2p({
    transports: [tcp()],
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: {
      identify: identify(),
      ping: ping(),
      dht: kadDHT({
        protocol: routingProtocol.id,
        clientMode: false,
        peerInfoMapper: passthroughMapper,
        allowQueryWithZeroPeers: true,
        validators: { abzu: async () => undefined },
        selectors: { abzu: () => 0 },
      }),
    },
  })
  t.teardown(async () => node.stop())
  return node
}

t.test('a node routes for others, and stores nothing for them', async (t) => {
  const transport = await listening(t)
  const other = await stock(t)
  await other.dial(multiaddr(transport.addresses()[0]))
  let known = 0
  const look = async () => void (known = (await transport.mesh.known(randomBytes(32))).length)
  await until(() => (void look(), known === 1), 'known to the node')

  const signal = AbortSignal.timeout(10_000)
  // a record that the rules of kad-dht itself would accept
  const key = concatBytes(utf8('/pk/'), other.peerId.toMultihash().bytes)
  const value = publicKeyToProtobuf(other.peerId.publicKey as Ed25519PublicKey)
  let [asked, taken, failed] = [0, 0, 0]
  for await (const event of other.services.dht.put(key, value, { signal })) {
    if (event.name === 'SEND_QUERY' && event.messageName === 'PUT_VALUE') asked++
    if (event.name === 'PEER_RESPONSE' && event.messageName === 'PUT_VALUE') taken++
    if (event.name === 'QUERY_ERROR') failed++
  }
  t.ok(asked >= 1, 'it was asked to')
  t.equal(taken, 0)
  t.ok(failed >= 1)

  // the one class of content ids that is at hand; the handlers know none of a peer id
  const { constructor } = other.peerId.toCID()
  const cid = (constructor as unknown as CidClass).parse(
    'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG',
  )
  for await (const _ of other.services.dht.provide(cid, { signal }));
  const third = await stock(t)
  await third.dial(multiaddr(transport.addresses()[0]))
  let found: string | undefined
  const route = async (): Promise<void> => {
    for await (const event of third.services.dht.findPeer(other.peerId, { signal })) {
      if (event.name === 'FINAL_PEER') found = event.peer.id.toString()
    }
  }
  await until(() => (void route().catch(() => undefined), found !== undefined), 'a route')
  t.equal(found, other.peerId.toString())
  let [answers, providers] = [0, 0]
  for await (const event of third.services.dht.findProviders(cid, { signal })) {
    if (event.name !== 'PEER_RESPONSE' || event.from.toString() !== transport.peerId) continue
    answers++
    providers += event.providers.length
  }
  t.ok(answers >= 1)
  t.equal(providers, 0)
})

t.test('where a peer of the table was stays known when it has gone', async (t) => {
  const [node, peer] = [await listening(t), await listening(t)]
  await node.connect(peer.addresses()[0] as string)
  const addresses = peer.addresses()
  let known: readonly MeshPeer[] = []
  const look = async () => void (known = await node.mesh.known(randomBytes(32)))
  await until(() => (void look(), known[0]?.addresses.length === 1), 'known with its address')
  await peer.close()
  await until(() => node.peers().length === 0, 'gone')
  t.same(await node.mesh.known(randomBytes(32)), [{ peerId: peer.peerId, addresses }])
  t.same(await node.mesh.connected(), [])
})

t.test('lookups, places and addresses', async (t) => {
  const [one, two, three] = [await listening(t), await listening(t), await listening(t)]
  await two.connect(one.addresses()[0] as string)
  await three.connect(two.addresses()[0] as string)
  const key = new Uint8Array(32)
  let known = 0
  const look = async () => void (known = (await two.mesh.known(key)).length)
  await until(() => (void look(), known === 2), 'the one in the middle knows both')
  const signal = AbortSignal.timeout(10_000)
  t.same(await one.mesh.locate(three.peerId, signal), three.addresses())
  const found = await one.mesh.closest(key, signal)
  t.same(
    found.map(({ peerId }) => peerId).toSorted(),
    [two.peerId, three.peerId].toSorted(),
    'who is named counts as well',
  )
  t.same(found.find(({ peerId }) => peerId === three.peerId)?.addresses, three.addresses())
  t.ok(await one.mesh.isNear(key))
  t.match(await three.mesh.connected(), [{ peerId: two.peerId }])
  const nobody = (await listening(t)).peerId
  t.same(await one.mesh.locate(nobody, signal), [])
  t.same(await one.mesh.closest(key, AbortSignal.abort()), [])
})

t.test('a peer that is elsewhere now is found through the mesh', async (t) => {
  const hello: Protocol = { id: '/abzu/test-hello/1.0.0', streamsMax: 2 }
  const machineSeed = randomBytes(32)
  const [asker, between] = [await listening(t), await listening(t)]
  await asker.connect(between.addresses()[0] as string)
  const before = await listening(t, { machineSeed })
  const addresses = before.addresses()
  await before.close()
  const after = await listening(t, { machineSeed })
  t.notSame(after.addresses(), addresses)
  after.handle(hello, async () => undefined)
  await after.connect(between.addresses()[0] as string)
  let isKnown = false
  const look = async (): Promise<void> => {
    const counts = [asker, after].map(
      async ({ mesh }) => (await mesh.known(randomBytes(32))).length,
    )
    const ofBetween = (await between.mesh.known(randomBytes(32))).length
    isKnown = ofBetween === 2 && (await Promise.all(counts)).every((count) => count > 0)
  }
  await until(() => (void look(), isKnown), 'the one between knows both')
  const { peerId } = after
  await t.rejects(asker.open(peerId, hello, { addresses }), { code: 'ABZU_UNREACHABLE' })
  const stream = await asker.open(peerId, hello, { addresses, locate: true })
  t.equal(stream.peer, peerId)
  const nobody = (await openTestTransport(t)).peerId
  await t.rejects(asker.open(nobody, hello, { locate: true }), { code: 'ABZU_UNREACHABLE' })
})

t.test('with twenty nearer nodes it is not near', async (t) => {
  const limits = { meshNearestMax: 1 }
  const [one, two] = [await listening(t, { limits }), await listening(t, { limits })]
  await two.connect(one.addresses()[0] as string)
  const keys = Array.from({ length: 16 }, (_, n) => new Uint8Array(32).fill(n))
  let known = 0
  const look = async (): Promise<void> => {
    const counts = [one, two].map(async ({ mesh }) => (await mesh.known(randomBytes(32))).length)
    known = (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
  }
  await until(() => (void look(), known === 2), 'each knows the other')
  for (const key of keys) {
    t.not(await one.mesh.isNear(key), await two.mesh.isNear(key), 'one of them is')
  }
})

t.test('what is heard of is forgotten in turn', async (t) => {
  const heard = new HeardPeers({ peersMax: 2 })
  const [a, b, c] = ['a', 'b', 'c'] as unknown as [PeerId, PeerId, PeerId]
  heard.hear(a, ['1'])
  heard.hear(b, ['2'])
  heard.hear(a, ['3'])
  heard.hear(c, ['4'])
  t.same([heard.addresses(a), heard.addresses(b), heard.addresses(c)], [['3'], [], ['4']])
})

t.test('addresses of strangers: public ones, and those of our own networks', async (t) => {
  const dialable = dialableBy(new ManualTime())
  const good = ['/ip4/192.0.2.1/tcp/1', '/ip4/127.0.0.1/tcp/1', '/ip6/2001:db8::1/tcp/1']
  t.same(dialable(good), good)
  const bad = [
    '/ip4/10.255.255.254/tcp/1',
    '/ip4/169.254.169.254/tcp/80',
    '/ip4/0.0.0.0/tcp/1',
    '/ip4/224.0.0.1/tcp/1',
    '/ip4/255.255.255.255/tcp/1',
    '/ip4/100.64.0.1/tcp/1',
    '/ip6/fc12:3456:789a::1/tcp/1',
    '/ip6/ff02::1/tcp/1',
    '/ip6/::/tcp/1',
    '/ip6/::ffff:10.255.255.254/tcp/1',
    '/ip6/64:ff9b::a9fe:a9fe/tcp/1',
    '/dns4/localhost/tcp/1',
    '/dns/router.example/tcp/1',
  ]
  t.same(dialable(bad), [])
})
