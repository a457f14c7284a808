import type { BytePipe, PipeListener } from '../../src/machine/transport/byte-pipe.ts'

/** Counts the writes to another pipe. */
export class CountingPipe implements BytePipe {
  writes = 0
  readonly #pipe: BytePipe

  constructor(pipe: BytePipe) {
    this.#pipe = pipe
  }

  listen(listener: PipeListener): void {
    this.#pipe.listen(listener)
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
