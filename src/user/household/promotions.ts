/** How a person's role changes. Who may ask for it, the table of decisions says. @module */

import { earliestMs, hoursOf, type Clock } from '../../base/util/clock.ts'
import { AbzuError } from '../../base/util/errors.ts'
import type { Serial } from '../account/serial.ts'
import { expectNotLastAdmin, roleOf, summaryOf, type AccountSummary, type Entry } from './entry.ts'
import type { Role } from './role.ts'
import type { Roster } from './roster.ts'

export interface PromotionsDeps {
  readonly clock: Clock
  readonly roster: Roster
  /** Ends an account's work and its sessions: a role holds from one unlocking to the next lock. */
  readonly lock: (entry: Entry) => Promise<void>
  /** One change of who may do what at a time. */
  readonly changes: Serial
}

export class Promotions {
  readonly #deps: PromotionsDeps

  constructor(deps: PromotionsDeps) {
    this.#deps = deps
  }

  /** An Adult becomes an Admin. The account is locked. Resolves after fsync.
   *  @throws {AbzuError} ABZU_DENIED (no Adult), those of the store */
  async makeAdmin(entry: Entry): Promise<AccountSummary> {
    return this.#change(entry, { from: 'adult', to: 'admin' })
  }

  /** An Admin becomes an Adult. The account is locked. Resolves after fsync.
   *  @throws {AbzuError} ABZU_DENIED (no Admin, or the last one), those of the store */
  async unmakeAdmin(entry: Entry): Promise<AccountSummary> {
    return this.#change(entry, { from: 'admin', to: 'adult' })
  }

  /** Lets a Child become an Adult by its own word from `atHours` on, hours since 1970; in the past is at once. Resolves
   *  after fsync.
   *  @throws {AbzuError} ABZU_DENIED (no Child), those of the store */
  async letGrowUp(entry: Entry, atHours: number): Promise<AccountSummary> {
    const { changes, roster } = this.#deps
    return changes.run(async () => {
      expectRole(entry, 'child')
      await roster.change(entry, { ...entry.row, growsUpAtHours: atHours })
      return summaryOf(entry)
    })
  }

  /** A Child becomes an Adult, by its own word. The account is locked. Resolves after fsync.
   *  @throws {AbzuError} ABZU_DENIED (no Child, or its time has not come), those of the store */
  async growUp(entry: Entry): Promise<AccountSummary> {
    const nowHours = hoursOf(earliestMs(this.#deps.clock))
    if ((entry.row.growsUpAtHours ?? Infinity) > nowHours) {
      throw new AbzuError('ABZU_DENIED', 'an Admin has to let you grow up first')
    }
    return this.#change(entry, { from: 'child', to: 'adult' })
  }

  async #change(entry: Entry, { from, to }: { from: Role; to: Role }): Promise<AccountSummary> {
    const { roster, lock, changes } = this.#deps
    return changes.run(async () => {
      expectRole(entry, from)
      expectNotLastAdmin(roster.all(), entry)
      const { growsUpAtHours: _, ...row } = entry.row
      await roster.change(entry, { ...row, role: to })
      await lock(entry)
      return summaryOf(entry)
    })
  }
}

function expectRole(entry: Entry, wanted: Role): void {
  if (roleOf(entry) === wanted) return
  throw new AbzuError('ABZU_DENIED', `this is for an account of the role ${wanted}`)
}
