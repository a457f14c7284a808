/**
 * The machine's clock, doubted after a jump. A wall clock that moved by more than a day against the monotonic
 * clock, or against the time that the node last wrote down, may be wrong by years: until the owner or two
 * peers confirm it, nothing that is kept for a time is over before it would have been without the jump.
 * @see docs/adr/0012-time-that-is-doubted.md
 * @module
 */

import type { Table } from '../../base/store/table.ts'
import type { PeerId } from '../../base/util/brand.ts'
import { utf8 } from '../../base/util/bytes.ts'
import type { Cancel, Clock, Scheduler } from '../../base/util/clock.ts'
import { toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import { setNewest } from '../../base/util/newest.ts'
import { encode } from '../../base/wire/codec.ts'
import { decodeShape, literal, record, uint } from '../../base/wire/shape.ts'

export interface ClockWatchDeps {
  /** The machine's own. */
  readonly clock: Clock
  readonly scheduler: Pick<Scheduler, 'after'>
  readonly table: Table
  readonly log: Log
}

/** What is known of a jump. */
export interface ClockDoubt {
  /** From the time that was expected to what the clock says; negative where it went back. */
  readonly jumpMs: number
  readonly since: 'restart' | 'running'
  /** Peers that agree with the clock, of the two that are needed. */
  readonly witnesses: number
}

const jumpMsMax = 86_400_000
const lookEveryMs = 60_000
/** A crash forgets this much at most. */
const saveEveryMs = 600_000
/** How far a peer's time may be from ours to confirm it: everything is kept for hours at least. */
const agreementMs = 3_600_000
const witnessesNeeded = 2
const witnessesMax = 16
/** No clock says less unless it was never set: this version is younger. */
export const plausibleFromMs = Date.UTC(2026, 0, 1)

const rowKey = utf8('last')
const rowShape = record({ v: literal(1), atMs: uint() })

export class ClockWatch implements Clock {
  readonly #deps: ClockWatchDeps
  /** A time that was trusted, and the monotonic clock then. */
  #anchor: { readonly wallMs: number; readonly monotonicMs: number }
  #since: ClockDoubt['since'] | undefined
  /** Peers' wall clocks, less our monotonic clock. */
  readonly #witnesses = new Map<PeerId, number>()
  readonly #listeners = new Set<() => void>()
  #savedAtMs: number
  #cancel: Cancel

  /** Compares the clock with what the node last wrote down. */
  static open(deps: ClockWatchDeps): ClockWatch {
    const row = deps.table.get(rowKey)
    return new ClockWatch(deps, row && decodeShape(rowShape, row, 'clock row').atMs)
  }

  private constructor(deps: ClockWatchDeps, lastMs: number | undefined) {
    const { clock } = deps
    this.#deps = deps
    const monotonicMs = clock.monotonicMs()
    this.#anchor = { wallMs: lastMs ?? clock.nowMs(), monotonicMs }
    this.#savedAtMs = lastMs === undefined ? Number.NEGATIVE_INFINITY : monotonicMs
    this.#observe('restart')
    this.#cancel = this.#again()
  }

  nowMs(): number {
    return this.#deps.clock.nowMs()
  }

  monotonicMs(): number {
    return this.#deps.clock.monotonicMs()
  }

  /** @see Clock.doubt */
  doubt(): { earliestMs: number; latestMs: number } | undefined {
    const { wallMs, expectedMs } = this.#observe('running')
    if (this.#since === undefined) return undefined
    return { earliestMs: Math.min(wallMs, expectedMs), latestMs: Math.max(wallMs, expectedMs) }
  }

  /** Why the time is doubted; undefined where it is not. */
  get state(): ClockDoubt | undefined {
    const { wallMs, expectedMs } = this.#observe('running')
    if (this.#since === undefined) return undefined
    const witnesses = this.#agreeing().length
    return { jumpMs: wallMs - expectedMs, since: this.#since, witnesses }
  }

  /** Calls `listener` when the time begins to be doubted. It must not throw. */
  watch(listener: () => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The owner says that the clock is right. Resolves after fsync.
   *  @throws {AbzuError} those of the store */
  async confirm(): Promise<void> {
    this.#trust('owner')
    await this.#save()
  }

  /** A peer that this node has chosen itself says what time it is. */
  witness(peer: PeerId, theirMs: number): void {
    setNewest(this.#witnesses, [peer, theirMs - this.monotonicMs()], witnessesMax)
    this.#observe('running')
    if (this.#since !== undefined && this.#agreeing().length >= witnessesNeeded) {
      this.#trust('peers')
      void this.#save().catch((error: unknown) => this.#notSaved(error))
    }
  }

  /** Writes down the time. */
  async close(): Promise<void> {
    this.#cancel()
    this.#observe('running')
    await this.#save().catch((error: unknown) => this.#notSaved(error))
  }

  #agreeing(): PeerId[] {
    const nowMs = this.nowMs()
    const monotonicMs = this.monotonicMs()
    return [...this.#witnesses]
      .filter(([, offsetMs]) => Math.abs(offsetMs + monotonicMs - nowMs) <= agreementMs)
      .map(([peer]) => peer)
  }

  /** Follows the clock where it goes on as expected, and begins to doubt it where it does not. */
  #observe(since: ClockDoubt['since']): { wallMs: number; expectedMs: number } {
    const wallMs = this.nowMs()
    const monotonicMs = this.monotonicMs()
    const expectedMs = this.#anchor.wallMs + monotonicMs - this.#anchor.monotonicMs
    const wasNeverSet = expectedMs < plausibleFromMs && wallMs >= plausibleFromMs
    if (Math.abs(wallMs - expectedMs) <= jumpMsMax || wasNeverSet) {
      if (this.#since !== undefined) this.#deps.log.info('clock-trusted', { by: 'itself' })
      this.#since = undefined
      this.#anchor = { wallMs, monotonicMs }
      return { wallMs, expectedMs: wallMs }
    }
    if (this.#since === undefined) {
      this.#since = since
      const hours = Math.round((wallMs - expectedMs) / 3_600_000)
      this.#deps.log.warn('clock-doubted', { since, hours })
      for (const listener of this.#listeners) listener()
    }
    return { wallMs, expectedMs }
  }

  #trust(by: 'owner' | 'peers'): void {
    if (this.#since !== undefined) this.#deps.log.info('clock-trusted', { by })
    this.#since = undefined
    this.#anchor = { wallMs: this.nowMs(), monotonicMs: this.monotonicMs() }
  }

  #again(): Cancel {
    return this.#deps.scheduler.after(lookEveryMs, () => {
      this.#observe('running')
      if (this.monotonicMs() - this.#savedAtMs >= saveEveryMs) {
        this.#save().catch((error: unknown) => this.#notSaved(error))
      }
      this.#cancel = this.#again()
    })
  }

  /** Only a time that is trusted: a doubt outlives a restart. */
  async #save(): Promise<void> {
    const { wallMs, monotonicMs } = this.#anchor
    const trustedMs = wallMs + this.monotonicMs() - monotonicMs
    this.#savedAtMs = this.monotonicMs()
    const atMs = Math.max(0, Math.floor(trustedMs))
    await this.#deps.table.put(rowKey, encode({ v: 1, atMs }))
  }

  #notSaved(error: unknown): void {
    this.#deps.log.warn('clock-not-saved', { error: toAbzuError(error) })
  }
}
