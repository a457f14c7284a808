import { randomBytes } from 'node:crypto'
import { multiaddr } from '@multiformats/multiaddr'
import t from 'tap'
import { silentLog } from '../../../src/base/util/log.ts'
import { systemClock, systemScheduler } from '../../../src/base/util/system-time.ts'
import type { BytePipe } from '../../../src/machine/transport/byte-pipe.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { startLibp2pNode } from '../../../src/machine/transport/libp2p-node.ts'
import { Libp2pPipe } from '../../../src/machine/transport/libp2p-pipe.ts'
import { defaultTransportLimits } from '../../../src/machine/transport/transport-limits.ts'
import { testFrameStreams } from '../../conformance/transport.ts'

const protocol = '/abzu/test/1.0.0'

const start = async () =>
  startLibp2pNode({
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

const places = { TCP: '/ip4/127.0.0.1/tcp/0', QUIC: '/ip4/127.0.0.1/udp/0/quic-v1' }

for (const [name, place] of Object.entries(places))
  t.test(`over streams of libp2p, ${name} on loopback`, async (t) => {
    const [left, right] = await Promise.all([start(), start()])
    t.teardown(async () => Promise.all([left.libp2p.stop(), right.libp2p.stop()]))
    await right.listen([place])
    const inbound: ((pipe: BytePipe) => void)[] = []
    await right.libp2p.handle(protocol, (stream) => {
      inbound.shift()?.(new Libp2pPipe(stream, systemScheduler))
    })
    const address = multiaddr(`${right.listening()[0]}/p2p/${right.libp2p.peerId.toString()}`)
    const connection = await left.libp2p.dial(address)

    testFrameStreams(t, async () => {
      const accepted = new Promise<BytePipe>((resolve) => inbound.push(resolve))
      const stream = await connection.newStream(protocol)
      return [new Libp2pPipe(stream, systemScheduler), await accepted]
    })
    t.test('no stream is left over', async (t) => {
      const ours = () => connection.streams.filter((stream) => stream.protocol === protocol)
      for (let turn = 0; turn < 200 && ours().length > 0; turn++) {
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      t.equal(ours().length, 0)
    })
  })
