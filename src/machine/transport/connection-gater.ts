/** Turns libp2p's questions about connections into those of the budget. @module */

import type {
  Connection,
  ConnectionGater,
  MultiaddrConnection,
  PeerId as Libp2pPeerId,
} from '@libp2p/interface'
import type { PeerId } from '../../base/util/brand.ts'
import { admitsAddress, admitsPeer } from './connection-budget.ts'
import type { TransportLimits } from './transport-limits.ts'

export interface ConnectionGaterDeps {
  readonly limits: TransportLimits
  /** Whether this node keeps itself connected to a peer. */
  readonly isKept: (peerId: PeerId) => boolean
  readonly connections: () => Connection[]
}

/** Only Ed25519 keys: their peer id contains the key, so that receipts can be verified by it. */
export function connectionGater({
  limits,
  isKept,
  connections,
}: ConnectionGaterDeps): ConnectionGater {
  const hasOtherKey = (peerId: Libp2pPeerId) => peerId.type !== 'Ed25519'
  return {
    denyDialMultiaddr: () => false,
    denyInboundConnection: ({ remoteAddr }: MultiaddrConnection) => {
      const others = connections().map((connection) => connection.remoteAddr.toString())
      return !admitsAddress({ address: remoteAddr.toString(), others }, limits)
    },
    denyInboundEncryptedConnection: (peerId) =>
      hasOtherKey(peerId) ||
      !admitsPeer(
        { isKept: isKept(peerId.toString() as PeerId), count: connections().length },
        limits,
      ),
    denyOutboundEncryptedConnection: hasOtherKey,
  }
}
