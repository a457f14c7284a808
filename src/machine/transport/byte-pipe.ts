/**
 * What a stream of frames needs of the network: ordered bytes both ways. A libp2p stream is one such
 * pipe, a pair in memory another.
 * @module
 */

/** Told in order, and never after `closed`. */
export interface PipeListener {
  /** Bytes arrived, as a plain Uint8Array. They may share memory with the network's buffers. */
  bytes(chunk: Uint8Array): void
  /** There is room again after `send` returned false. */
  drain(): void
  /** The other side will send nothing more. */
  end(): void
  /** Both directions are over, cleanly or not. */
  closed(): void
}

export interface BytePipe {
  /** Sets the one listener, and tells it what happened before, later in this turn of the event loop. */
  listen(listener: PipeListener): void
  /** Takes `bytes` over; the caller changes them no more. False asks the caller to wait for `drain`. */
  send(bytes: Uint8Array): boolean
  /** Sends what was taken over, then says that nothing more will come. */
  close(): void
  /** Ends both directions at once. What is on its way may be lost. */
  abort(): void
}
