/** Puts the transport together. @module */

import type { PeerId } from '../../base/util/brand.ts'
import { Dialer } from './dialer.ts'
import { startLibp2pNode } from './libp2p-node.ts'
import { Libp2pTransport, type TransportInit } from './libp2p-transport.ts'
import { parseAnnouncedAddress, parseListenAddress } from './addresses.ts'
import { dialableBy } from './node-dialable.ts'
import { sha256 } from './node-sha256.ts'
import { Reconnector } from './reconnect.ts'
import { Standing } from './standing.ts'
import { defaultTransportLimits } from './transport-limits.ts'
import type { Transport } from './transport.ts'

/** Opens a transport that dials at once, and accepts after `listen`.
 *  @throws {AbzuError} ABZU_CONFIG_INVALID */
export async function openTransport(init: TransportInit): Promise<Transport> {
  const limits = init.limits ?? defaultTransportLimits
  const listenAt = [
    ...init.tcp.map((place) => parseListenAddress(place, 'tcp')),
    ...(init.quic ?? []).map((place) => parseListenAddress(place, 'quic')),
  ]
  const isKept = (peerId: PeerId) => reconnector.isKept(peerId)
  const standing = new Standing({ ...init, limits, isKept })
  const announced = [...new Set(init.announce?.map(parseAnnouncedAddress))]
  const reconnector: Reconnector = new Reconnector({
    ...init,
    limits,
    dial: async (peerId, addresses, signal) => dialer.dial(peerId, addresses, signal),
    isConnected: (peerId) => transport.isConnected(peerId),
  })
  const node = await startLibp2pNode({
    ...init,
    limits,
    announced,
    isKept,
    isShutOut: (speaker) => standing.isShutOut(speaker),
    isDialling: (peerId) => dialer.isDialling(peerId),
    dialable: dialableBy(init.clock),
    sha256,
  })
  const dialer: Dialer = new Dialer({ ...init, limits, libp2p: node.libp2p })
  const transport: Libp2pTransport = new Libp2pTransport({
    ...init,
    limits,
    listenAt,
    announced,
    node,
    dialer,
    reconnector,
    standing,
  })
  return transport
}
