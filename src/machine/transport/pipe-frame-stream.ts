/** A stream of frames over any pipe of bytes. @see docs/protocol.md#frames @module */

import type { PeerId } from '../../base/util/brand.ts'
import type { Cancel, Scheduler } from '../../base/util/clock.ts'
import { AbzuError, toAbzuError } from '../../base/util/errors.ts'
import { errorNumber } from '../../base/wire/error-numbers.ts'
import { encodeFrame, frameType } from '../../base/wire/frame.ts'
import type { BytePipe } from './byte-pipe.ts'
import { FrameReader } from './frame-reader.ts'
import type { FrameStream, Payload } from './frame-stream.ts'
import { FrameWriter } from './frame-writer.ts'
import type { TransportLimits } from './transport-limits.ts'

export interface PipeFrameStreamInit {
  readonly peer: PeerId
  readonly neighbour?: string | undefined
  readonly pipe: BytePipe
  readonly limits: TransportLimits
  readonly scheduler: Scheduler
  /** This side gave the stream up, and why: the peer is told the same. */
  readonly onGivenUp?: (error: AbzuError) => void
}

/** No direction is closed before both have said all: a reader that has said all still grants credit. The pipe
 *  is never paused, since what the peer may send is bounded by credit, and a paused pipe would hold back the
 *  credit that the peer grants. */
export class PipeFrameStream implements FrameStream {
  readonly peer: PeerId
  readonly neighbour: string | undefined
  readonly #init: PipeFrameStreamInit
  readonly #reader: FrameReader
  readonly #writer: FrameWriter
  readonly #closed = Promise.withResolvers<void>()
  #state: 'open' | 'closing' | 'failed' | 'over' = 'open'
  #cancelTimer: Cancel

  constructor(init: PipeFrameStreamInit) {
    const { pipe, limits, scheduler } = init
    this.peer = init.peer
    this.neighbour = init.neighbour
    this.#init = init
    this.#writer = new FrameWriter({ pipe, limits, scheduler, onEnded: () => this.#closeIfDone() })
    this.#reader = new FrameReader({
      limits,
      onDone: (bytes) => this.#writer.grant(bytes),
      onCredit: (bytes) => this.#addCredit(bytes),
      onEnd: () => this.#closeIfDone(),
      onError: (code) =>
        this.#fail(new AbzuError(code, 'the peer gave up'), { tell: false, keep: true }),
    })
    this.#cancelTimer = scheduler.after(limits.pingIntervalMs, () => this.#tick())
    pipe.listen({
      bytes: (chunk) => this.#receive(chunk),
      drain: () => this.#writer.drained(),
      // nobody closes before both have said all; and a reset by QUIC shows as no more than this
      end: () => this.#fail(brokeOff(), { tell: false, keep: true }),
      closed: () => this.#pipeClosed(),
    })
  }

  get closed(): Promise<void> {
    return this.#closed.promise
  }

  send(payload: Payload): void {
    this.#writer.send(payload)
  }

  ready(signal?: AbortSignal): Promise<void> {
    return this.#writer.ready(signal)
  }

  batches(): AsyncIterable<Uint8Array[]> {
    return this.#reader.batches()
  }

  end(): Promise<void> {
    return this.#writer.end()
  }

  abort(error: AbzuError): void {
    if (this.#state === 'closing') this.#init.pipe.abort()
    else this.#fail(error, { tell: true, keep: false })
  }

  /** Resets without a word: the peer sees a stream that broke off. For a machine that goes. */
  breakOff(): void {
    if (this.#state === 'closing') this.#init.pipe.abort()
    else this.#fail(new AbzuError('ABZU_CLOSED', 'closing'), { tell: false, keep: false })
  }

  #receive(chunk: Uint8Array): void {
    if (this.#state !== 'open') return
    try {
      this.#reader.push(chunk)
    } catch (error) {
      this.#fail(toAbzuError(error), { tell: true, keep: false })
    }
  }

  #addCredit(bytes: number): void {
    if (this.#writer.addCredit(bytes)) return
    throw new AbzuError('ABZU_PROTOCOL_VIOLATION', 'credit for what was never sent')
  }

  #closeIfDone(): void {
    if (this.#state !== 'open' || !this.#reader.hasEnded || !this.#writer.hasEnded) return
    const { pipe, limits } = this.#init
    this.#state = 'closing'
    this.#setTimer(limits.lingerMs, () => pipe.abort())
    pipe.close()
  }

  #fail(error: AbzuError, { tell, keep }: { tell: boolean; keep: boolean }): void {
    if (this.#state !== 'open') return
    const { pipe, limits } = this.#init
    this.#state = 'failed'
    this.#writer.fail(error)
    this.#reader.fail(error, { keep })
    if (!tell) return pipe.abort()
    const number = errorNumber(error.code)
    this.#setTimer(limits.resetGraceMs, () => pipe.abort())
    pipe.send(encodeFrame(frameType.error, new Uint8Array([number >>> 8, number])))
    pipe.close()
    this.#init.onGivenUp?.(error)
  }

  #pipeClosed(): void {
    this.#fail(brokeOff(), { tell: false, keep: true })
    this.#state = 'over'
    this.#cancelTimer()
    this.#closed.resolve()
  }

  #tick(): void {
    this.#setTimer(this.#init.limits.pingIntervalMs, () => this.#tick())
    const isAlive = this.#reader.tick()
    const isMoving = this.#writer.tick()
    if (isAlive && isMoving) return
    const what = isAlive ? 'the peer took nothing for too long' : 'the peer was silent for too long'
    this.#fail(new AbzuError('ABZU_TIMEOUT', what), { tell: true, keep: false })
  }

  #setTimer(delayMs: number, task: () => void): void {
    this.#cancelTimer()
    this.#cancelTimer = this.#init.scheduler.after(delayMs, task)
  }
}

function brokeOff(): AbzuError {
  return new AbzuError('ABZU_UNREACHABLE', 'the stream broke off before its end')
}
