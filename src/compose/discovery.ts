/** Puts together how this node finds others. @module */

import type { Config } from '../config.ts'
import type { MeshPeers } from '../machine/node/mesh-peers.ts'
import { Discovery } from '../machine/node/discovery.ts'
import type { NetworkWatch } from '../machine/node/network-watch.ts'
import type { PeerBook } from '../machine/node/peer-book.ts'
import type { PeerCandidates } from '../machine/node/peer-candidates.ts'
import { LanDiscovery, type LanDiscoveryInit } from '../machine/transport/lan-discovery.ts'
import type { Transport } from '../machine/transport/transport.ts'

interface DiscoveryParts {
  readonly config: Config
  readonly system: Omit<LanDiscoveryInit, 'listening' | 'found'>
  readonly transport: Transport
  readonly kept: Pick<PeerBook, 'wake'>
  readonly mesh: MeshPeers
  readonly network: NetworkWatch
  readonly candidates: PeerCandidates
}

/** How this node finds others, not yet started. */
export function openDiscovery(parts: DiscoveryParts): Discovery {
  const { config, system, transport, kept, mesh, network, candidates } = parts
  const { log } = system
  const lan = new LanDiscovery({
    ...system,
    listening: () => listeningAddresses(transport),
    found: (peerId, addresses) => candidates.offer('lan', peerId, addresses),
  })
  const found = { transport, candidates, kept, mesh, network, log }
  return new Discovery({ ...found, lan: config.lan ? lan : undefined }, config)
}

function listeningAddresses(transport: Transport): string[] {
  return transport
    .ownAddresses()
    .filter(({ source }) => source === 'listening')
    .map(({ address }) => address)
}
