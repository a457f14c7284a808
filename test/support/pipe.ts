/** A pair of byte pipes in memory: what one end sends, the other gets, a turn of the event loop later. @module */

import type { BytePipe, PipeListener } from '../../src/machine/transport/byte-pipe.ts'

type Happening = { bytes: Uint8Array } | 'end' | 'closed'

export interface MemoryPipeInit {
  /** `send` asks to wait above this many bytes on their way. */
  readonly highWaterBytes?: number
  /** Bytes are delivered in pieces of at most this size. */
  readonly pieceBytes?: number
}

export class MemoryPipe implements BytePipe {
  /** Calls of `send`. */
  writes = 0
  /** While true, nothing arrives at this end. */
  isHeld = false
  #other: MemoryPipe = this
  readonly #init: Required<MemoryPipeInit>
  #listener: PipeListener | undefined
  #arriving: Happening[] = []
  #arrivingBytes = 0
  #isScheduled = false
  #hasEnded = false
  #isOver = false

  constructor(init: MemoryPipeInit) {
    this.#init = { highWaterBytes: 1 << 20, pieceBytes: 64 * 1024, ...init }
  }

  static pair(init: MemoryPipeInit = {}): [MemoryPipe, MemoryPipe] {
    const left = new MemoryPipe(init)
    const right = new MemoryPipe(init)
    left.#other = right
    right.#other = left
    return [left, right]
  }

  /** Bytes on their way to this end. */
  get arrivingBytes(): number {
    return this.#arrivingBytes
  }

  listen(listener: PipeListener): void {
    this.#listener = listener
    this.#deliverSoon()
  }

  send(bytes: Uint8Array): boolean {
    this.writes++
    if (this.#isOver || this.#hasEnded) return false
    const { pieceBytes } = this.#init
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      this.#other.#arrive({ bytes: bytes.slice(at, at + pieceBytes) })
    }
    return this.#other.#arrivingBytes <= this.#init.highWaterBytes
  }

  close(): void {
    if (this.#hasEnded || this.#isOver) return
    this.#hasEnded = true
    this.#other.#arrive('end')
    if (this.#other.#hasEnded) for (const end of [this, this.#other]) end.#arrive('closed')
  }

  abort(): void {
    if (this.#isOver) return
    for (const end of [this, this.#other]) {
      end.#isOver = true
      end.#arrive('closed')
    }
  }

  /** Lets arrive what was held back. */
  flow(): void {
    this.isHeld = false
    this.#deliverSoon()
  }

  #arrive(happening: Happening): void {
    this.#arriving.push(happening)
    if (typeof happening === 'object') this.#arrivingBytes += happening.bytes.length
    this.#deliverSoon()
  }

  #deliverSoon(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      if (this.isHeld || !this.#listener) return
      this.#deliver(this.#listener)
    })
  }

  #deliver(listener: PipeListener): void {
    const wasFull = this.#arrivingBytes > this.#init.highWaterBytes
    for (const happening of this.#arriving.splice(0)) {
      if (happening === 'end') listener.end()
      else if (happening === 'closed') listener.closed()
      else {
        this.#arrivingBytes -= happening.bytes.length
        listener.bytes(happening.bytes)
      }
    }
    if (wasFull && !this.#isOver) this.#other.#listener?.drain()
  }
}
