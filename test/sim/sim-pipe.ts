import type { BytePipe, PipeListener } from '../../src/machine/transport/byte-pipe.ts'

type Happening = { readonly bytes: Uint8Array } | 'end' | 'closed'

/** How one direction of a stream behaves. */
export interface Wire {
  /** Calls `arrive` after the time that it takes; never where the bytes are lost. */
  carry(bytes: Uint8Array | undefined, arrive: () => void): void
}

const highWaterBytes = 1 << 20

/** One end of a stream: ordered bytes over wires that take their time. */
export class SimPipe implements BytePipe {
  readonly #wire: Wire
  readonly #onOver: (() => void)[] = []
  #other: SimPipe | undefined
  #listener: PipeListener | undefined
  #early: Happening[] = []
  #onWayBytes = 0
  #hasEnded = false
  #isOver = false

  private constructor(wire: Wire) {
    this.#wire = wire
  }

  /** `there` carries what the first end sends. */
  static pair(there: Wire, back: Wire): [SimPipe, SimPipe] {
    const [left, right] = [new SimPipe(there), new SimPipe(back)]
    left.#other = right
    right.#other = left
    return [left, right]
  }

  /** An end that hears what it is told to, and whose own words go nowhere. */
  static deaf(): SimPipe {
    return new SimPipe({ carry: () => undefined })
  }

  /** Calls `task` when this end is over. */
  onOver(task: () => void): void {
    this.#onOver.push(task)
  }

  listen(listener: PipeListener): void {
    this.#listener = listener
    for (const happening of this.#early.splice(0)) this.#tell(listener, happening)
  }

  send(bytes: Uint8Array): boolean {
    if (this.#isOver || this.#hasEnded) return false
    this.#onWayBytes += bytes.length
    this.#wire.carry(bytes, () => {
      const wasFull = this.#onWayBytes > highWaterBytes
      this.#onWayBytes -= bytes.length
      this.#other?.hear({ bytes })
      if (wasFull && !this.#isOver) this.#listener?.drain()
    })
    return this.#onWayBytes <= highWaterBytes
  }

  close(): void {
    if (this.#hasEnded || this.#isOver) return
    this.#hasEnded = true
    this.#wire.carry(undefined, () => {
      this.#other?.hear('end')
      if (!this.#other || this.#other.#hasEnded) {
        this.hear('closed')
        this.#other?.hear('closed')
      }
    })
  }

  abort(): void {
    if (this.#isOver) return
    const other = this.#other
    this.#wire.carry(undefined, () => other?.hear('closed'))
    this.breakOff()
  }

  /** This end is gone; the other one hears of it by itself. */
  breakOff(): void {
    this.hear('closed')
  }

  hear(happening: Happening): void {
    if (this.#isOver) return
    if (happening === 'closed') {
      this.#isOver = true
      for (const task of this.#onOver) task()
    }
    if (this.#listener) this.#tell(this.#listener, happening)
    else this.#early.push(happening)
  }

  #tell(listener: PipeListener, happening: Happening): void {
    if (happening === 'end') listener.end()
    else if (happening === 'closed') listener.closed()
    else listener.bytes(happening.bytes)
  }
}
