/** The mesh in numbers. @module */

import { single, type MetricSource } from '../../base/util/metric.ts'
import type { Transport } from '../transport/transport.ts'
import type { PeerCandidates } from './peer-candidates.ts'

export interface NodeMetricsDeps {
  readonly transport: Pick<Transport, 'peers'>
  readonly candidates: Pick<PeerCandidates, 'size'>
}

export function nodeMetrics({ transport, candidates }: NodeMetricsDeps): MetricSource {
  return () => {
    const peers = transport.peers()
    const directions = ['inbound', 'outbound'] as const
    return [
      {
        name: 'connections',
        help: 'Connections with other nodes, by who dialled',
        kind: 'gauge',
        samples: directions.map((direction) => ({
          labels: { direction },
          value: peers.filter((peer) => peer.direction === direction).length,
        })),
      },
      single('gauge', 'candidates', 'Nodes that are known by hearsay', candidates.size),
    ]
  }
}
