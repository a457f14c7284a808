import type { BytePipe, PipeListener } from '../../src/machine/transport/byte-pipe.ts'

/** Counts the writes to another pipe, and the pieces that arrive by it. */
export class CountingPipe implements BytePipe {
  writes = 0
  reads = 0
  readonly #pipe: BytePipe

  constructor(pipe: BytePipe) {
    this.#pipe = pipe
  }

  listen(listener: PipeListener): void {
    this.#pipe.listen({
      bytes: (chunk) => {
        this.reads++
        listener.bytes(chunk)
      },
      drain: () => listener.drain(),
      end: () => listener.end(),
      closed: () => listener.closed(),
    })
  }

  send(bytes: Uint8Array): boolean {
    this.writes++
    return this.#pipe.send(bytes)
  }

  close(): void {
    this.#pipe.close()
  }

  abort(): void {
    this.#pipe.abort()
  }
}
