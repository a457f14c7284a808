/**
 * A stream of messages between two machines, flow-controlled and told apart from a broken one.
 * @see docs/protocol.md#frames
 * @module
 */

import type { PeerId } from '../../base/util/brand.ts'
import type { AbzuError } from '../../base/util/errors.ts'

/** A message, or its pieces in order. */
export type Payload = Uint8Array | readonly Uint8Array[]

export interface FrameStream {
  readonly peer: PeerId

  /** What stands for the place that the peer is connected from, for limits: see `neighbourOf`. Missing where
   *  that is no IP address. */
  readonly neighbour?: string | undefined

  /** Queues one message. All that is queued in one turn of the event loop leaves as one write.
   *  The caller changes `payload` no more.
   *  @throws {AbzuError} ABZU_OVERLOADED where the queue is full: the caller did not wait for `ready`;
   *  ABZU_TOO_LARGE; ABZU_CLOSED after `end`; why the stream failed */
  send(payload: Payload): void

  /** Resolves when a message would leave soon: little is queued and the reader has granted credit.
   *  @throws why the stream failed; the signal's reason */
  ready(signal?: AbortSignal): Promise<void>

  /** The messages, in batches as they arrived together. Asking for the next batch says that the last one
   *  is dealt with, and so lets the peer send more. Ends when the peer has said all. For one reader at a
   *  time; another may go on where the first left off. The bytes share memory with the network's buffers.
   *  @throws {AbzuError} why the stream failed: ABZU_UNREACHABLE where it broke off, ABZU_TIMEOUT,
   *  ABZU_PROTOCOL_VIOLATION, ABZU_MALFORMED, ABZU_TOO_LARGE, the error that the peer sent */
  batches(): AsyncIterable<Uint8Array[]>

  /** Says that nothing more will come. Resolves when that and all before it is handed to the network.
   *  @throws why the stream failed */
  end(): Promise<void>

  /** Ends both directions: tells the peer the number of `error`, then resets. Nothing where the stream is over. */
  abort(error: AbzuError): void

  /** Resolves when the stream is over, however it ended. */
  readonly closed: Promise<void>
}
