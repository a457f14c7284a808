/**
 * The one place where an error of an inbound stream ends: a typed one is told to the peer by its number,
 * anything else is a bug of ours, logged and told as ABZU_INTERNAL. Nothing here rejects or throws.
 * @module
 */

import type { PeerId } from '../../base/util/brand.ts'
import type { Scheduler } from '../../base/util/clock.ts'
import { AbzuError, isAbzuError, toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import type { Protocol } from '../../base/wire/protocols.ts'
import type { FrameStream } from './frame-stream.ts'
import type { TransportLimits } from './transport-limits.ts'
import type { StreamHandler } from './transport.ts'

export interface StreamServerDeps {
  readonly limits: Pick<TransportLimits, 'handlersMax' | 'handlersReserved' | 'lingerMs'>
  /** Whether this node keeps itself connected to a peer. */
  readonly isKept: (peerId: PeerId) => boolean
  readonly scheduler: Scheduler
  readonly log: Log
}

export class StreamServer {
  readonly #deps: StreamServerDeps
  /** Protocol id to its streams. */
  readonly #streams = new Map<string, Set<FrameStream>>()

  constructor(deps: StreamServerDeps) {
    this.#deps = deps
  }

  /** Runs `handler` until `stream` is over. */
  serve(protocol: Protocol, stream: FrameStream, handler: StreamHandler): void {
    const streams = this.#streams.get(protocol.id) ?? new Set()
    this.#streams.set(protocol.id, streams)
    if (!this.#admits(protocol, stream.peer, streams)) {
      return stream.abort(new AbzuError('ABZU_OVERLOADED', `too many streams of ${protocol.id}`))
    }
    streams.add(stream)
    void stream.closed.then(() => streams.delete(stream))
    void this.#run(protocol, stream, handler)
  }

  #admits(protocol: Protocol, peer: PeerId, streams: ReadonlySet<FrameStream>): boolean {
    const { limits, isKept } = this.#deps
    const reserved = isKept(peer) ? 0 : limits.handlersReserved
    if (streams.size >= limits.handlersMax - reserved) return false
    let ofPeer = 0
    for (const stream of streams) if (stream.peer === peer) ofPeer++
    // two connections, where both dialled at once
    return ofPeer < 2 * protocol.streamsMax
  }

  async #run(protocol: Protocol, stream: FrameStream, handler: StreamHandler): Promise<void> {
    try {
      await handler(stream)
      await stream.end()
      this.#linger(stream)
    } catch (error) {
      const reason = toAbzuError(error)
      const fields = { protocol: protocol.id, peer: stream.peer, code: reason.code, error: reason }
      // a peer may send the number of ABZU_INTERNAL, which then has no cause: that is no bug of ours
      const isBug =
        !isAbzuError(error) || (error.code === 'ABZU_INTERNAL' && error.cause !== undefined)
      if (isBug) this.#deps.log.error('inbound stream failed', fields)
      else this.#deps.log.debug('inbound stream refused', fields)
      stream.abort(reason)
    }
  }

  /** A peer that does not end its side does not keep the stream. */
  #linger(stream: FrameStream): void {
    const { scheduler, limits } = this.#deps
    const cancel = scheduler.after(limits.lingerMs, () =>
      stream.abort(new AbzuError('ABZU_TIMEOUT', 'the peer did not end the stream')),
    )
    void stream.closed.then(cancel)
  }
}
