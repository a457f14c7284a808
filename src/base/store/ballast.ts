/**
 * Room for the day the disk is full. A file of real bytes is given up then, so that the store can be
 * opened and cleaned; and it is made again when space is back.
 * @module
 */

import { statfsSync } from 'node:fs'
import { open, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../util/clock.ts'
import { AbzuError } from '../util/errors.ts'
import type { Log } from '../util/log.ts'
import { syncDirectory } from './private-directory.ts'
import type { StoreLimits } from './store-limits.ts'

export interface BallastDeps {
  readonly random: (length: number) => Uint8Array
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly log: Log
}

export interface BallastInit {
  readonly dir: string
  readonly limits: Pick<StoreLimits, 'ballastBytes' | 'reserveBytes'>
}

const ballastName = 'ballast'
const pieceBytes = 64 * 1024
const lookEveryMs = 1000
/** With the ballast gone, what an owner needs to clean up still fits: an acknowledgement, a few rows. */
const smallBytes = 16 * 1024

export class Ballast {
  readonly #deps: BallastDeps
  readonly #init: BallastInit
  #isThere = false
  #isTight = false
  #lookedAtMs = -Infinity
  #making: Promise<void> | undefined

  constructor(deps: BallastDeps, init: BallastInit) {
    this.#deps = deps
    this.#init = init
  }

  /** The disk is low on space: what is removed should be compacted away. */
  get isTight(): boolean {
    this.#look()
    return this.#isTight
  }

  /** Gives the space up. Returns whether there was any. */
  async release(): Promise<boolean> {
    this.#isThere = false
    try {
      await unlink(this.#path)
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') return false
      throw error
    }
    await syncDirectory(this.#init.dir)
    this.#deps.log.warn('ballast-released', { bytes: this.#init.limits.ballastBytes })
    return true
  }

  /** Starts to make the file where it is missing and there is space for it. */
  async restore(): Promise<void> {
    const bytes = await stat(this.#path).then(
      ({ size }) => size,
      () => 0,
    )
    this.#isThere = bytes >= this.#init.limits.ballastBytes
    this.#lookedAtMs = -Infinity
    this.#look()
  }

  /** @throws {AbzuError} ABZU_DISK_FULL where there is no room for a write that adds so many bytes */
  expectRoom(bytes: number): void {
    this.#look()
    if (this.#isTight && bytes > smallBytes) {
      throw new AbzuError('ABZU_DISK_FULL', 'the disk is full, or nearly so')
    }
  }

  /** Waits for a file that is being made. */
  async close(): Promise<void> {
    await this.#making
  }

  get #path(): string {
    return join(this.#init.dir, ballastName)
  }

  get #neededBytes(): number {
    const { ballastBytes, reserveBytes } = this.#init.limits
    return reserveBytes + (this.#isThere ? 0 : ballastBytes)
  }

  #freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.#init.dir)
    return bavail * bsize
  }

  #look(): void {
    const nowMs = this.#deps.clock.monotonicMs()
    if (nowMs - this.#lookedAtMs < lookEveryMs) return
    this.#lookedAtMs = nowMs
    this.#isTight = this.#freeBytes() < this.#neededBytes
    if (!this.#isTight && !this.#isThere) {
      this.#making ??= this.#make().finally(() => (this.#making = undefined))
    }
  }

  async #make(): Promise<void> {
    try {
      const handle = await open(this.#path, 'w', 0o600)
      try {
        for (let left = this.#init.limits.ballastBytes; left > 0; left -= pieceBytes) {
          await handle.write(this.#deps.random(Math.min(left, pieceBytes)))
        }
        await handle.sync()
      } finally {
        await handle.close()
      }
      this.#isThere = true
    } catch (error) {
      this.#isTight = true
      this.#deps.log.warn('ballast-missing', { error: error as Error })
      await unlink(this.#path).catch((cause: Error) => {
        this.#deps.log.warn('ballast-not-removed', { error: cause })
      })
    }
  }
}
