/** Who may connect when places are short: peers that this node keeps find a place when strangers took theirs. @module */

import { neighbourOf } from './addresses.ts'
import type { TransportLimits } from './transport-limits.ts'

/** Whether to shake hands with who comes from `address`, while there are connections with `others`. */
export function admitsAddress(
  { address, others }: { address: string; others: readonly string[] },
  limits: Pick<TransportLimits, 'connectionsMax' | 'connectionsPerAddressMax'>,
): boolean {
  if (others.length >= limits.connectionsMax) return false
  const neighbour = neighbourOf(address)
  const ofNeighbour = others.filter((other) => neighbourOf(other) === neighbour)
  return ofNeighbour.length < limits.connectionsPerAddressMax
}

/** Whether to keep the inbound connection of a peer that has proven who it is, beside `count` others. */
export function admitsPeer(
  { isKept, count }: { isKept: boolean; count: number },
  limits: Pick<TransportLimits, 'connectionsMax' | 'connectionsReserved'>,
): boolean {
  return count < limits.connectionsMax - (isKept ? 0 : limits.connectionsReserved)
}
