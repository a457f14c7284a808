/** The accounts of one node: many people, each unlocked by a password of their own. @module */

import { accountIdOf, mailboxIdOf, parseAccountId } from '../../base/crypto/address.ts'
import type { Argon2Params, CryptoPlatform } from '../../base/crypto/platform.ts'
import type { AccountId, PeerId } from '../../base/util/brand.ts'
import type { Clock, Scheduler } from '../../base/util/clock.ts'
import { AbzuError, isAbzuError, toAbzuError } from '../../base/util/errors.ts'
import { foldedName } from '../../base/util/folded-name.ts'
import type { Log } from '../../base/util/log.ts'
import {
  accountIdOfRow,
  decodeAccountRow,
  encodeAccountRow,
  unwrapDevice,
  wrapDevice,
  type AccountRow,
} from '../account/account-row.ts'
import { Account } from '../account/account.ts'
import type { HeldDevice } from '../account/device.ts'
import { newAccount } from '../account/new-account.ts'
import { isAddress, parsePersonName } from '../account/person-name.ts'
import { recoverMailbox, wordKeys, type WordKeys } from '../account/recovery.ts'
import type {
  AccountRows,
  DirectoryPort,
  HostingPort,
  MailboxPort,
  PostPort,
  RestoreProgress,
  RestorePort,
  StampPort,
} from '../account/ports.ts'
import { expectNotMoved, summaryOf, type AccountSummary, type Entry } from './entry.ts'
import { IdleWatch } from './idle-watch.ts'
import { Member } from './member.ts'
import { Reservations } from './reservations.ts'
import { parseRole, type Role } from './role.ts'
import { Turnstile } from './turnstile.ts'

export interface AccountManagerDeps {
  readonly platform: CryptoPlatform
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly log: Log
  readonly rows: AccountRows
  readonly hosting: HostingPort
  readonly post: PostPort
  readonly directory: DirectoryPort
  readonly restoring: RestorePort
  readonly stamps: StampPort
}

export interface AccountManagerInit {
  /** Minutes without a call to `member` after which an account locks itself; 0 = never.
   *  @default 720 */
  readonly autoLockMinutes?: number
  /** For new accounts.
   *  @default argon2Default of base/crypto/password.ts */
  readonly passwordCost?: Argon2Params
}

export interface RecoverInit {
  /** 12 or 24. */
  readonly words: readonly string[]
  readonly name: string
  /** A new one, for this node. The caller wipes it. */
  readonly password: Uint8Array
  /** Address of a node that is asked first. */
  readonly peer?: string | undefined
  readonly progress: (done: RestoreProgress) => void
  readonly signal: AbortSignal
}

const autoLockMinutesDefault = 12 * 60
const accountsMax = 20_000

export class AccountManager {
  readonly #deps: AccountManagerDeps
  readonly #init: AccountManagerInit
  readonly #entries = new Map<AccountId, Entry>()
  readonly #reserved = new Reservations()
  readonly #turnstile: Turnstile
  readonly #idle: IdleWatch
  #isClosed = false

  /** Reads which accounts there are; all are locked.
   *  @throws {AbzuError} those of the store */
  static async open(
    deps: AccountManagerDeps,
    init: AccountManagerInit = {},
  ): Promise<AccountManager> {
    const manager = new AccountManager(deps, init)
    for await (const { value } of deps.rows.range({ limit: accountsMax })) {
      try {
        const row = decodeAccountRow(value)
        manager.#entries.set(accountIdOfRow(row), { row, role: parseRole(row.role) })
      } catch (error) {
        deps.log.error('account-row-unreadable', { error: toAbzuError(error) })
      }
    }
    return manager
  }

  /** This node is reached at other addresses now: who is unlocked signs a record that says so. */
  homeMoved(): void {
    for (const { member } of this.#entries.values()) member?.homeMoved()
  }

  private constructor(deps: AccountManagerDeps, init: AccountManagerInit) {
    this.#deps = deps
    this.#init = init
    this.#turnstile = new Turnstile(deps.clock)
    this.#idle = new IdleWatch(deps, {
      idleMinutes: init.autoLockMinutes ?? autoLockMinutesDefault,
      expired: (id) => this.#lockIdle(id as AccountId),
    })
  }

  /** Makes an account, unlocked. The 24 words are returned this once and kept nowhere. The caller
   *  wipes the password.
   *
   *  The row comes last: a crash before it leaves a mailbox for which nobody has a key, which costs its
   *  room and nothing else. Another attempt makes other keys.
   *  @throws {AbzuError} ABZU_NOT_YET (role), ABZU_ALREADY_EXISTS (name), ABZU_INVALID_ARGUMENT (name, password),
   *  ABZU_QUOTA_EXCEEDED, ABZU_OVERLOADED, those of the store */
  async create(init: {
    name: string
    role: Role
    password: Uint8Array
  }): Promise<{ member: Member; words: string[] }> {
    this.#expectOpen()
    const role = expectHosted(init.role)
    const name = parsePersonName(init.name)
    expectPassword(init.password)
    return this.#making(name, undefined, async () =>
      this.#create({ name, role, password: init.password }),
    )
  }

  /** Brings an account here from its words, unlocked, with all that a node holds of it; this node is its home then. What
   *  an attempt that failed has brought here stays, for the next one.
   *  @throws {AbzuError} ABZU_WORDS_INVALID, ABZU_ALREADY_EXISTS (the account, the name), ABZU_INVALID_ARGUMENT (name,
   *  password), ABZU_ADDRESS_INVALID, those of recoverMailbox and of the store; the signal's reason */
  async recover(init: RecoverInit): Promise<Member> {
    this.#expectOpen()
    const name = parsePersonName(init.name)
    expectPassword(init.password)
    const keys = wordKeys(this.#deps.platform, init.words)
    try {
      const id = accountIdOf(keys.rootPk)
      const entry = this.#entries.get(id)
      if (entry && entry.row.movedTo === undefined) {
        throw new AbzuError('ABZU_ALREADY_EXISTS', 'this account lives here already')
      }
      return await this.#making(name, id, async () => this.#recover(keys, { ...init, name }))
    } finally {
      keys.wipe()
    }
  }

  /** Runs `work`, which makes the account `id` of this name.
   *  @throws {AbzuError} ABZU_ALREADY_EXISTS, ABZU_QUOTA_EXCEEDED, those of `work` */
  async #making<T>(name: string, id: AccountId | undefined, work: () => Promise<T>): Promise<T> {
    const namesake = this.#byName(name)
    if (namesake && accountIdOfRow(namesake.row) !== id) {
      throw new AbzuError('ABZU_ALREADY_EXISTS', 'an account of this name exists')
    }
    if (this.#entries.size + this.#reserved.size >= accountsMax) {
      throw new AbzuError('ABZU_QUOTA_EXCEEDED', `a node has at most ${accountsMax} accounts`)
    }
    return this.#reserved.hold([foldedName(name), ...(id ? [id] : [])], work)
  }

  /** By name. */
  list(): AccountSummary[] {
    return [...this.#entries.values()].map(summaryOf).sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** @throws {AbzuError} ABZU_NOT_FOUND, ABZU_ADDRESS_INVALID */
  get(nameOrId: string): AccountSummary {
    return summaryOf(this.#entry(nameOrId))
  }

  /** Checks the password, of an unlocked account too, and returns the unlocked account.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_WRONG_PASSWORD, ABZU_ACCOUNT_MOVED, ABZU_RATE_LIMITED, ABZU_OVERLOADED,
   *  ABZU_STORE_DAMAGED, ABZU_CLOSED, those of the store */
  async unlock(nameOrId: string, password: Uint8Array): Promise<Member> {
    this.#expectOpen()
    const entry = this.#entry(nameOrId)
    const { row } = entry
    return this.#turnstile.pass(accountIdOfRow(row), async () => {
      expectNotMoved(entry)
      const device = await unwrapDevice(this.#deps.platform, row, password)
      await entry.locking
      if (!entry.member) return this.#open(entry, device)
      device.wipe()
      this.#idle.touch(entry.member.id)
      return entry.member
    })
  }

  /** Resolves when the account's work has ended and its keys are dropped; at once where it is locked.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_ADDRESS_INVALID */
  async lock(nameOrId: string): Promise<void> {
    await this.#lock(this.#entry(nameOrId))
  }

  /** An unlocked account; counts as its use for the automatic lock.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_ADDRESS_INVALID, ABZU_LOCKED */
  member(nameOrId: string): Member {
    const { member } = this.#entry(nameOrId)
    if (!member) throw new AbzuError('ABZU_LOCKED', 'the account is locked')
    this.#idle.touch(member.id)
    return member
  }

  /** Locks all. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#idle.close()
    await Promise.all([...this.#entries.values()].map(async (entry) => this.#lock(entry)))
  }

  async #create(init: {
    name: string
    role: Role
    password: Uint8Array
  }): Promise<{ member: Member; words: string[] }> {
    const { platform, clock, hosting, directory, rows } = this.#deps
    const { name, role, password } = init
    const made = await newAccount(platform, { home: directory.home(), clock })
    const { rootPk, recoveryPk, device, words } = made
    const wrappedDevice = await this.#wrap({ device, rootPk, password })
    const port = await hosting.host(rootPk, made.slots)
    const { certificate } = device
    const row: AccountRow = { v: 1, rootPk, name, role, certificate, recoveryPk, wrappedDevice }
    try {
      await rows.put(rootPk, encodeAccountRow(row))
      const entry: Entry = { row, role }
      const member = await this.#open(entry, device, port)
      this.#entries.set(member.id, entry)
      return { member, words }
    } catch (error) {
      await this.#undo(rootPk)
      throw error
    }
  }

  /** The row comes last, as for an account that is made: without it the next attempt begins anew. */
  async #recover(keys: WordKeys, init: RecoverInit): Promise<Member> {
    const { rows, log } = this.#deps
    const { name, password } = init
    const { rootPk, recoveryPk } = keys
    const { device, port } = await recoverMailbox(this.#deps, { ...init, keys })
    // the only role that there is; what an account may do here, this node decides and not the account
    const role: Role = 'admin'
    let row: AccountRow
    try {
      const wrappedDevice = await this.#wrap({ device, rootPk, password })
      const { certificate } = device
      row = { v: 1, rootPk, name, role, certificate, recoveryPk, wrappedDevice }
      await rows.put(rootPk, encodeAccountRow(row))
    } catch (error) {
      device.wipe()
      throw error
    }
    const entry: Entry = { row, role }
    this.#entries.set(accountIdOf(rootPk), entry)
    const member = await this.#open(entry, device, port)
    try {
      await member.takeOver()
    } catch (error) {
      // the account is there all the same; those messages stay queued in its history
      log.warn('outbox-not-taken-over', { error: toAbzuError(error) })
    }
    return member
  }

  /** @throws {AbzuError} ABZU_INVALID_ARGUMENT, ABZU_OVERLOADED */
  async #wrap(init: {
    device: HeldDevice
    rootPk: Uint8Array
    password: Uint8Array
  }): Promise<Uint8Array> {
    const { passwordCost: cost } = this.#init
    return this.#turnstile.pass('', async () =>
      wrapDevice(this.#deps.platform, { ...init, ...(cost && { cost }) }),
    )
  }

  /** An account whose words nobody saw must not be there. */
  async #undo(rootPk: Uint8Array): Promise<void> {
    try {
      await this.#deps.rows.delete(rootPk)
    } catch (error) {
      this.#deps.log.error('account-not-undone', { error: toAbzuError(error) })
    }
  }

  async #open(entry: Entry, device: HeldDevice, hosted?: MailboxPort): Promise<Member> {
    const { platform, hosting } = this.#deps
    const { rootPk, recoveryPk, name } = entry.row
    const port = hosted ?? hosting.mailbox(mailboxIdOf(platform, rootPk))
    const account = await Account.open(
      { ...this.#deps, port, moved: (to) => this.#freeze(entry, to) },
      { name, rootPk, recoveryPk, device },
    )
    await this.#expectHome(account)
    const member = await Member.open(this.#deps, { account, role: entry.role })
    entry.member = member
    if (this.#isClosed || entry.row.movedTo !== undefined) {
      await this.#lock(entry)
      this.#expectOpen()
      expectNotMoved(entry)
    }
    this.#idle.touch(member.id)
    return member
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
    const { rows, log } = this.#deps
    if (entry.row.movedTo !== undefined) return
    entry.row = { ...entry.row, movedTo: to }
    log.warn('account-moved', { to })
    const ended = [rows.put(entry.row.rootPk, encodeAccountRow(entry.row)), this.#lock(entry)]
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
    const entry = this.#entries.get(id)
    const { log } = this.#deps
    if (!entry) return
    this.#lock(entry).then(
      () => log.info('account-locked-idle'),
      (error: unknown) => log.error('idle-lock-failed', { error: toAbzuError(error) }),
    )
  }

  #entry(nameOrId: string): Entry {
    const entry = isAddress(nameOrId)
      ? this.#entries.get(parseAccountId(nameOrId))
      : this.#byName(nameOrId)
    if (!entry) throw new AbzuError('ABZU_NOT_FOUND', 'there is no such account')
    return entry
  }

  #byName(name: string): Entry | undefined {
    const wanted = foldedName(name)
    return [...this.#entries.values()].find(({ row }) => foldedName(row.name) === wanted)
  }

  #expectOpen(): void {
    if (this.#isClosed) throw new AbzuError('ABZU_CLOSED', 'the accounts are closed')
  }
}

/** @throws {AbzuError} ABZU_NOT_YET */
function expectHosted(role: Role): Role {
  if (role !== 'admin') throw new AbzuError('ABZU_NOT_YET', `the role ${role} comes later`)
  return role
}

/** How good a password is, its owner judges; Argon2id makes each guess cost.
 *  @throws {AbzuError} ABZU_INVALID_ARGUMENT */
function expectPassword(password: Uint8Array): void {
  if (password.length === 0) {
    throw new AbzuError('ABZU_INVALID_ARGUMENT', 'a password must not be empty')
  }
}
