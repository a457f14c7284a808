/** The accounts of one node: many people, each unlocked by a password of their own. @module */

import { mailboxIdOf } from '../../base/crypto/address.ts'
import type { AgeLock } from '../../base/crypto/age.ts'
import type { AccountId, PeerId } from '../../base/util/brand.ts'
import { hourMs } from '../../base/util/clock.ts'
import { AbzuError, isAbzuError, toAbzuError } from '../../base/util/errors.ts'
import { unwrapDevice } from '../account/account-row.ts'
import { Account } from '../account/account.ts'
import type { HeldDevice } from '../account/device.ts'
import type { MailboxPort } from '../account/ports.ts'
import { Serial } from '../account/serial.ts'
import { Departures } from './departures.ts'
import { expectHere, isHere, roleOf, summaryOf, type AccountSummary, type Entry } from './entry.ts'
import { HouseholdLimits } from './household-limits.ts'
import { HouseholdInvitations } from './household-invitations.ts'
import { KeyChanges } from './key-changes.ts'
import { IdleWatch } from './idle-watch.ts'
import { Member } from './member.ts'
import { Moves, type Moved, type MoveInit } from './moves.ts'
import {
  Newcomers,
  type Created,
  type CreateInit,
  type JoinInit,
  type NewcomersDeps,
  type NewcomersInit,
  type RecoverInit,
} from './newcomers.ts'
import { Oversight } from './oversight.ts'
import type { AccountManagerDeps } from './account-manager-deps.ts'
import { Promotions } from './promotions.ts'
import { Portability, type Imported, type ImportInit } from './portability.ts'
import { Roster } from './roster.ts'
import { Turnstile } from './turnstile.ts'

export interface AccountManagerInit extends NewcomersInit {
  /** Minutes without a call to `member` after which an account locks itself; 0 = never.
   *  @default 720 */
  readonly autoLockMinutes?: number
  /** IANA time zone in which hours of the day are meant.
   *  @default UTC */
  readonly zone?: string
}

const autoLockMinutesDefault = 12 * 60

export class AccountManager {
  readonly invitations: HouseholdInvitations
  readonly oversight: Oversight
  readonly keys: KeyChanges
  readonly moves: Moves
  /** What each person may have and do. */
  readonly limits: HouseholdLimits
  readonly #deps: AccountManagerDeps
  readonly #roster: Roster
  readonly #newcomers: Newcomers
  readonly #departures: Departures
  readonly #promotions: Promotions
  readonly #portability: Portability
  readonly #turnstile: Turnstile
  readonly #idle: IdleWatch
  #isClosed = false

  /** Reads which accounts there are; all are locked.
   *  @throws {AbzuError} those of the store */
  static async open(
    deps: AccountManagerDeps,
    init: AccountManagerInit = {},
  ): Promise<AccountManager> {
    const rows = deps.tables.table('accounts')
    const roster = await Roster.open({ rows, log: deps.log })
    const oversight = await Oversight.open({ ...deps, roster, zone: init.zone ?? 'UTC' })
    const limits = await HouseholdLimits.open({
      ...deps,
      rows: deps.tables.table('limits'),
      roster,
    })
    const manager = new AccountManager(deps, init, { roster, oversight, limits })
    await manager.moves.lookAtAll()
    manager.#departures.start()
    return manager
  }

  private constructor(
    deps: AccountManagerDeps,
    init: AccountManagerInit,
    {
      roster,
      oversight,
      limits,
    }: { roster: Roster; oversight: Oversight; limits: HouseholdLimits },
  ) {
    this.#deps = deps
    this.limits = limits
    this.#roster = roster
    this.oversight = oversight
    this.#turnstile = new Turnstile(deps.clock)
    const turnstile = this.#turnstile
    const invitations = new HouseholdInvitations({
      ...deps,
      rows: deps.tables.table('household-invites'),
      isUsed: (tokenHash) => roster.hasUsed(tokenHash),
    })
    this.invitations = invitations
    const open = async (...of: Parameters<NewcomersDeps['open']>) => this.#open(...of)
    this.#newcomers = new Newcomers({ ...deps, roster, turnstile, invitations, open }, init)
    this.#portability = new Portability({ ...deps, roster, turnstile, open }, init)
    const leaving = {
      ...deps,
      roster,
      changes: new Serial(),
      lock: async (entry: Entry) => this.#lock(entry),
    }
    this.#departures = new Departures({
      ...leaving,
      forget: async (rootPk) => oversight.forget(rootPk),
    })
    this.#promotions = new Promotions(leaving)
    this.moves = new Moves({ ...leaving, moved: (entry, to) => this.#freeze(entry, to) })
    this.keys = new KeyChanges(
      {
        ...deps,
        roster,
        turnstile,
        open: async (entry, device) => {
          this.#expectOpen()
          return this.#open(entry, device)
        },
        lock: async (entry) => this.#lock(entry),
        moved: (entry, to) => this.#freeze(entry, to),
      },
      init,
    )
    this.#idle = new IdleWatch(deps, {
      idleMinutes: init.autoLockMinutes ?? autoLockMinutesDefault,
      expired: (id) => this.#lockIdle(id as AccountId),
    })
  }

  /** This node is reached at other addresses now: who is unlocked signs a record that says so. */
  homeMoved(): void {
    for (const { member } of this.#roster.all()) member?.homeMoved()
  }

  /** @see Newcomers.create
   *  @throws {AbzuError} ABZU_CLOSED, those of Newcomers.create */
  async create(init: CreateInit): Promise<Created> {
    this.#expectOpen()
    return this.#newcomers.create(init)
  }

  /** @see Newcomers.join
   *  @throws {AbzuError} ABZU_CLOSED, those of Newcomers.join */
  async join(init: JoinInit): Promise<Created> {
    this.#expectOpen()
    return this.#newcomers.join(init)
  }

  /** @see Newcomers.recover
   *  @throws {AbzuError} ABZU_CLOSED, those of Newcomers.recover; the signal's reason */
  async recover(init: RecoverInit): Promise<Member> {
    this.#expectOpen()
    return this.#newcomers.recover(init)
  }

  /** @see Departures.remove
   *  @param by id of the account that asks for it
   *  @throws {AbzuError} ABZU_CLOSED, ABZU_NOT_FOUND, ABZU_ADDRESS_INVALID, those of Departures.remove */
  async remove(nameOrId: string, by: string): Promise<AccountSummary | undefined> {
    this.#expectOpen()
    return this.#departures.remove(this.#roster.find(nameOrId), by)
  }

  /** @see Departures.keep
   *  @throws {AbzuError} ABZU_CLOSED, ABZU_NOT_FOUND, ABZU_ADDRESS_INVALID, those of Departures.keep */
  async keep(nameOrId: string): Promise<AccountSummary> {
    this.#expectOpen()
    return this.#departures.keep(this.#roster.find(nameOrId))
  }

  /** @see Promotions.makeAdmin
   *  @throws {AbzuError} ABZU_CLOSED, ABZU_NOT_FOUND, ABZU_ADDRESS_INVALID, those of Promotions.makeAdmin */
  async makeAdmin(nameOrId: string): Promise<AccountSummary> {
    this.#expectOpen()
    return this.#promotions.makeAdmin(this.#roster.find(nameOrId))
  }

  /** @see Promotions.unmakeAdmin
   *  @throws {AbzuError} ABZU_CLOSED, ABZU_NOT_FOUND, ABZU_ADDRESS_INVALID, those of Promotions.unmakeAdmin */
  async unmakeAdmin(nameOrId: string): Promise<AccountSummary> {
    this.#expectOpen()
    return this.#promotions.unmakeAdmin(this.#roster.find(nameOrId))
  }

  /** @see Promotions.letGrowUp
   *  @param atMs since 1970; rounded up to a whole hour
   *  @throws {AbzuError} ABZU_CLOSED, ABZU_NOT_FOUND, ABZU_ADDRESS_INVALID, those of Promotions.letGrowUp */
  async letGrowUp(nameOrId: string, atMs: number): Promise<AccountSummary> {
    this.#expectOpen()
    return this.#promotions.letGrowUp(this.#roster.find(nameOrId), Math.ceil(atMs / hourMs))
  }

  /** @see Promotions.growUp
   *  @throws {AbzuError} ABZU_CLOSED, ABZU_NOT_FOUND, ABZU_ADDRESS_INVALID, those of Promotions.growUp */
  async growUp(nameOrId: string): Promise<AccountSummary> {
    this.#expectOpen()
    const entry = this.#roster.find(nameOrId)
    const grown = await this.#promotions.growUp(entry)
    await this.oversight.forget(entry.row.rootPk)
    return grown
  }

  /** @see Portability.import
   *  @throws {AbzuError} ABZU_CLOSED, those of Portability.import; the signal's reason */
  async import(init: ImportInit): Promise<Imported> {
    this.#expectOpen()
    return this.#portability.import(init)
  }

  /** @see Portability.exported
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_LOCKED, those of Portability.exported */
  async exported(nameOrId: string, lock: AgeLock): Promise<AsyncGenerator<Uint8Array>> {
    return this.#portability.exported(this.member(nameOrId), lock)
  }

  /** @see Moves.move
   *  @throws {AbzuError} ABZU_CLOSED, ABZU_NOT_FOUND, ABZU_LOCKED, those of Moves.move; the signal's reason */
  async move(nameOrId: string, init: MoveInit): Promise<Moved> {
    this.#expectOpen()
    return this.moves.move(this.member(nameOrId), init)
  }

  /** By name. */
  list(): AccountSummary[] {
    return this.#roster
      .all()
      .map(summaryOf)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** @throws {AbzuError} ABZU_NOT_FOUND, ABZU_ADDRESS_INVALID */
  get(nameOrId: string): AccountSummary {
    return summaryOf(this.#roster.find(nameOrId))
  }

  /** Checks the password, of an unlocked account too, and returns the unlocked account.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_WRONG_PASSWORD, ABZU_ACCOUNT_MOVED, ABZU_RATE_LIMITED, ABZU_OVERLOADED,
   *  ABZU_STORE_DAMAGED, ABZU_CLOSED, those of the store */
  async unlock(nameOrId: string, password: Uint8Array): Promise<Member> {
    this.#expectOpen()
    const entry = this.#roster.find(nameOrId)
    return this.#turnstile.pass(entry.id, async () => {
      if (entry.row.isAnnounced) await this.moves.recordChanged(entry.row.rootPk)
      expectHere(entry)
      const device = await unwrapDevice(this.#deps.platform, entry.row, password)
      await entry.locking
      if (!entry.member) return this.#open(entry, device)
      device.wipe()
      this.#idle.touch(entry.id)
      return entry.member
    })
  }

  /** Resolves when the account's work has ended and its keys are dropped; at once where it is locked.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_ADDRESS_INVALID */
  async lock(nameOrId: string): Promise<void> {
    await this.#lock(this.#roster.find(nameOrId))
  }

  /** An unlocked account; counts as its use for the automatic lock.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_ADDRESS_INVALID, ABZU_LOCKED */
  member(nameOrId: string): Member {
    const { member } = this.#roster.find(nameOrId)
    if (!member) throw new AbzuError('ABZU_LOCKED', 'the account is locked')
    this.#idle.touch(member.id)
    return member
  }

  /** Locks all. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#idle.close()
    await this.#departures.close()
    await Promise.all(this.#roster.all().map(async (entry) => this.#lock(entry)))
  }

  async #open(entry: Entry, device: HeldDevice, hosted?: MailboxPort): Promise<Member> {
    const { platform, hosting } = this.#deps
    const { rootPk, recoveryPk, name } = entry.row
    const port = hosted ?? hosting.mailbox(mailboxIdOf(platform, rootPk))
    await this.keys.resume(entry, device, port)
    const account = await Account.open(
      { ...this.#deps, port, moved: (to) => this.#freeze(entry, to) },
      { name, rootPk, recoveryPk, device },
    )
    await this.#expectHome(account)
    try {
      await this.oversight.settle(entry, account)
    } catch (error) {
      await account.lock()
      throw error
    }
    const guardian = this.oversight.guardianOf(entry)
    const member = await Member.open(this.#deps, { account, role: roleOf(entry), guardian })
    entry.member = member
    if (this.#isClosed || !isHere(entry)) {
      await this.#lock(entry)
      this.#expectOpen()
      expectHere(entry)
    }
    this.#idle.touch(member.id)
    if (entry.row.takeOverDue) await this.#takeOver(entry, member)
    return member
  }

  /** What the earlier home of an account has not sent for sure is sent from here. Where it cannot be now, the next unlocking does it. */
  async #takeOver(entry: Entry, member: Member): Promise<void> {
    try {
      await member.takeOver()
      await this.#roster.change(entry, { ...entry.row, takeOverDue: 0 })
    } catch (error) {
      this.#deps.log.warn('outbox-not-taken-over', { error: toAbzuError(error) })
    }
  }

  /** A home that was left while the account was locked must not begin to send. Where that can't be known now, the
   *  upkeep looks again. */
  async #expectHome(account: Account): Promise<void> {
    try {
      await account.recordAhead()
    } catch (error) {
      if (isAbzuError(error) && error.code !== 'ABZU_ACCOUNT_MOVED') {
        this.#deps.log.warn('newest-record-unknown', { error })
        return
      }
      await account.lock()
      throw error
    }
  }

  /** The account lives at the node `to` now. It is unlocked no more from this moment on; what is going on ends. */
  #freeze(entry: Entry, to: PeerId): void {
    const { log } = this.#deps
    if (entry.row.movedTo !== undefined) return
    log.warn('account-moved', { to })
    const frozen = { ...entry.row, movedTo: to }
    const ended = [this.#roster.change(entry, frozen), this.#lock(entry)]
    for (const end of ended) {
      // where the row was not stored, the next unlocking finds the same
      end.catch((error: unknown) => log.error('freeze-failed', { error: toAbzuError(error) }))
    }
  }

  async #lock(entry: Entry): Promise<void> {
    const { member } = entry
    if (member) {
      delete entry.member
      this.#idle.forget(member.id)
      entry.locking = member.lock()
    }
    await entry.locking
  }

  #lockIdle(id: AccountId): void {
    const entry = this.#roster.get(id)
    const { log } = this.#deps
    if (!entry) return
    this.#lock(entry).then(
      () => log.info('account-locked-idle'),
      (error: unknown) => log.error('idle-lock-failed', { error: toAbzuError(error) }),
    )
  }

  #expectOpen(): void {
    if (this.#isClosed) throw new AbzuError('ABZU_CLOSED', 'the accounts are closed')
  }
}
