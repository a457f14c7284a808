/**
 * Room for the day the disk is full. A file of real bytes is given up then, so that the store can be
 * opened and cleaned; and it is made again when space is back.
 * @module
 */

import { statfsSync } from 'node:fs'
import { open, stat, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock, Scheduler } from '../util/clock.ts'
import { AbzuError } from '../util/errors.ts'
import type { Log } from '../util/log.ts'
import { syncDirectory } from './private-directory.ts'
import type { StoreLimits } from './store-limits.ts'

export interface BallastDeps {
  readonly random: (length: number) => Uint8Array
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly scheduler: Pick<Scheduler, 'after'>
  readonly log: Log
}

export interface BallastInit {
  readonly dir: string
  readonly limits: Pick<StoreLimits, 'ballastBytes' | 'reserveBytes'>
}

const ballastName = 'ballast'
const pieceBytes = 1024 * 1024
/** Between two pieces, so that a start is not slowed down by it. */
const restMs = 50
const lookEveryMs = 1000
/** The space that a ballast needs, in its own size: not just what its release has freed. */
const sparedTimes = 1.25
/** With little space left, what an owner needs to clean up still fits: an acknowledgement, a few rows. */
const smallBytes = 16 * 1024

export class Ballast {
  readonly #deps: BallastDeps
  readonly #init: BallastInit
  #state: 'missing' | 'being made' | 'there' | 'closed' = 'missing'
  #isTight = false
  #lookedAtMs = -Infinity
  #making: Promise<void> | undefined
  #stopResting = () => {}

  constructor(deps: BallastDeps, init: BallastInit) {
    this.#deps = deps
    this.#init = init
  }

  /** Free space is low: no items are to be taken, and what is removed should be compacted away. */
  get isTight(): boolean {
    this.#look()
    return this.#isTight
  }

  /** Gives the space up where there is less beside it: LevelDB may need as much for a merge, and a merge
   *  that fails for want of space ends all writes, removals too. */
  async releaseIfNeeded(): Promise<void> {
    if (this.#freeBytes() < this.#init.limits.ballastBytes) await this.#release()
  }

  /** Starts to make the file where it is missing and there is space for it. */
  async restore(): Promise<void> {
    const bytes = await stat(this.#path).then(
      ({ size }) => size,
      () => 0,
    )
    if (bytes >= this.#init.limits.ballastBytes) this.#state = 'there'
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

  /** @throws {AbzuError} ABZU_DISK_FULL where there is less than that, the reserve included */
  expectFree(bytes: number): void {
    if (this.#freeBytes() < bytes) {
      throw new AbzuError('ABZU_DISK_FULL', 'there is no space to tidy up in')
    }
  }

  /** A file that is not finished goes away. */
  async close(): Promise<void> {
    this.#state = 'closed'
    this.#stopResting()
    await this.#making
  }

  get #path(): string {
    return join(this.#init.dir, ballastName)
  }

  async #release(): Promise<void> {
    try {
      await unlink(this.#path)
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') return
      throw error
    }
    await syncDirectory(this.#init.dir)
    this.#deps.log.warn('ballast-released')
  }

  #freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.#init.dir)
    return bavail * bsize
  }

  #look(): void {
    const nowMs = this.#deps.clock.monotonicMs()
    if (nowMs - this.#lookedAtMs < lookEveryMs) return
    this.#lookedAtMs = nowMs
    const { ballastBytes, reserveBytes } = this.#init.limits
    const lackingBytes = this.#state === 'missing' ? ballastBytes * sparedTimes : 0
    this.#isTight = this.#freeBytes() < reserveBytes + lackingBytes
    if (this.#isTight || this.#state !== 'missing') return
    this.#state = 'being made'
    this.#making = this.#make()
  }

  async #make(): Promise<void> {
    try {
      const handle = await open(this.#path, 'w', 0o600)
      try {
        await this.#write(handle)
        await handle.sync()
      } finally {
        await handle.close()
      }
      if (this.#state === 'being made') this.#state = 'there'
      else await unlink(this.#path)
    } catch (error) {
      this.#deps.log.warn('ballast-missing', { error: error as Error })
      if (this.#state === 'being made') this.#state = 'missing'
      await unlink(this.#path).catch((cause: Error) => {
        this.#deps.log.warn('ballast-not-removed', { error: cause })
      })
    }
  }

  async #write(handle: FileHandle): Promise<void> {
    const { ballastBytes } = this.#init.limits
    for (let left = ballastBytes; left > 0 && this.#state === 'being made'; left -= pieceBytes) {
      if (left < ballastBytes) await this.#rest()
      await handle.write(this.#deps.random(Math.min(left, pieceBytes)))
    }
  }

  async #rest(): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#deps.scheduler.after(restMs, resolve)
      this.#stopResting = () => {
        cancel()
        resolve()
      }
    })
  }
}
