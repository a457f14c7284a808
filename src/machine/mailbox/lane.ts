/**
 * The way to one home: everything queued for it, one stream, and patience. A lane does something when
 * a letter is added, an answer comes, a timer fires or the home connects; it never polls.
 * @module
 */

import type { ItemId } from '../../base/util/brand.ts'
import {
  type Cancel,
  type Clock,
  earliestMs,
  hourMs,
  type Scheduler,
} from '../../base/util/clock.ts'
import { toAbzuError, type ErrorCode } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import { backoffMs, refusalMs } from './backoff.ts'
import type { Answer, Handover, Parcel } from './courier.ts'

/** A queued letter; its bytes stay on the disk until they are sent. */
export interface Letter {
  /** Place in the outbox: the order of posting. */
  readonly seq: number
  readonly id: ItemId
  readonly expiresAtHours: number
}

export interface LaneDeps {
  readonly clock: Clock
  readonly scheduler: Scheduler
  /** A fraction from 0 to 1. */
  readonly jitter: () => number
  readonly log: Log
  readonly connect: (signal: AbortSignal) => Promise<Handover>
  readonly load: (letter: Letter) => Parcel
  /** The ms until the outbound limits let one more letter go; 0 takes it. */
  readonly pace: () => number
  /** Told once for each letter. Never rejects. */
  readonly settle: (letter: Letter, outcome: Answer | { kind: 'expired' }) => void
}

/** Letters in flight to one home. Half of what a host accepts on a stream. */
const windowMax = 256
/** An idle stream is ended. */
const idleMs = 60_000

/** Refusals that time may heal; any other is final. */
const passing: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ABZU_RATE_LIMITED',
  'ABZU_QUOTA_EXCEEDED',
  'ABZU_OVERLOADED',
  'ABZU_STORE_FAILED',
  'ABZU_DISK_FULL',
  'ABZU_INTERNAL',
])

/** Of those, what a home says of itself, not of one mailbox: no other letter would fare better. */
const ofWholeHome: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ABZU_OVERLOADED',
  'ABZU_STORE_FAILED',
  'ABZU_DISK_FULL',
  'ABZU_INTERNAL',
])

type Refusal = Extract<Answer, { kind: 'refused' }>

export class Lane {
  readonly #deps: LaneDeps
  readonly #closing = new AbortController()
  /** To be sent now, in order. */
  #ready: Letter[] = []
  /** To be sent from a time on, ms of the monotonic clock. */
  readonly #deferred = new Map<Letter, number>()
  /** How often in a row a letter was refused. */
  readonly #refusals = new WeakMap<Letter, number>()
  /** How often in a row the home refused everything, and until when it is left alone, monotonic ms. */
  #homeRefusals = 0
  #leftAloneUntilMs = 0
  #inFlight = 0
  #handover: Handover | undefined
  /** It failed, which counts once for all that was on its way. */
  #lost: Handover | undefined
  #isConnecting = false
  /** Attempts that failed in a row, and when the first of them was. */
  #failures = 0
  #failingSinceMs = 0
  #retryAtMs = 0
  #cancelTimer: Cancel | undefined

  constructor(deps: LaneDeps) {
    this.#deps = deps
  }

  /** Letters that have no outcome yet. */
  get size(): number {
    return this.#ready.length + this.#deferred.size + this.#inFlight
  }

  add(letter: Letter): void {
    this.#ready.push(letter)
    this.#pump()
  }

  /** The home is there, perhaps after a restart: what waits for another attempt is sent now, and so is what it
   *  refused while it refused everything. */
  wake(): void {
    this.#retryAtMs = 0
    if (this.#homeRefusals > 0)
      for (const letter of this.#deferred.keys()) this.#deferred.set(letter, 0)
    this.#leftAloneUntilMs = 0
    this.#pump()
  }

  /** Letters stay in the outbox. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#cancelTimer?.()
    await this.#handover?.close()
  }

  #pump(): void {
    if (this.#closing.signal.aborted) return
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    const nowMs = this.#deps.clock.monotonicMs()
    this.#recall(nowMs)
    while (this.#ready.length > 0 && this.#inFlight < windowMax) {
      const letter = this.#ready[0] as Letter
      if (this.#isExpired(letter)) {
        this.#ready.shift()
        this.#deps.settle(letter, { kind: 'expired' })
        continue
      }
      if (nowMs < this.#leftAloneUntilMs) return this.#pumpAfter(this.#leftAloneUntilMs - nowMs)
      if (!this.#handover) return this.#connectAfter(this.#retryAtMs - nowMs)
      const waitMs = this.#deps.pace()
      if (waitMs > 0) return this.#pumpAfter(waitMs)
      this.#ready.shift()
      void this.#send(this.#handover, letter)
    }
    this.#rest(nowMs)
  }

  /** Nothing to do now: the timer is for the next deferred letter, or ends an idle stream. */
  #rest(nowMs: number): void {
    if (this.#deferred.size > 0) {
      this.#pumpAfter(Math.min(...this.#deferred.values()) - nowMs)
    } else if (this.size === 0 && this.#handover) {
      const idle = this.#handover
      this.#cancelTimer = this.#deps.scheduler.after(idleMs, () => void idle.close())
    }
  }

  #recall(nowMs: number): void {
    for (const [letter, notBeforeMs] of this.#deferred) {
      if (notBeforeMs > nowMs) continue
      this.#deferred.delete(letter)
      this.#ready.push(letter)
    }
  }

  #isExpired({ expiresAtHours }: Letter): boolean {
    return expiresAtHours * hourMs <= earliestMs(this.#deps.clock)
  }

  #pumpAfter(delayMs: number): void {
    this.#cancelTimer = this.#deps.scheduler.after(Math.max(1, delayMs), () => this.#pump())
  }

  #connectAfter(delayMs: number): void {
    if (this.#isConnecting) return
    if (delayMs > 0) this.#pumpAfter(delayMs)
    else void this.#connect()
  }

  async #connect(): Promise<void> {
    this.#isConnecting = true
    try {
      const handover = await this.#deps.connect(this.#closing.signal)
      this.#handover = handover
      this.#lost = undefined
      void handover.closed.then(() => {
        if (this.#handover === handover) this.#handover = undefined
        // what was on its way comes back next, and says how the attempt went
        if (this.#inFlight === 0) this.#pump()
      })
    } catch (error) {
      this.#failed(error)
    }
    this.#isConnecting = false
    this.#pump()
  }

  #failed(error: unknown): void {
    const { clock, jitter, log } = this.#deps
    const nowMs = clock.monotonicMs()
    if (this.#failures++ === 0) this.#failingSinceMs = nowMs
    const sinceMs = nowMs - this.#failingSinceMs
    this.#retryAtMs = nowMs + backoffMs({ failures: this.#failures, sinceMs, fraction: jitter() })
    log.debug('home-not-reached', { code: toAbzuError(error).code, failures: this.#failures })
  }

  async #send(handover: Handover, letter: Letter): Promise<void> {
    const parcel = this.#load(letter)
    if (!parcel) return
    this.#inFlight++
    try {
      this.#take(letter, await handover.deliver(parcel))
    } catch (error) {
      this.#ready.unshift(letter)
      if (this.#handover === handover) this.#handover = undefined
      if (this.#lost !== handover) {
        this.#lost = handover
        this.#failed(error)
        void handover.close()
      }
    }
    this.#inFlight--
    this.#pump()
  }

  /** A letter whose row is damaged stays on the disk for a repair; the others go on. */
  #load(letter: Letter): Parcel | undefined {
    try {
      return this.#deps.load(letter)
    } catch (error) {
      this.#deps.log.error('letter-unreadable', { error: toAbzuError(error) })
      return undefined
    }
  }

  #take(letter: Letter, answer: Answer): void {
    this.#failures = 0
    if (answer.kind === 'refused' && passing.has(answer.error)) return this.#defer(letter, answer)
    this.#homeRefusals = 0
    this.#deps.settle(letter, answer)
  }

  /** Each refusal in a row doubles the wait: who goes on at the same pace is taken for an attacker. */
  #defer(letter: Letter, { error, retryAfterMs: askedMs }: Refusal): void {
    const { clock, jitter } = this.#deps
    const nowMs = clock.monotonicMs()
    const refusals = (this.#refusals.get(letter) ?? 0) + 1
    this.#refusals.set(letter, refusals)
    this.#deferred.set(letter, nowMs + refusalMs({ refusals, askedMs, fraction: jitter() }))
    // the rest of what was in flight says nothing new
    if (!ofWholeHome.has(error) || nowMs < this.#leftAloneUntilMs) return
    const homeMs = refusalMs({ refusals: ++this.#homeRefusals, askedMs, fraction: jitter() })
    this.#leftAloneUntilMs = nowMs + homeMs
  }
}
