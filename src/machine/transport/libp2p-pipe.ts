/** A libp2p stream as a pipe of bytes. @module */

import type { Stream } from '@libp2p/interface'
import type { Scheduler } from '../../base/util/clock.ts'
import { AbzuError } from '../../base/util/errors.ts'
import type { BytePipe, PipeListener } from './byte-pipe.ts'

/** Bytes come by 'message' events alone: the iterator of a libp2p stream has no back pressure, and its byte
 *  streams reset it once 4 MiB wait. */
export class Libp2pPipe implements BytePipe {
  readonly #stream: Stream
  readonly #scheduler: Pick<Scheduler, 'soon'>
  #isClosed = false

  constructor(stream: Stream, scheduler: Pick<Scheduler, 'soon'>) {
    this.#stream = stream
    this.#scheduler = scheduler
  }

  listen(listener: PipeListener): void {
    const stream = this.#stream
    const onClosed = () => {
      if (this.#isClosed) return
      this.#isClosed = true
      listener.closed()
    }
    stream.addEventListener('message', ({ data }) => {
      if (data instanceof Uint8Array) listener.bytes(plain(data))
      else for (const part of data) listener.bytes(plain(part))
    })
    stream.addEventListener('drain', () => listener.drain())
    stream.addEventListener('end', () => listener.end())
    stream.addEventListener('close', onClosed)
    // what happened before is told after the bytes that wait, which come in a microtask
    this.#scheduler.soon(() => {
      if (stream.readableEnded && !this.#isClosed) listener.end()
      if (stream.status !== 'open' && stream.status !== 'closing') onClosed()
    })
  }

  send(bytes: Uint8Array): boolean {
    if (this.#stream.writeStatus !== 'writable') return false
    try {
      return this.#stream.send(bytes)
    } catch (error) {
      // the connection below is gone; 'close' says so in a moment
      this.#stream.abort(toError(error))
      return false
    }
  }

  close(): void {
    this.#stream.close().catch((error: unknown) => {
      this.#stream.abort(toError(error))
    })
  }

  abort(): void {
    this.#stream.abort(new AbzuError('ABZU_CLOSED', 'reset'))
  }
}

/** The same bytes as no Buffer, whose `slice` does not copy. */
function plain(bytes: Uint8Array): Uint8Array {
  const { buffer, byteOffset, length } = bytes
  return bytes.constructor === Uint8Array ? bytes : new Uint8Array(buffer, byteOffset, length)
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error('a libp2p stream failed', { cause: error })
}
