/**
 * The way to one host: everything queued for it, one stream, and patience. A lane does something when
 * a letter is added, an answer comes, a timer fires or the host connects; it never polls.
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
import { LetterQueue } from './letter-queue.ts'
import { Patience } from './patience.ts'

/** A queued letter; its bytes stay on the disk until they are sent. */
export interface Letter {
  /** Place in the outbox: the order of posting. */
  readonly seq: number
  readonly id: ItemId
  /** The sender's mailbox, as the key of a Map. */
  readonly from: string
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
  /** The ms until the outbound limits let this letter go; 0 takes it. */
  readonly pace: (letter: Letter) => number
  /** Told once for each letter, with which the lane is done. */
  readonly settle: (letter: Letter, outcome: Answer | { kind: 'expired' }) => void
  /** Told once for each letter that the host leaves without an answer, though nothing but the host is in its
   *  way. The lane goes on with it. */
  readonly late: (letters: readonly Letter[]) => void
  /** Told when the host, for reasons of the mailbox, refuses a letter for a while. The lane goes on with it. */
  readonly putOff: (letter: Letter) => void
}

/** Letters in flight to one host. Half of what a host accepts on a stream. */
const windowMax = 256
/** Senders that are tried one after the other where each has to wait. */
const sendersMax = 64
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

/** Of those, what a host says of itself, not of one mailbox: no other letter would fare better. */
const ofWholeHost: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'ABZU_OVERLOADED',
  'ABZU_STORE_FAILED',
  'ABZU_DISK_FULL',
  'ABZU_INTERNAL',
])

type Refusal = Extract<Answer, { kind: 'refused' }>

export class Lane {
  readonly #deps: LaneDeps
  readonly #closing = new AbortController()
  /** To be sent now. */
  readonly #ready = new LetterQueue<Letter>()
  /** To be sent from a time on, ms of the monotonic clock. */
  readonly #deferred = new Map<Letter, number>()
  /** How often in a row a letter was refused. */
  readonly #refusals = new WeakMap<Letter, number>()
  /** How often in a row the host refused everything, and until when it is left alone, monotonic ms. */
  #hostRefusals = 0
  #leftAloneUntilMs = 0
  readonly #inFlight = new Set<Letter>()
  /** In flight, and not to be sent again. */
  readonly #withdrawn = new WeakSet<Letter>()
  readonly #patience: Patience<Letter>
  /** What is ready waits for the outbound limits, not for the host. */
  #isPaced = false
  #handover: Handover | undefined
  /** It failed, which counts once for all that was on its way. */
  #brokenOff: Handover | undefined
  #isConnecting = false
  /** Attempts that failed in a row, and when the first of them was. */
  #failures = 0
  #failingSinceMs = 0
  #retryAtMs = 0
  #cancelTimer: Cancel | undefined

  constructor(deps: LaneDeps) {
    this.#deps = deps
    const { clock, scheduler } = deps
    this.#patience = new Patience({ clock, scheduler, late: (letters) => this.#late(letters) })
  }

  /** Letters that have no outcome yet. */
  get size(): number {
    return this.#ready.size + this.#deferred.size + this.#inFlight.size
  }

  /** Nothing is under way: another lane would do as well. */
  get isIdle(): boolean {
    return this.size === 0 && !this.#handover && !this.#isConnecting
  }

  add(letter: Letter): void {
    this.#ready.add(letter)
    if (!this.#isPaced) this.#patience.begin(letter)
    this.#pump()
  }

  /** As `add`, some time from now. */
  addLater(letter: Letter, delayMs: number): void {
    this.#deferred.set(letter, this.#deps.clock.monotonicMs() + delayMs)
    this.#pump()
  }

  /** Forgets a letter. If it is in flight, the answer to it may still be told. */
  withdraw(letter: Letter): void {
    this.#patience.end(letter)
    this.#deferred.delete(letter)
    if (this.#inFlight.has(letter)) this.#withdrawn.add(letter)
    this.#ready.delete(letter)
    this.#pump()
  }

  /** The host is there, perhaps after a restart: what waits for another attempt is sent now, and so is what it
   *  refused while it refused everything. */
  wake(): void {
    this.#retryAtMs = 0
    if (this.#hostRefusals > 0)
      for (const letter of this.#deferred.keys()) this.#deferred.set(letter, 0)
    this.#leftAloneUntilMs = 0
    this.#pump()
  }

  /** Letters stay in the outbox. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#cancelTimer?.()
    this.#patience.close()
    await this.#handover?.close()
  }

  #pump(): void {
    if (this.#closing.signal.aborted) return
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    const nowMs = this.#deps.clock.monotonicMs()
    this.#recall(nowMs)
    while (this.#ready.size > 0 && this.#inFlight.size < windowMax) {
      const aloneMs = this.#leftAloneUntilMs - nowMs
      if (aloneMs > 0 || !this.#handover) {
        this.#endExpired()
        if (this.#ready.size === 0) break
        return aloneMs > 0 ? this.#pumpAfter(aloneMs) : this.#connectAfter(this.#retryAtMs - nowMs)
      }
      const { letter, waitMs } = this.#next()
      if (letter) void this.#send(this.#handover, letter)
      else if (waitMs > 0) return this.#paced(waitMs)
    }
    if (this.#ready.size === 0) this.#isPaced = false
    this.#rest(nowMs)
  }

  /** Takes the next letter that may go, of the sender whose turn it is or of one behind; or says how long all of them
   *  have to wait. */
  #next(): { letter?: Letter; waitMs: number } {
    let leastMs = Infinity
    for (let tries = Math.min(this.#ready.senders, sendersMax); tries > 0; tries--) {
      const letter = this.#ready.first as Letter
      if (this.#isExpired(letter)) {
        this.#end(letter)
        return { waitMs: 0 }
      }
      const waitMs = this.#deps.pace(letter)
      this.#ready.pass()
      leastMs = Math.min(leastMs, waitMs)
      if (waitMs > 0) continue
      this.#ready.delete(letter)
      return { letter, waitMs }
    }
    return { waitMs: leastMs }
  }

  #endExpired(): void {
    for (;;) {
      const expired = this.#ready.heads().filter((letter) => this.#isExpired(letter))
      if (expired.length === 0) return
      for (const letter of expired) this.#end(letter)
    }
  }

  #end(letter: Letter): void {
    this.#ready.delete(letter)
    this.#settle(letter, { kind: 'expired' })
  }

  #paced(waitMs: number): void {
    if (!this.#isPaced) for (const letter of this.#ready) this.#patience.end(letter)
    this.#isPaced = true
    this.#pumpAfter(waitMs)
  }

  /** From now on the host is what everything ready waits for. */
  #stuck(): void {
    this.#isPaced = false
    for (const letter of this.#ready) this.#patience.begin(letter)
  }

  #late(letters: readonly Letter[]): void {
    this.#deps.late(letters)
    if (letters.some((letter) => this.#inFlight.has(letter))) this.#stuck()
  }

  /** Nothing to do now: the timer is for the next deferred letter, or ends an idle stream. */
  #rest(nowMs: number): void {
    const nextMs = Math.min(...this.#deferred.values()) - nowMs
    const isBusy = this.#ready.size > 0 || this.#inFlight.size > 0 || nextMs <= idleMs
    if (this.#handover && !isBusy) {
      const idle = this.#handover
      this.#cancelTimer = this.#deps.scheduler.after(idleMs, () => void idle.close())
    } else if (this.#deferred.size > 0) this.#pumpAfter(nextMs)
  }

  #recall(nowMs: number): void {
    for (const [letter, notBeforeMs] of this.#deferred) {
      if (notBeforeMs > nowMs) continue
      this.#deferred.delete(letter)
      this.#ready.add(letter)
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
      this.#brokenOff = undefined
      void handover.closed.then(() => {
        if (this.#handover === handover) this.#lost()
        // what was on its way comes back next, and says how the attempt went
        if (this.#inFlight.size === 0) this.#pump()
      })
    } catch (error) {
      this.#failed(error)
    }
    this.#isConnecting = false
    this.#pump()
  }

  #lost(): void {
    this.#handover = undefined
    this.#stuck()
  }

  #failed(error: unknown): void {
    const { clock, jitter, log } = this.#deps
    const nowMs = clock.monotonicMs()
    if (this.#failures++ === 0) this.#failingSinceMs = nowMs
    const sinceMs = nowMs - this.#failingSinceMs
    this.#retryAtMs = nowMs + backoffMs({ failures: this.#failures, sinceMs, fraction: jitter() })
    log.debug('host-not-reached', { code: toAbzuError(error).code, failures: this.#failures })
  }

  async #send(handover: Handover, letter: Letter): Promise<void> {
    const parcel = this.#load(letter)
    if (!parcel) return
    this.#inFlight.add(letter)
    this.#patience.begin(letter)
    try {
      const answer = await handover.deliver(parcel)
      this.#inFlight.delete(letter)
      this.#take(letter, answer)
    } catch (error) {
      this.#inFlight.delete(letter)
      if (!this.#withdrawn.has(letter)) this.#ready.addFirst(letter)
      if (this.#handover === handover) this.#lost()
      if (this.#brokenOff !== handover) {
        this.#brokenOff = handover
        this.#failed(error)
        void handover.close()
      }
    }
    this.#pump()
  }

  /** A letter whose row is damaged stays on the disk for a repair; the others go on. */
  #load(letter: Letter): Parcel | undefined {
    try {
      return this.#deps.load(letter)
    } catch (error) {
      this.#deps.log.error('letter-unreadable', { error: toAbzuError(error) })
      this.#patience.end(letter)
      return undefined
    }
  }

  #take(letter: Letter, answer: Answer): void {
    this.#failures = 0
    if (answer.kind === 'refused' && passing.has(answer.error)) return this.#defer(letter, answer)
    this.#hostRefusals = 0
    this.#settle(letter, answer)
  }

  #settle(letter: Letter, outcome: Answer | { kind: 'expired' }): void {
    this.#patience.end(letter)
    this.#deps.settle(letter, outcome)
  }

  /** Each refusal in a row doubles the wait: who goes on at the same pace is taken for an attacker. */
  #defer(letter: Letter, { error, retryAfterMs: askedMs }: Refusal): void {
    if (this.#withdrawn.has(letter)) return
    const { clock, jitter } = this.#deps
    const nowMs = clock.monotonicMs()
    const refusals = (this.#refusals.get(letter) ?? 0) + 1
    this.#refusals.set(letter, refusals)
    this.#deferred.set(letter, nowMs + refusalMs({ refusals, askedMs, fraction: jitter() }))
    if (!ofWholeHost.has(error)) {
      this.#patience.end(letter)
      this.#deps.putOff(letter)
      return
    }
    // the rest of what was in flight says nothing new
    if (nowMs < this.#leftAloneUntilMs) return
    const hostMs = refusalMs({ refusals: ++this.#hostRefusals, askedMs, fraction: jitter() })
    this.#leftAloneUntilMs = nowMs + hostMs
    this.#stuck()
  }
}
