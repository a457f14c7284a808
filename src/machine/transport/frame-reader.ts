/** The reading half of a stream of frames: decodes, holds the peer to its credit, hands out batches. @module */

import { readU32be } from '../../base/util/bytes.ts'
import { AbzuError, assert, type ErrorCode } from '../../base/util/errors.ts'
import { errorCode } from '../../base/wire/error-numbers.ts'
import { FrameDecoder, frameType, type Frame } from '../../base/wire/frame.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import { creditOf, grantBytesMin } from './credit.ts'
import type { TransportLimits } from './transport-limits.ts'

export interface FrameReaderDeps {
  readonly limits: Pick<TransportLimits, 'silentIntervalsMax' | 'pingsPerIntervalMax'>
  /** So much is dealt with: the peer may send as much again. */
  readonly onDone: (bytes: number) => void
  /** The peer's reader grants us so much. */
  readonly onCredit: (bytes: number) => void
  /** The peer has said all. */
  readonly onEnd: () => void
  /** The peer has given up. */
  readonly onError: (code: ErrorCode) => void
}

export class FrameReader {
  readonly #deps: FrameReaderDeps
  readonly #decoder = new FrameDecoder()
  #state: 'open' | 'ended' | 'failed' = 'open'
  #failure: AbzuError | undefined

  #inbox: Uint8Array[] = []
  #inboxBytes = 0
  /** What the peer may still send. */
  #windowBytes: number = wireLimits.creditBytes
  /** What is dealt with and not granted again. */
  #doneBytes = 0
  #wake: (() => void) | undefined
  #isRead = false

  #heardSinceTick = false
  #silentIntervals = 0
  #pings = 0

  constructor(deps: FrameReaderDeps) {
    this.#deps = deps
  }

  get hasEnded(): boolean {
    return this.#state === 'ended'
  }

  /** Takes over bytes of the network.
   *  @throws {AbzuError} ABZU_TOO_LARGE, ABZU_MALFORMED, ABZU_PROTOCOL_VIOLATION */
  push(chunk: Uint8Array): void {
    for (const frame of this.#decoder.push(unpinned(chunk))) {
      if (this.#state === 'failed') return
      this.#heardSinceTick = true
      this.#receive(frame)
    }
    if (this.#inbox.length > 0) this.#wakeReader()
  }

  async *batches(): AsyncGenerator<Uint8Array[], void, void> {
    assert(!this.#isRead, 'a stream has one reader at a time')
    this.#isRead = true
    try {
      for (;;) {
        const batch = this.#inbox
        const bytes = this.#inboxBytes
        this.#inbox = []
        this.#inboxBytes = 0
        if (batch.length > 0) {
          try {
            yield batch
          } finally {
            this.#done(bytes)
          }
          continue
        }
        if (this.#failure) throw this.#failure
        if (this.#state === 'ended') return
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    } finally {
      this.#isRead = false
    }
  }

  /** Once an interval. False where the peer was silent for too long. */
  tick(): boolean {
    this.#silentIntervals = this.#heardSinceTick ? 0 : this.#silentIntervals + 1
    this.#heardSinceTick = false
    this.#pings = 0
    return this.#silentIntervals < this.#deps.limits.silentIntervalsMax
  }

  /** Every later read throws `error`: after what has arrived where `keep` says so, else at once. Where the peer
   *  had said all and nothing is lost, the reader still comes to the proper end. */
  fail(error: AbzuError, { keep }: { keep: boolean }): void {
    const isComplete = this.#state === 'ended' && keep
    if (!keep) {
      this.#inbox = []
      this.#inboxBytes = 0
    }
    if (isComplete) return
    this.#state = 'failed'
    this.#failure = error
    this.#wakeReader()
  }

  #receive({ type, payload }: Frame): void {
    switch (type) {
      case frameType.data:
        return this.#receiveData(payload)
      case frameType.credit: {
        const bytes = payload.length === 4 ? readU32be(payload) : 0
        if (bytes < grantBytesMin) throw violation('a credit frame that grants too little')
        return this.#deps.onCredit(bytes)
      }
      case frameType.ping:
        if (payload.length > 0) throw violation('a ping with a payload')
        if (++this.#pings > this.#deps.limits.pingsPerIntervalMax) throw violation('too many pings')
        return
      case frameType.end:
        if (payload.length > 0) throw violation('an end with a payload')
        if (this.#state === 'ended') throw violation('a second end')
        this.#state = 'ended'
        this.#wakeReader()
        return this.#deps.onEnd()
      case frameType.error:
        if (payload.length !== 2) throw violation('an error frame without a number')
        return this.#deps.onError(errorCode(((payload[0] as number) << 8) | (payload[1] as number)))
    }
  }

  #receiveData(payload: Uint8Array): void {
    if (this.#state === 'ended') throw violation('a message after the end')
    const cost = creditOf(payload.length)
    this.#windowBytes -= cost
    if (this.#windowBytes < 0) throw violation('more than was granted')
    this.#inbox.push(payload)
    this.#inboxBytes += cost
  }

  #done(bytes: number): void {
    this.#doneBytes += bytes
    if (this.#doneBytes < grantBytesMin || this.#state !== 'open') return
    this.#windowBytes += this.#doneBytes
    this.#deps.onDone(this.#doneBytes)
    this.#doneBytes = 0
  }

  #wakeReader(): void {
    this.#wake?.()
    this.#wake = undefined
  }
}

/** `chunk`, copied where it is a small part of what it would keep in memory. */
function unpinned(chunk: Uint8Array): Uint8Array {
  return 4 * chunk.length < chunk.buffer.byteLength ? new Uint8Array(chunk) : chunk
}

function violation(what: string): AbzuError {
  return new AbzuError('ABZU_PROTOCOL_VIOLATION', what)
}
