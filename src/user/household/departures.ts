/**
 * How accounts leave a node for good: their keys go first, then what those opened.
 * @see docs/protocol.md#leaving
 * @module
 */

import { mailboxIdOf } from '../../base/crypto/address.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import {
  earliestMs,
  hoursOf,
  type Cancel,
  type Clock,
  type Scheduler,
} from '../../base/util/clock.ts'
import { toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import type { DirectoryPort, HostingPort } from '../account/ports.ts'
import type { Serial } from '../account/serial.ts'
import {
  expectNotLastAdmin,
  isHere,
  roleOf,
  summaryOf,
  type AccountSummary,
  type Entry,
} from './entry.ts'
import type { Roster } from './roster.ts'

export interface DeparturesDeps {
  readonly platform: Pick<CryptoPlatform, 'sha256'>
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly log: Log
  readonly roster: Roster
  readonly hosting: Pick<HostingPort, 'leave'>
  readonly directory: Pick<DirectoryPort, 'bequeath'>
  /** Ends an account's work and drops its keys from memory. */
  readonly lock: (entry: Entry) => Promise<void>
  /** Drops what the household has decided for an account. */
  readonly forget: (rootPk: Uint8Array) => Promise<void>
  /** One change of who may do what at a time. */
  readonly changes: Serial
}

/** How long an Adult who was removed has to take everything along. */
const graceHours = 30 * 24
const sweepMs = 3_600_000
const noSecret = new Uint8Array(64)

export class Departures {
  readonly #deps: DeparturesDeps
  #cancel: Cancel | undefined
  #sweeping: Promise<void> = Promise.resolve()

  constructor(deps: DeparturesDeps) {
    this.#deps = deps
  }

  /** Takes up what the last stop cut off, and looks each hour whose time is over. */
  start(): void {
    this.#cancel = this.#deps.scheduler.after(0, () => this.#sweepAndAgain())
  }

  /** Deletes an account, or gives an Adult who does not go of its own will 30 days to leave. Resolves after fsync, with what
   *  the account is from now on; undefined where it is gone.
   *  @param by id of the account that asks for it
   *  @throws {AbzuError} ABZU_DENIED (the last Admin), those of the store */
  async remove(entry: Entry, by: string | undefined): Promise<AccountSummary | undefined> {
    const { roster, clock, changes } = this.#deps
    return changes.run(async () => {
      const livesHere = !entry.row.isAnnounced
      if (livesHere && roleOf(entry) === 'adult' && entry.id !== by) {
        const leavesAtHours = hoursOf(clock.nowMs()) + graceHours
        const { row } = entry
        if (row.leavesAtHours === undefined) await roster.change(entry, { ...row, leavesAtHours })
        return summaryOf(entry)
      }
      await this.#delete(entry)
      return undefined
    })
  }

  /** An account that was to leave stays. Resolves after fsync.
   *  @throws {AbzuError} those of the store */
  async keep(entry: Entry): Promise<AccountSummary> {
    const { roster, changes } = this.#deps
    return changes.run(async () => {
      const { leavesAtHours: _, ...row } = entry.row
      await roster.change(entry, row)
      return summaryOf(entry)
    })
  }

  /** Resolves when nothing is being deleted any more. */
  async close(): Promise<void> {
    this.#cancel?.()
    await this.#sweeping
  }

  #sweepAndAgain(): void {
    this.#sweeping = this.#sweep().catch((error: unknown) => {
      this.#deps.log.warn('departures-not-swept', { error: toAbzuError(error) })
    })
    this.#cancel = this.#deps.scheduler.after(sweepMs, () => this.#sweepAndAgain())
  }

  async #sweep(): Promise<void> {
    const { roster, clock, changes } = this.#deps
    await changes.run(async () => this.#finish())
    const nowHours = hoursOf(earliestMs(clock))
    for (const entry of roster.all()) {
      // one that lives elsewhere has left: what it has not taken along yet is handed on from here
      const isDue = (): boolean =>
        isHere(entry) && (entry.row.leavesAtHours ?? Infinity) <= nowHours
      if (isDue()) await changes.run(async () => isDue() && this.#delete(entry))
    }
  }

  async #delete(entry: Entry): Promise<void> {
    const { roster, lock, log } = this.#deps
    expectNotLastAdmin(roster.all(), entry)
    await roster.holding(entry.id, async () => {
      entry.isLeaving = true
      try {
        await this.#close(entry)
        await lock(entry)
        const row = { ...entry.row, wrappedDevice: noSecret, isDeleted: true }
        await roster.save(row)
        roster.leave(entry, row)
      } catch (error) {
        entry.isLeaving = false
        throw error
      }
      log.info('account-deleted')
      await this.#finish()
    })
  }

  /** Nodes that keep copies learn from a last record that they may go. Should the account stay after all, its next record
   *  surpasses it. */
  async #close({ member, row }: Entry): Promise<void> {
    const { directory, log } = this.#deps
    if (!member || row.movedTo !== undefined) return
    try {
      await member.close(async (signed) => directory.bequeath(signed))
    } catch (error) {
      // whoever wants to leave is not kept by a record that has no place: copies go when the one before it ends
      log.warn('account-not-closed', { error: toAbzuError(error) })
    }
  }

  /** The keys are gone: what is left opens for whoever has the words alone. */
  async #finish(): Promise<void> {
    const { platform, roster, hosting, forget } = this.#deps
    for (const row of roster.leaving()) {
      await forget(row.rootPk)
      // of an account that was announced and has not come, the mailbox is a copy for its home
      if (!row.isAnnounced) await hosting.leave(mailboxIdOf(platform, row.rootPk))
      await roster.forget(row)
    }
  }
}
