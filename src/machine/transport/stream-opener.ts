/** Opens streams: over a connection that lives, else over a new one. @module */

import {
  ConnectionClosedError,
  MuxerClosedError,
  type Connection,
  type Stream,
} from '@libp2p/interface'
import type { PeerId } from '../../base/util/brand.ts'
import type { Clock, Scheduler } from '../../base/util/clock.ts'
import { isAbzuError, toAbzuError } from '../../base/util/errors.ts'
import { RateLimiter } from '../../base/util/gcra.ts'
import { sleep, withTimeout } from '../../base/util/wait.ts'
import type { Protocol } from '../../base/wire/protocols.ts'
import { dialAddressesOf } from './addresses.ts'
import { unreachable, type Dialer } from './dialer.ts'
import type { FrameStream } from './frame-stream.ts'
import { StreamSlots } from './stream-slots.ts'
import type { TransportLimits } from './transport-limits.ts'
import type { OpenInit } from './transport.ts'

export interface StreamOpenerDeps {
  readonly limits: Pick<
    TransportLimits,
    'opensWaitingMax' | 'streamOpenMs' | 'peerStreamsOutbound' | 'standingsMax'
  >
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly scheduler: Scheduler
  readonly dialer: Pick<Dialer, 'dial'>
  /** Connections that look alive, the best first. */
  readonly connectionsOf: (peerId: PeerId) => Connection[]
  readonly framed: (stream: Stream, connection: Connection) => FrameStream
}

export class StreamOpener {
  readonly #deps: StreamOpenerDeps
  readonly #slots: StreamSlots
  readonly #pace: RateLimiter

  constructor(deps: StreamOpenerDeps) {
    this.#deps = deps
    const { limits, clock } = deps
    this.#slots = new StreamSlots({ waitingMax: limits.opensWaitingMax })
    const rate = limits.peerStreamsOutbound
    this.#pace = new RateLimiter({ rate, keysMax: limits.standingsMax, clock })
  }

  /** @throws {AbzuError} ABZU_UNREACHABLE, ABZU_OVERLOADED; the signal's reason */
  async open(peerId: PeerId, protocol: Protocol, init: OpenInit): Promise<FrameStream> {
    const slot = { max: protocol.streamsMax, signal: init.signal }
    const release = await this.#slots.take(`${protocol.id} ${peerId}`, slot)
    try {
      const stream = await this.#openOnAny(peerId, protocol, init)
      void stream.closed.then(release)
      return stream
    } catch (error) {
      release()
      throw error
    }
  }

  /** A peer shuts out who opens streams faster than it takes them. */
  async #paced({ remotePeer }: Connection, signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      const waitMs = this.#pace.take(remotePeer.toString())
      if (waitMs === 0) return
      await sleep(this.#deps.scheduler, waitMs, signal)
    }
  }

  async #openOnAny(peerId: PeerId, protocol: Protocol, init: OpenInit): Promise<FrameStream> {
    const { connectionsOf, dialer } = this.#deps
    let refusal: unknown
    for (const connection of connectionsOf(peerId)) {
      try {
        return await this.#openOn(connection, protocol, init.signal)
      } catch (error) {
        init.signal?.throwIfAborted()
        refusal = error
        if (isDead(error)) connection.abort(toAbzuError(error))
      }
    }
    if (connectionsOf(peerId).length > 0) throw unreachable(peerId, `no ${protocol.id}`, refusal)
    const addresses = dialAddressesOf(peerId, init.addresses ?? [])
    const connection = await dialer.dial(peerId, addresses, init.signal)
    try {
      return await this.#openOn(connection, protocol, init.signal)
    } catch (error) {
      init.signal?.throwIfAborted()
      throw unreachable(peerId, `no ${protocol.id}`, error)
    }
  }

  async #openOn(
    connection: Connection,
    { id, streamsMax }: Protocol,
    signal: AbortSignal | undefined,
  ): Promise<FrameStream> {
    const { scheduler, limits, framed } = this.#deps
    await this.#paced(connection, signal)
    const limit = { timeoutMs: limits.streamOpenMs, what: `opening a stream of ${id}`, signal }
    const stream = await withTimeout(scheduler, limit, async (signal) =>
      connection.newStream(id, { signal, maxOutboundStreams: streamsMax }),
    )
    return framed(stream, connection)
  }
}

/** Whether a connection that cannot open a stream is one in name only: a refusal would be a sign of life. */
function isDead(error: unknown): boolean {
  return (
    error instanceof ConnectionClosedError ||
    error instanceof MuxerClosedError ||
    isAbzuError(error, 'ABZU_TIMEOUT')
  )
}
