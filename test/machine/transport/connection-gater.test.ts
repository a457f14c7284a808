import { generateKeyPair } from '@libp2p/crypto/keys'
import type { MultiaddrConnection } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import t from 'tap'
import { connectionGater } from '../../../src/machine/transport/connection-gater.ts'
import { defaultTransportLimits } from '../../../src/machine/transport/transport-limits.ts'

/** A connection whose handshake is going on. */
function inbound(host: string): MultiaddrConnection & EventTarget {
  const remoteAddr = multiaddr(`/ip4/${host}/tcp/1`)
  return Object.assign(new EventTarget(), { remoteAddr }) as MultiaddrConnection & EventTarget
}

const stranger = async () => peerIdFromPrivateKey(await generateKeyPair('Ed25519'))

t.test('handshakes that end at the same time do not all find the last place', async (t) => {
  const gater = connectionGater({
    limits: { ...defaultTransportLimits, connectionsMax: 6, connectionsReserved: 3 },
    isKept: () => false,
    isShutOut: () => false,
    isDialling: () => false,
    connections: () => [],
  })
  const all = Array.from({ length: 5 }, (_, n) => inbound(`192.0.2.${n}`))
  const isDenied = async (connection: MultiaddrConnection) =>
    gater.denyInboundEncryptedConnection?.(await stranger(), connection)
  const denied: unknown[] = []
  for (const connection of all) denied.push(await isDenied(connection))
  t.same(denied, [false, false, false, true, true])
  all[0]?.dispatchEvent(new Event('close'))
  t.notOk(await isDenied(inbound('192.0.2.9')), 'one has gone')
  t.ok(await isDenied(inbound('192.0.2.9')))
})

t.test('an address holds its share of the handshakes, until they end', async (t) => {
  const gater = connectionGater({
    limits: { ...defaultTransportLimits, inboundPendingPerAddressMax: 2 },
    isKept: () => false,
    isShutOut: () => false,
    isDialling: () => false,
    connections: () => [],
  })
  const [first, second, third] = [inbound('192.0.2.1'), inbound('192.0.2.1'), inbound('192.0.2.1')]
  const isDenied = (connection: MultiaddrConnection) => gater.denyInboundConnection?.(connection)
  t.notOk(isDenied(first))
  t.notOk(isDenied(second))
  t.ok(isDenied(third))
  t.notOk(isDenied(inbound('192.0.2.2')), 'another address')
  first.dispatchEvent(new Event('close'))
  t.notOk(isDenied(third), 'one was given up')
  t.ok(isDenied(inbound('192.0.2.1')))
  await gater.denyInboundUpgradedConnection?.(await stranger(), second)
  t.notOk(isDenied(inbound('192.0.2.1')), 'one is done')
})

t.test('who is shut out is told so as soon as it is known', async (t) => {
  const gater = connectionGater({
    limits: defaultTransportLimits,
    isKept: () => false,
    isDialling: () => false,
    isShutOut: ({ address }) => address.includes('192.0.2.1'),
    connections: () => [],
  })
  const isDenied = async (host: string) =>
    gater.denyInboundEncryptedConnection?.(await stranger(), inbound(host))
  t.ok(await isDenied('192.0.2.1'))
  t.notOk(await isDenied('192.0.2.2'))
})
