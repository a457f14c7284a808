import { randomBytes } from 'node:crypto'
import dnsPacket from 'dns-packet'
import t, { type Test } from 'tap'
import { peerIdOf } from '../../../src/base/crypto/address.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import type { PeerId } from '../../../src/base/util/brand.ts'
import { systemClock } from '../../../src/base/util/system-time.ts'
import { LanDiscovery } from '../../../src/machine/transport/lan-discovery.ts'
import { multicastWorld, type MulticastWorld } from '../../support/multicast.ts'
import { MemoryLog, until } from '../../support/transports.ts'

type Service = MulticastWorld['service']
const noMulticast = 'this machine takes no multicast'
const newPeer = (): PeerId => peerIdOf(nodePlatform().ed25519.publicKey(randomBytes(32)))

interface Found {
  readonly peerId: PeerId
  readonly addresses: readonly string[]
}

/** Discovery of a node that says it listens at `places`. */
async function discovery(t: Test, service: Service, places = ['/ip4/127.0.0.1/tcp/4180']) {
  const peerId = newPeer()
  const found: Found[] = []
  const log = new MemoryLog()
  const lan = new LanDiscovery({
    listening: () => places.map((place) => `${place}/p2p/${peerId}`),
    found: (peerId, addresses) => void found.push({ peerId, addresses }),
    clock: systemClock,
    log,
    service,
  })
  t.teardown(async () => lan.close())
  return { peerId, found, lan, log }
}

/** An answer that claims that `addresses` are those of one node. */
function answer({ tag }: Service, addresses: readonly string[], name = 'someone'): Uint8Array {
  const own = `${name}.${tag}`
  return dnsPacket.encode({
    type: 'response',
    answers: [
      { type: 'PTR', name: tag, data: own },
      ...addresses.map((address) => ({
        type: 'TXT' as const,
        name: own,
        data: `dnsaddr=${address}`,
      })),
    ],
  })
}

const question = ({ tag }: Service): Buffer =>
  dnsPacket.encode({ type: 'query', questions: [{ type: 'PTR', name: tag }] })

t.test('two nodes find each other', async (t) => {
  const world = await multicastWorld(t, { intervalMs: 50 })
  if (!world) return t.plan(0, noMulticast)
  const { service } = world
  const [a, b] = [await discovery(t, service), await discovery(t, service)]
  await a.lan.start()
  await b.lan.start()
  await until(() => a.found.length > 0 && b.found.length > 0, 'found')
  t.match(a.found[0], { peerId: b.peerId, addresses: [`/ip4/127.0.0.1/tcp/4180/p2p/${b.peerId}`] })
  t.match(b.found[0], { peerId: a.peerId })
  t.ok(
    a.found.every(({ peerId }) => peerId === b.peerId),
    'nobody finds itself',
  )
  await b.lan.close()
  await b.lan.start()
  const before = a.found.length
  await until(() => a.found.length > before, 'found again after a restart')
})

t.test('until it is started, and after it is closed, it neither asks nor answers', async (t) => {
  const world = await multicastWorld(t, { intervalMs: 20 })
  if (!world) return t.plan(0, noMulticast)
  const { service, heard, say } = world
  const node = await discovery(t, service)
  const asked = question(service)
  // its own questions are the same bytes
  const spoken = async () => {
    heard.length = 0
    for (let n = 0; n < 50; n++) await say(asked)
    return heard.length - 50
  }
  t.equal(await spoken(), 0)
  await node.lan.start()
  await until(() => heard.length > 50, 'it speaks')
  await node.lan.close()
  t.equal(await spoken(), 0)
  await node.lan.restart()
  t.equal(await spoken(), 0, 'and a change of the network does not start it')
})

t.test('questions are answered at a rate', async (t) => {
  const world = await multicastWorld(t, { intervalMs: 60_000 })
  if (!world) return t.plan(0, noMulticast)
  const { service, heard, say } = world
  const node = await discovery(t, service)
  await node.lan.start()
  await until(() => heard.length > 0, 'it speaks')
  heard.length = 0
  for (let n = 0; n < 300; n++) await say(question(service))
  const answers = heard.filter((packet) => !packet.equals(question(service))).length
  t.ok(answers >= 1 && answers <= 20, `${answers} answers to 300 questions`)
})

t.test('hostile answers: what is believed is near, whole and not too much', async (t) => {
  const world = await multicastWorld(t, { intervalMs: 60_000 })
  if (!world) return t.plan(0, noMulticast)
  const { service, say } = world
  const places = ['/ip4/192.168.1.5/tcp/4180', '/ip4/127.0.0.1/tcp/4180']
  const { lan, found, log, peerId } = await discovery(t, service, places)
  await lan.start()
  const victim = newPeer()
  const near = `/ip4/192.168.1.9/tcp/1/p2p/${victim}`
  const junk = [
    `/ip4/8.8.8.8/tcp/443/p2p/${victim}`,
    `/ip4/127.0.0.1/tcp/6379/p2p/${victim}`,
    `/ip4/0.0.0.0/tcp/6379/p2p/${victim}`,
    `/ip6/::1/tcp/6379/p2p/${victim}`,
    `/ip6/::ffff:127.0.0.1/tcp/6379/p2p/${victim}`,
    `/dns4/internal.example/tcp/80/p2p/${victim}`,
    `/ip4/192.168.1.9/udp/53/p2p/${victim}`,
    `/ip4/192.168.1.9/tcp/0/p2p/${victim}`,
    `/ip4/192.168.1.9/tcp/1/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N`,
  ]
  for (const address of junk) await say(answer(service, [address]))
  await say(answer(service, junk))
  for (const texts of [['nonsense'], ['/', ''], ['dnsaddr='], []]) await say(answer(service, texts))
  await say(answer({ ...service, tag: '_other._udp.local' }, [near]))
  for (let n = 1; n < 200; n++) await say(randomBytes(n))
  const whole = answer(service, [near])
  for (let end = 1; end < whole.length; end += 3) await say(whole.subarray(0, end))
  t.strictSame(found, [])
  const many = Array.from({ length: 30 }, (_, n) => `/ip4/192.168.1.9/tcp/${n + 1}/p2p/${victim}`)
  await say(answer(service, many))
  await until(() => found.length > 0, 'this one makes sense')
  t.equal(found[0]?.peerId, victim)
  t.equal(found[0]?.addresses.length, 8)
  t.strictSame(log.events('error'), [])

  found.length = 0
  for (let n = 0; n < 1000; n++) {
    await say(answer(service, [`/ip4/192.168.1.9/tcp/1/p2p/${newPeer()}`], `peer-${n}`))
  }
  t.ok(found.length >= 1 && found.length <= 200, `${found.length} taken of 1000`)
  t.notOk(found.some((one) => one.peerId === peerId))
})
