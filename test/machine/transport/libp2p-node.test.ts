import { randomBytes } from 'node:crypto'
import { multiaddr } from '@multiformats/multiaddr'
import t, { type Test } from 'tap'
import { silentLog } from '../../../src/base/util/log.ts'
import { systemClock, systemScheduler } from '../../../src/base/util/system-time.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { startLibp2pNode } from '../../../src/machine/transport/libp2p-node.ts'
import { defaultTransportLimits } from '../../../src/machine/transport/transport-limits.ts'
import { until } from '../../support/transports.ts'

async function start(t: Test) {
  const node = await startLibp2pNode({
    machineSeed: randomBytes(32),
    limits: defaultTransportLimits,
    isKept: () => false,
    isShutOut: () => false,
    scheduler: systemScheduler,
    isDialling: () => false,
    dialable: (addresses) => [...addresses],
    sha256: (bytes) => nodePlatform().sha256(bytes),
    clock: systemClock,
    log: silentLog,
  })
  t.teardown(async () => node.libp2p.stop())
  return node
}

t.test('what it announces follows where it listens', async (t) => {
  const { libp2p, listen, listening } = await start(t)
  t.same(libp2p.getMultiaddrs(), [])
  await listen(['/ip4/0.0.0.0/tcp/0', '/ip4/127.0.0.1/tcp/0'])
  t.ok(listening().length >= 2)
  const announced = libp2p.getMultiaddrs().map((address) => address.toString())
  t.same(announced, [
    ...new Set(listening().map((address) => `${address}/p2p/${libp2p.peerId.toString()}`)),
  ])
})

t.test('it keeps nothing about peers that are gone', async (t) => {
  const [node, peer] = [await start(t), await start(t)]
  await node.listen(['/ip4/127.0.0.1/tcp/0'])
  await peer.libp2p.dial(multiaddr(node.libp2p.getMultiaddrs()[0]?.toString()))
  await until(() => node.libp2p.getPeers().length === 1, 'connected')
  let isKnown = false
  const look = async () => {
    isKnown = await node.libp2p.peerStore.has(peer.libp2p.peerId)
  }
  await until(() => (void look(), isKnown), 'identified')
  await peer.libp2p.stop()
  await until(() => (void look(), !isKnown), 'forgotten')
  t.equal((await node.libp2p.peerStore.all()).length, 0)
})
