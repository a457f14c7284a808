/** Segments as files of a directory, `segment-00000001` and so on, mode 0600. @module */

import { constants, writevSync } from 'node:fs'
import { open, readdir, stat, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { AbzuError } from '../util/errors.ts'
import { syncDirectory } from './private-directory.ts'
import type { BodyPlace, Segments } from './segments.ts'

const segmentName = /^segment-(\d{8,10})$/
/** Segments held open to be read. */
const handlesMax = 16

/** Whether a file of the store's directory is a segment. */
export function isSegmentFile(name: string): boolean {
  return segmentName.test(name)
}

interface Reader {
  readonly handle: Promise<FileHandle | undefined>
  reads: number
  isForgotten: boolean
}

export class SegmentFiles implements Segments {
  readonly #dir: string
  #writing: { readonly segment: number; readonly handle: FileHandle } | undefined
  /** Least recently opened first. */
  readonly #readers = new Map<number, Reader>()
  #isClosed = false

  constructor(dir: string) {
    this.#dir = dir
  }

  async sizes(): Promise<Map<number, number>> {
    const sizes = new Map<number, number>()
    for (const name of await readdir(this.#dir)) {
      const [, number] = segmentName.exec(name) ?? []
      if (number) sizes.set(Number(number), (await stat(join(this.#dir, name))).size)
    }
    return sizes
  }

  async create(segment: number): Promise<void> {
    try {
      await this.#write(segment, constants.O_CREAT | constants.O_EXCL)
      await syncDirectory(this.#dir)
    } catch (cause) {
      throw unwritable(cause)
    }
  }

  async append({ segment, offset }: BodyPlace, parts: readonly Uint8Array[]): Promise<void> {
    try {
      const handle = await this.#write(segment)
      await writeAll(handle, parts, offset)
      await handle.datasync()
    } catch (cause) {
      throw unwritable(cause)
    }
  }

  async #write(segment: number, flags = 0): Promise<FileHandle> {
    if (this.#isClosed) throw closed()
    if (this.#writing?.segment === segment) return this.#writing.handle
    await this.#writing?.handle.close()
    this.#writing = undefined
    const handle = await open(this.#path(segment), constants.O_WRONLY | flags, 0o600)
    this.#writing = { segment, handle }
    return handle
  }

  async read({ segment, offset }: BodyPlace, bytes: number): Promise<Uint8Array | undefined> {
    if (this.#isClosed) throw closed()
    const reader = this.#reader(segment)
    reader.reads++
    try {
      const handle = await reader.handle
      return handle && (await readAll(handle, { offset, bytes }))
    } catch (cause) {
      const isDamaged = (cause as { code?: unknown }).code === 'EIO'
      const code = isDamaged ? 'ABZU_STORE_DAMAGED' : 'ABZU_IO'
      throw new AbzuError(code, `segment ${segment} cannot be read`, { cause })
    } finally {
      reader.reads--
      if (reader.isForgotten) void this.#closeReader(reader)
    }
  }

  #reader(segment: number): Reader {
    const known = this.#readers.get(segment)
    if (known) return known
    const handle = open(this.#path(segment), 'r').catch((error: unknown) => {
      this.#readers.delete(segment)
      if (isMissing(error)) return undefined
      throw error
    })
    // Who reads hears of it.
    handle.catch(() => {})
    const reader = { handle, reads: 0, isForgotten: false }
    this.#readers.set(segment, reader)
    if (this.#readers.size > handlesMax) this.#forget(this.#readers.keys().next().value as number)
    return reader
  }

  #forget(segment: number): void {
    const reader = this.#readers.get(segment)
    if (!reader) return
    this.#readers.delete(segment)
    reader.isForgotten = true
    void this.#closeReader(reader)
  }

  /** What was only read loses nothing where closing fails. */
  async #closeReader({ handle, reads }: Reader): Promise<void> {
    if (reads > 0) return
    await handle.then(async (file) => file?.close()).catch(() => {})
  }

  async remove(segment: number): Promise<void> {
    this.#forget(segment)
    try {
      await unlink(this.#path(segment))
    } catch (cause) {
      if (!isMissing(cause)) throw new AbzuError('ABZU_IO', 'a segment stays', { cause })
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const segment of this.#readers.keys()) this.#forget(segment)
    await this.#writing?.handle.close()
    this.#writing = undefined
  }

  #path(segment: number): string {
    return join(this.#dir, `segment-${String(segment).padStart(8, '0')}`)
  }
}

async function writeAll(
  handle: FileHandle,
  parts: readonly Uint8Array[],
  offset: number,
): Promise<void> {
  const bytes = parts.reduce((sum, { length }) => sum + length, 0)
  // In this turn: the page cache takes it in a tenth of a millisecond, and another thread would answer no
  // sooner than the loop is free again.
  let done = writevSync(handle.fd, parts, offset)
  if (done === bytes) return
  const whole = Buffer.concat(parts)
  while (done < bytes) {
    const { bytesWritten } = await handle.write(whole, done, bytes - done, offset + done)
    if (bytesWritten === 0) throw new Error('a write that writes nothing')
    done += bytesWritten
  }
}

async function readAll(
  handle: FileHandle,
  { offset, bytes }: { offset: number; bytes: number },
): Promise<Uint8Array> {
  const target = new Uint8Array(bytes)
  let done = 0
  while (done < bytes) {
    const { bytesRead } = await handle.read(target, done, bytes - done, offset + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return target.subarray(0, done)
}

function isMissing(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ENOENT'
}

function closed(): AbzuError {
  return new AbzuError('ABZU_CLOSED', 'the store is closed')
}

function unwritable(cause: unknown): AbzuError {
  if (cause instanceof AbzuError) return cause
  const { code } = cause as { code?: unknown }
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new AbzuError('ABZU_DISK_FULL', 'the disk is full', { cause })
  }
  return new AbzuError('ABZU_STORE_FAILED', 'a write did not become durable', { cause })
}
