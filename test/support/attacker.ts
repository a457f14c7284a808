/** A libp2p node without manners, and what it may do. @module */

import { raceSignal } from '../../src/machine/transport/race-signal.ts'
import type { Carrier } from '../../src/machine/transport/addresses.ts'
import { quic } from '@chainsafe/libp2p-quic'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, PrivateKey, Stream, StreamMuxerFactory } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import type { Test } from 'tap'

export interface AttackerInit {
  readonly muxer?: () => StreamMuxerFactory
  readonly key?: 'Ed25519' | 'secp256k1'
  /** In place of a new one of `key`. */
  readonly privateKey?: PrivateKey
  readonly carrier?: Carrier
  /** IPv4 address of the loopback network that its TCP connections come from. */
  readonly from?: string
}

/** Ends with the test. */
export async function openAttacker(
  t: Pick<Test, 'teardown'>,
  { muxer = yamux(), key = 'Ed25519', privateKey, carrier = 'tcp', from }: AttackerInit = {},
): Promise<Libp2p> {
  const dialOpts = { noDelay: true, ...(from && { localAddress: from }) }
  const attacker = await createLibp2p({
    privateKey: privateKey ?? (await newKey(key)),
    transports: carrier === 'tcp' ? [tcp({ dialOpts })] : [quic()],
    connectionEncrypters: [noise()],
    streamMuxers: [muxer],
    connectionMonitor: { enabled: false },
    connectionManager: { reconnectRetries: 0 },
  })
  t.teardown(async () => attacker.stop())
  return attacker
}

async function newKey(key: 'Ed25519' | 'secp256k1'): Promise<PrivateKey> {
  return key === 'Ed25519' ? generateKeyPair('Ed25519') : generateKeyPair('secp256k1')
}

/** @param address with a peer id */
export async function attack(attacker: Libp2p, address: string): Promise<Connection> {
  return attacker.dial(multiaddr(address))
}

/** A stream of `protocol`, unless the other side was faster. */
export async function hostileStream(
  connection: Connection,
  protocol: string,
): Promise<Stream | undefined> {
  const signal = AbortSignal.timeout(500)
  const opening = connection.newStream(protocol, { signal, maxOutboundStreams: 1000 })
  // by QUIC it heeds no signal where the other side lets no more streams in
  return raceSignal(opening, signal).catch(() => undefined)
}
