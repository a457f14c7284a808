/** Inbound connections whose handshake is not done, by where they come from. @module */

import type { MultiaddrConnection } from '@libp2p/interface'
import { neighbourOf } from './addresses.ts'
import type { TransportLimits } from './transport-limits.ts'

/** One neighbour alone cannot hold all the places that handshakes may take. */
export class PendingInbound {
  readonly #limits: Pick<TransportLimits, 'inboundPendingPerAddressMax'>
  /** Connection to its neighbour. */
  readonly #pending = new Map<MultiaddrConnection, string>()

  constructor(limits: Pick<TransportLimits, 'inboundPendingPerAddressMax'>) {
    this.#limits = limits
  }

  /** False where the neighbour holds its share already. Forgets a connection that closes. */
  begin(connection: MultiaddrConnection): boolean {
    const neighbour = neighbourOf(connection.remoteAddr.toString())
    let others = 0
    for (const other of this.#pending.values()) if (other === neighbour) others++
    if (others >= this.#limits.inboundPendingPerAddressMax) return false
    this.#pending.set(connection, neighbour)
    connection.addEventListener('close', () => this.#pending.delete(connection), { once: true })
    return true
  }

  /** The handshake is done. */
  done(connection: MultiaddrConnection): void {
    this.#pending.delete(connection)
  }
}
