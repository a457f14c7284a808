/** How others reach this node, by what it knows itself. @module */

import type { OwnAddress, Transport } from '../transport/transport.ts'

export interface Reachability {
  readonly addresses: (OwnAddress & { readonly transport: string })[]
  /** Whether nodes of the local network find each other by themselves. */
  readonly lan: boolean
  /** Distinct nodes that are connected; one that both dialled counts twice. */
  readonly peers: { readonly inbound: number; readonly outbound: number }
}

/** @param init.lan whether LAN discovery is on */
export function reachability(
  transport: Pick<Transport, 'ownAddresses' | 'peers'>,
  { lan }: { lan: boolean },
): Reachability {
  const count = (wanted: 'inbound' | 'outbound') =>
    new Set(
      transport
        .peers()
        .filter(({ direction }) => direction === wanted)
        .map(({ peerId }) => peerId),
    ).size
  const addresses = transport
    .ownAddresses()
    .map((own) => ({ ...own, transport: transportOf(own.address) }))
  return { addresses, lan, peers: { inbound: count('inbound'), outbound: count('outbound') } }
}

/** What carries a connection to the address. */
function transportOf(address: string): string {
  if (address.includes('/p2p-circuit')) return 'relay'
  if (address.includes('/quic-v1')) return 'quic'
  if (/\/wss?(\/|$)/.test(address)) return 'websocket'
  if (address.includes('/tls/')) return 'tls'
  return 'tcp'
}
