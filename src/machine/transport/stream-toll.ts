/**
 * How fast peers may open streams. How many are open is bounded elsewhere; opening and resetting them one after
 * the other costs this machine as much as it likes without this.
 * @module
 */

import type { Connection, Stream, StreamMuxer } from '@libp2p/interface'
import type { PeerId } from '../../base/util/brand.ts'
import type { Clock } from '../../base/util/clock.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { RateLimiter } from '../../base/util/gcra.ts'
import { neighbourOf } from './addresses.ts'
import type { TransportLimits } from './transport-limits.ts'

export interface StreamTollDeps {
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly limits: Pick<TransportLimits, 'peerStreams' | 'addressStreams' | 'standingsMax'>
  /** Whether this node keeps itself connected to a peer. */
  readonly isKept: (peerId: PeerId) => boolean
  /** A peer opened a stream too many. */
  readonly onExcess: (connection: Connection) => void
}

/** libp2p's own connection has its muxer, which the interface leaves out: it alone tells of each stream, also
 *  of one that never says what protocol it is for. */
type WithMuxer = Connection & { readonly muxer?: StreamMuxer }

export class StreamToll {
  readonly #deps: StreamTollDeps
  readonly #peers: RateLimiter
  readonly #neighbours: RateLimiter

  constructor(deps: StreamTollDeps) {
    const { clock, limits } = deps
    const keysMax = limits.standingsMax
    this.#deps = deps
    this.#peers = new RateLimiter({ rate: limits.peerStreams, keysMax, clock })
    this.#neighbours = new RateLimiter({ rate: limits.addressStreams, keysMax, clock })
  }

  /** Resets each inbound stream of `connection` that comes too fast after the others of its peer, or of a
   *  neighbour of the network that is not kept. */
  watch(connection: Connection): void {
    const { muxer } = connection as WithMuxer
    muxer?.addEventListener('stream', ({ detail }: CustomEvent<Stream>) => {
      if (detail.direction !== 'inbound' || this.#pays(connection)) return
      detail.abort(new AbzuError('ABZU_RATE_LIMITED', 'streams are opened too fast'))
      this.#deps.onExcess(connection)
    })
  }

  #pays({ remotePeer, remoteAddr }: Connection): boolean {
    const peerId = remotePeer.toString() as PeerId
    if (this.#peers.take(peerId) > 0) return false
    return (
      this.#deps.isKept(peerId) || this.#neighbours.take(neighbourOf(remoteAddr.toString())) === 0
    )
  }
}
