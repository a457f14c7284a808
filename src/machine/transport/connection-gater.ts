/** Turns libp2p's questions about connections into those of the budget. @module */

import type {
  Connection,
  ConnectionGater,
  MultiaddrConnection,
  PeerId as Libp2pPeerId,
} from '@libp2p/interface'
import type { PeerId } from '../../base/util/brand.ts'
import { admitsAddress, admitsPeer } from './connection-budget.ts'
import { PendingInbound } from './pending-inbound.ts'
import type { Speaker } from './standing.ts'
import type { TransportLimits } from './transport-limits.ts'

export interface ConnectionGaterDeps {
  readonly limits: TransportLimits
  /** Whether this node keeps itself connected to a peer. */
  readonly isKept: (peerId: PeerId) => boolean
  readonly isShutOut: (speaker: Speaker) => boolean
  /** Whether this node itself, and not its routing, is dialling a peer. */
  readonly isDialling: (peerId: PeerId) => boolean
  readonly connections: () => Connection[]
}

/** Only Ed25519 keys: their peer id contains the key, so that receipts can be verified by it. */
export function connectionGater({
  limits,
  isKept,
  isShutOut,
  isDialling,
  connections,
}: ConnectionGaterDeps): ConnectionGater {
  const pending = new PendingInbound(limits)
  /** Inbound connections that found a place, from before their handshake ends until they close: many that are
   *  made at once would else all find the last one. */
  const placed = new Set<MultiaddrConnection>()
  const outbound = () => connections().filter(({ direction }) => direction === 'outbound')
  const hasOtherKey = (peerId: Libp2pPeerId) => peerId.type !== 'Ed25519'
  return {
    denyDialMultiaddr: () => false,
    denyDialPeer: (peerId) => {
      const id = peerId.toString() as PeerId
      const isKeptOrWanted = isKept(id) || isDialling(id)
      return !admitsPeer({ isKept: isKeptOrWanted, count: connections().length }, limits)
    },
    denyInboundConnection: (inbound: MultiaddrConnection) => {
      const others = connections().map((connection) => connection.remoteAddr.toString())
      const address = inbound.remoteAddr.toString()
      return !admitsAddress({ address, others }, limits) || !pending.begin(inbound)
    },
    // the first to know who it is
    denyInboundEncryptedConnection: (libp2pPeerId, inbound) => {
      const peerId = libp2pPeerId.toString() as PeerId
      if (hasOtherKey(libp2pPeerId)) return true
      if (isShutOut({ peerId, address: inbound.remoteAddr.toString() })) return true
      const count = placed.size + outbound().length
      if (!admitsPeer({ isKept: isKept(peerId), count }, limits)) return true
      placed.add(inbound)
      inbound.addEventListener('close', () => placed.delete(inbound), { once: true })
      return false
    },
    denyInboundUpgradedConnection: (_, inbound) => {
      pending.done(inbound)
      return false
    },
    denyOutboundEncryptedConnection: hasOtherKey,
  }
}
