/**
 * Files on their way in, piece by piece: a file is read twice before anything is done with it, and may be larger than
 * memory. None outlives the daemon, or the minutes in which nobody goes on with it.
 * @module
 */

import { createReadStream } from 'node:fs'
import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { toHex } from '../../base/util/bytes.ts'
import type { Cancel, Scheduler } from '../../base/util/clock.ts'
import { AbzuError, isAbzuError } from '../../base/util/errors.ts'
import { exportLimits } from '../../base/wire/export.ts'
import { apiLimits } from './api-limits.ts'

export interface UploadsDeps {
  readonly random: (length: number) => Uint8Array
  readonly scheduler: Scheduler
}

interface Upload {
  readonly path: string
  bytes: number
  isBusy: boolean
  /** Of the timer that drops it. */
  cancel: Cancel
}

export class Uploads {
  readonly #deps: UploadsDeps
  readonly #dir: string
  readonly #open = new Map<string, Upload>()
  #isFresh = false

  /** @param dir need not exist yet; what an earlier daemon has left there goes with the first upload */
  constructor(deps: UploadsDeps, dir: string) {
    this.#deps = deps
    this.#dir = dir
  }

  /** Begins a file of no bytes.
   *  @throws {AbzuError} ABZU_OVERLOADED, ABZU_IO */
  async begin(): Promise<string> {
    if (this.#open.size >= apiLimits.uploadsMax) {
      throw new AbzuError('ABZU_OVERLOADED', 'other files are being brought in: try again soon')
    }
    const id = toHex(this.#deps.random(16))
    const path = join(this.#dir, id)
    this.#open.set(id, { path, bytes: 0, isBusy: false, cancel: this.#dropLater(id) })
    try {
      return await this.#using(id, async () => this.#create(id, path))
    } catch (error) {
      await this.drop(id)
      throw error
    }
  }

  async #create(id: string, path: string): Promise<string> {
    if (!this.#isFresh) await rm(this.#dir, { recursive: true, force: true })
    this.#isFresh = true
    await mkdir(this.#dir, { recursive: true, mode: 0o700 })
    await (await open(path, 'wx', 0o600)).close()
    return id
  }

  /** Adds a piece that begins at byte `at`; one that is there already is not added again.
   *  @returns the bytes that are there
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_INVALID_ARGUMENT where it begins elsewhere, ABZU_TOO_LARGE, ABZU_DISK_FULL,
   *  ABZU_IO */
  async append(id: string, { at, piece }: { at: number; piece: Uint8Array }): Promise<number> {
    return this.#using(id, async (upload) => {
      if (at + piece.length === upload.bytes) return upload.bytes
      if (at !== upload.bytes) {
        throw new AbzuError('ABZU_INVALID_ARGUMENT', `the next piece begins at ${upload.bytes}`)
      }
      if (upload.bytes + piece.length > exportLimits.fileBytesMax) {
        throw new AbzuError('ABZU_TOO_LARGE', 'no export is as large as this file')
      }
      await using file = await open(upload.path, 'a')
      await file.writeFile(piece)
      upload.bytes += piece.length
      return upload.bytes
    })
  }

  /** Gives `work` the whole file, to be read from the start as often as it likes, and drops it afterwards.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_IO, those of `work` */
  async take<T>(
    id: string,
    work: (read: () => AsyncIterable<Uint8Array>) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.#using(id, async ({ path }) => work(() => readFile(path)))
    } finally {
      await this.drop(id)
    }
  }

  /** Forgets a file, if it is there. */
  async drop(id: string): Promise<void> {
    const upload = this.#open.get(id)
    if (!upload) return
    upload.cancel()
    this.#open.delete(id)
    // what is left there goes with the next daemon's first upload
    await rm(upload.path, { force: true }).catch(() => undefined)
  }

  async #using<T>(id: string, work: (upload: Upload) => Promise<T>): Promise<T> {
    const upload = this.#open.get(id)
    if (!upload || upload.isBusy) {
      throw new AbzuError('ABZU_NOT_FOUND', 'there is no such file on its way in')
    }
    upload.cancel()
    upload.isBusy = true
    try {
      return await work(upload)
    } catch (cause) {
      throw failure(cause)
    } finally {
      upload.isBusy = false
      upload.cancel = this.#dropLater(id)
    }
  }

  #dropLater(id: string): Cancel {
    return this.#deps.scheduler.after(apiLimits.uploadIdleMs, () => void this.drop(id))
  }
}

async function* readFile(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path) as AsyncIterable<Uint8Array>
  } catch (cause) {
    throw failure(cause)
  }
}

function failure(cause: unknown): unknown {
  const { code } = cause as NodeJS.ErrnoException
  if (isAbzuError(cause) || typeof code !== 'string' || !/^E[A-Z]+$/.test(code)) return cause
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new AbzuError('ABZU_DISK_FULL', 'there is no room for the file', { cause })
  }
  return new AbzuError('ABZU_IO', 'the file on its way in cannot be used', { cause })
}
