/**
 * Keeps records where they can be found: those of the mailboxes hosted here, when they change and every half
 * day, and those held for others that nobody else has offered again. No user key is needed: a locked account's
 * last record is offered as it is.
 * @see docs/protocol.md#directory
 * @module
 */

import type { MailboxId } from '../../base/util/brand.ts'
import { mapKey, toHex } from '../../base/util/bytes.ts'
import { type Cancel, type Clock, hourMs, type Scheduler } from '../../base/util/clock.ts'
import { toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import type { Directory } from './directory.ts'
import type { DirectoryLimits } from './directory-limits.ts'
import type { HeldRecords } from './held-records.ts'

export interface RecordPublisherDeps {
  readonly directory: Pick<Directory, 'publish'>
  readonly held: Pick<HeldRecords, 'neglected' | 'sweep'>
  readonly hosted: {
    /** Every mailbox hosted here. */
    hosted(): AsyncIterable<{ readonly mailbox: MailboxId }>
    /** Calls `listener` when a mailbox's record has changed, and is durable. */
    watchRecords(listener: (mailbox: MailboxId) => void): Cancel
  }
  readonly limits: DirectoryLimits
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly scheduler: Scheduler
  readonly random: (length: number) => Uint8Array
  readonly log: Log
}

interface Due {
  readonly mailbox: MailboxId
  atMs: number
  /** Monotonic, ms: when it last reached somebody, or was first due. */
  reachedAtMs: number
  /** Publications in a row that reached nobody. */
  failures: number
}

const roundMs = 600_000
const sweepRows = 500
/** Publications in a row that reach nobody, after which it is the mesh that is not there: what else is due waits as
 *  well. */
const vainMax = 8

export class RecordPublisher {
  readonly #deps: RecordPublisherDeps
  readonly #due = new Map<string, Due>()
  #stopWatching: Cancel | undefined
  #cancelNext: Cancel | undefined
  #cancelRound: Cancel | undefined
  #isRunning = false
  #isClosed = false

  constructor(deps: RecordPublisherDeps) {
    this.#deps = deps
  }

  /** Publishes everything soon, and again from now on. */
  async start(): Promise<void> {
    const { hosted, scheduler } = this.#deps
    this.#stopWatching = hosted.watchRecords((mailbox) => this.#soon(mailbox))
    for await (const { mailbox } of hosted.hosted()) this.#add(mailbox)
    this.#plan()
    this.#cancelRound = scheduler.after(roundMs, () => void this.#round())
  }

  close(): void {
    this.#isClosed = true
    this.#stopWatching?.()
    this.#cancelNext?.()
    this.#cancelRound?.()
  }

  /** The mesh has become reachable: what reached nobody is offered again now. */
  retry(): void {
    const nowMs = this.#deps.clock.monotonicMs()
    for (const due of this.#due.values()) if (due.failures > 0) due.atMs = nowMs
    this.#plan()
  }

  /** A mailbox that is hosted here no more. */
  forget(mailbox: MailboxId): void {
    this.#due.delete(mapKey(mailbox))
  }

  /** Hours since another node took the record of a mailbox hosted here; where none has yet, since the start.
   *  Undefined where the mailbox is not known. */
  hoursSincePublished(mailbox: MailboxId): number | undefined {
    const due = this.#due.get(mapKey(mailbox))
    return due && (this.#deps.clock.monotonicMs() - due.reachedAtMs) / hourMs
  }

  #soon(mailbox: MailboxId): void {
    this.#add(mailbox)
    this.#planAt(this.#deps.clock.monotonicMs())
  }

  #add(mailbox: MailboxId): void {
    const atMs = this.#deps.clock.monotonicMs()
    const { reachedAtMs = atMs } = this.#due.get(mapKey(mailbox)) ?? {}
    this.#due.set(mapKey(mailbox), { mailbox, atMs, reachedAtMs, failures: 0 })
  }

  /** Looks through all that is due some day. */
  #plan(): void {
    let firstMs = Number.POSITIVE_INFINITY
    for (const { atMs } of this.#due.values()) firstMs = Math.min(firstMs, atMs)
    if (firstMs < Number.POSITIVE_INFINITY) this.#planAt(firstMs)
  }

  /** Nothing is due before `atMs`. */
  #planAt(atMs: number): void {
    if (this.#isClosed || this.#isRunning) return
    this.#cancelNext?.()
    const delayMs = Math.max(0, atMs - this.#deps.clock.monotonicMs())
    this.#cancelNext = this.#deps.scheduler.after(delayMs, () => void this.#run())
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    const nowMs = this.#deps.clock.monotonicMs()
    const jitter = this.#jitter()
    let vain = 0
    for (const due of [...this.#due.values()].filter(({ atMs }) => atMs <= nowMs)) {
      if (this.#isClosed) break
      if (vain >= vainMax) {
        this.#postpone(due, jitter)
        continue
      }
      vain = (await this.#publish(due)) ? 0 : vain + 1
    }
    this.#isRunning = false
    this.#plan()
  }

  /** Resolves to whether it reached anybody. */
  async #publish(due: Due): Promise<boolean> {
    const { directory, limits, clock, log } = this.#deps
    const mailbox = toHex(due.mailbox.subarray(0, 8))
    let reached = 0
    try {
      const { held, stale, forks, refused } = await directory.publish(due.mailbox)
      reached = held + stale + forks
      log.debug('record-published', { mailbox, held, stale, forks, refused })
    } catch (error) {
      log.warn('record-not-published', { mailbox, error: toAbzuError(error) })
    }
    const current = this.#due.get(mapKey(due.mailbox))
    if (reached > 0 && current) current.reachedAtMs = clock.monotonicMs()
    // a change that came meanwhile has its own turn
    if (current !== due) return reached > 0
    if (reached > 0) {
      due.failures = 0
      due.atMs = clock.monotonicMs() + limits.republishMs * this.#jitter()
    } else {
      this.#postpone(due, this.#jitter())
      // others have their turn before it
      this.#due.delete(mapKey(due.mailbox))
      this.#due.set(mapKey(due.mailbox), due)
    }
    return reached > 0
  }

  #postpone(due: Due, jitter: number): void {
    const { clock, limits } = this.#deps
    due.failures++
    const pauseMs = limits.retryMinMs * 2 ** Math.min(due.failures - 1, 20)
    due.atMs = clock.monotonicMs() + Math.min(limits.retryMaxMs, pauseMs) * jitter
  }

  /** Records of others, and what is over. */
  async #round(): Promise<void> {
    const { directory, held, limits, scheduler, log } = this.#deps
    try {
      for (const mailbox of held.neglected(limits.heldRepublishedMax)) {
        if (this.#isClosed) return
        await directory.publish(mailbox)
      }
      await held.sweep(sweepRows)
    } catch (error) {
      log.warn('held-records-not-tended', { error: toAbzuError(error) })
    }
    if (this.#isClosed) return
    const delayMs = roundMs * this.#jitter()
    this.#cancelRound = scheduler.after(delayMs, () => void this.#round())
  }

  /** From 0.9 to 1.1. */
  #jitter(): number {
    return 0.9 + (0.2 * (this.#deps.random(1)[0] as number)) / 255
  }
}
