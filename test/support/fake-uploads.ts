/** Files on their way in, in memory. @module */

import { AbzuError } from '../../src/base/util/errors.ts'
import type { UploadsService } from '../../src/surface/api/services.ts'

export class FakeUploads implements UploadsService {
  readonly #files = new Map<string, Uint8Array>()
  /** Files that are there. */
  get size(): number {
    return this.#files.size
  }

  begin = async () => {
    const id = String(this.#files.size).padStart(32, '0')
    this.#files.set(id, new Uint8Array())
    return id
  }
  append = async (id: string, { at, piece }: { at: number; piece: Uint8Array }) => {
    const before = this.#file(id)
    if (at !== before.length) throw new AbzuError('ABZU_INVALID_ARGUMENT', 'another place')
    this.#files.set(id, Buffer.concat([before, piece]))
    return at + piece.length
  }
  take = async <T>(id: string, work: (read: () => AsyncIterable<Uint8Array>) => Promise<T>) => {
    const file = this.#file(id)
    this.#files.delete(id)
    return work(() => pieces([file]))
  }

  #file(id: string): Uint8Array {
    const file = this.#files.get(id)
    if (!file) throw new AbzuError('ABZU_NOT_FOUND', 'no such file')
    return file
  }
}

/** Bytes in parts; an error among them breaks them off. */
export async function* pieces(parts: readonly (Uint8Array | Error)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    if (part instanceof Error) throw part
    yield part
  }
}
