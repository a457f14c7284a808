/** The writing half of a stream of frames: queue, credit, and as few writes to the network as possible. @module */

import { joinBytes, u32be } from '../../base/util/bytes.ts'
import type { Scheduler } from '../../base/util/clock.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { encodeFrame, frameHead, frameType } from '../../base/wire/frame.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import type { BytePipe } from './byte-pipe.ts'
import { creditOf } from './credit.ts'
import type { Payload } from './frame-stream.ts'
import { raceSignal } from './race-signal.ts'
import type { TransportLimits } from './transport-limits.ts'

export interface FrameWriterDeps {
  readonly pipe: Pick<BytePipe, 'send'>
  readonly scheduler: Pick<Scheduler, 'soon'>
  readonly limits: Pick<
    TransportLimits,
    'writeBytes' | 'sendQueueBytesMax' | 'sendQueueBytesLow' | 'stuckIntervalsMax'
  >
  /** The END frame is handed to the network. */
  readonly onEnded: () => void
}

const empty = new Uint8Array()

export class FrameWriter {
  readonly #deps: FrameWriterDeps
  #state: 'open' | 'ending' | 'ended' | 'failed' = 'open'
  #failure: AbzuError | undefined
  readonly #ended = Promise.withResolvers<void>()

  #messages: Payload[] = []
  #queuedBytes = 0
  /** What the peer's reader still lets us send. */
  #creditBytes: number = wireLimits.creditBytes
  /** What our reader has granted and the peer was not told yet. */
  #grantBytes = 0
  #pingDue = false

  #flushScheduled = false
  /** The network asked to wait. */
  #blocked = false
  /** Anything but pings. */
  #wroteSinceTick = false
  /** Messages or the end: pings and grants are no progress. */
  #movedSinceTick = false
  #stuckIntervals = 0
  #room: PromiseWithResolvers<void> | undefined

  constructor(deps: FrameWriterDeps) {
    this.#deps = deps
    // whoever calls end() may drop its promise: a peer's reset is no unhandled rejection
    this.#ended.promise.catch(() => undefined)
  }

  get hasEnded(): boolean {
    return this.#state === 'ended'
  }

  /** @throws {AbzuError} ABZU_OVERLOADED, ABZU_TOO_LARGE, ABZU_CLOSED; why the stream failed */
  send(payload: Payload): void {
    if (this.#failure) throw this.#failure
    if (this.#state !== 'open') throw new AbzuError('ABZU_CLOSED', 'a message after the end')
    const bytes = bytesOf(payload)
    if (bytes > wireLimits.frameBytesMax) {
      throw new AbzuError('ABZU_TOO_LARGE', `a message of ${bytes} bytes`)
    }
    const cost = creditOf(bytes)
    if (this.#queuedBytes + cost > this.#deps.limits.sendQueueBytesMax) {
      throw new AbzuError('ABZU_OVERLOADED', 'too much is queued on a stream')
    }
    this.#messages.push(payload)
    this.#queuedBytes += cost
    this.#flushSoon()
  }

  /** Resolves below the low mark and with credit.
   *  @throws why the stream failed; the signal's reason */
  async ready(signal?: AbortSignal): Promise<void> {
    for (;;) {
      if (this.#failure) throw this.#failure
      signal?.throwIfAborted()
      if (this.#hasRoom()) return
      this.#room ??= Promise.withResolvers<void>()
      await raceSignal(this.#room.promise, signal)
    }
  }

  /** Resolves when the END frame is handed to the network. */
  end(): Promise<void> {
    if (this.#state === 'open') {
      this.#state = 'ending'
      this.#flushSoon()
    }
    return this.#ended.promise
  }

  /** Tells the peer, with the next write, that its writer may send so much more. */
  grant(bytes: number): void {
    this.#grantBytes += bytes
    this.#flushSoon()
  }

  /** Takes over what the peer's reader has granted. False where it grants what was never sent. */
  addCredit(bytes: number): boolean {
    this.#creditBytes += bytes
    if (this.#creditBytes > wireLimits.creditBytes) return false
    this.#flushSoon()
    return true
  }

  /** The network has room again. */
  drained(): void {
    this.#blocked = false
    this.#flush()
  }

  /** Once an interval: pings where nothing was written in it. False where what is queued did not move for too long. */
  tick(): boolean {
    if (!this.#wroteSinceTick) this.#pingDue = true
    const isStuck = !this.#movedSinceTick && (this.#blocked || this.#messages.length > 0)
    this.#stuckIntervals = isStuck ? this.#stuckIntervals + 1 : 0
    this.#wroteSinceTick = false
    this.#movedSinceTick = false
    if (this.#stuckIntervals >= this.#deps.limits.stuckIntervalsMax) return false
    if (this.#pingDue) this.#flushSoon()
    return true
  }

  /** Drops what is queued; every later use throws `error`. */
  fail(error: AbzuError): void {
    this.#failure = error
    this.#messages = []
    this.#queuedBytes = 0
    if (this.#state !== 'ended') this.#ended.reject(error)
    this.#state = 'failed'
    this.#wakeReady()
  }

  #hasRoom(): boolean {
    return (
      this.#queuedBytes < this.#deps.limits.sendQueueBytesLow &&
      this.#queuedBytes < this.#creditBytes
    )
  }

  #wakeReady(): void {
    this.#room?.resolve()
    this.#room = undefined
  }

  #flushSoon(): void {
    if (this.#flushScheduled) return
    this.#flushScheduled = true
    this.#deps.scheduler.soon(() => {
      this.#flushScheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    while (!this.#blocked && this.#state !== 'failed') {
      const wasEnding = this.#state === 'ending'
      const frames = this.#take()
      if (frames.length === 0) break
      this.#blocked = !this.#deps.pipe.send(joinBytes(frames))
      if (wasEnding && this.hasEnded) this.#tellEnded()
    }
    if (this.#room && this.#hasRoom()) this.#wakeReady()
  }

  #tellEnded(): void {
    this.#ended.resolve()
    this.#deps.onEnded()
  }

  /** The frames of one write, in pieces: what control asks for, then messages as far as the credit goes, then END. */
  #take(): Uint8Array[] {
    const frames: Uint8Array[] = []
    if (this.#grantBytes > 0) frames.push(encodeFrame(frameType.credit, u32be(this.#grantBytes)))
    this.#grantBytes = 0
    let count = 0
    for (let bytes = 0; count < this.#messages.length && bytes < this.#deps.limits.writeBytes;) {
      const payload = this.#messages[count] as Payload
      const payloadBytes = bytesOf(payload)
      const cost = creditOf(payloadBytes)
      if (cost > this.#creditBytes) break
      this.#creditBytes -= cost
      this.#queuedBytes -= cost
      bytes += cost
      count++
      frames.push(frameHead(frameType.data, payloadBytes))
      if (payload instanceof Uint8Array) frames.push(payload)
      else frames.push(...payload)
    }
    this.#messages.splice(0, count)
    if (count > 0) this.#movedSinceTick = true
    if (this.#state === 'ending' && this.#messages.length === 0) {
      frames.push(encodeFrame(frameType.end, empty))
      this.#state = 'ended'
    }
    if (frames.length > 0) this.#wroteSinceTick = true
    else if (this.#pingDue) frames.push(encodeFrame(frameType.ping, empty))
    this.#pingDue = false
    return frames
  }
}

function bytesOf(payload: Payload): number {
  if (payload instanceof Uint8Array) return payload.length
  return payload.reduce((bytes, { length }) => bytes + length, 0)
}
