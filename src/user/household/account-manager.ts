/** The accounts of one node: many people, each unlocked by a password of their own. @module */

import { mailboxIdOf, parseAccountId } from '../../base/crypto/address.ts'
import type { Argon2Params, CryptoPlatform } from '../../base/crypto/platform.ts'
import type { AccountId } from '../../base/util/brand.ts'
import type { Clock, Scheduler } from '../../base/util/clock.ts'
import { AbzuError, toAbzuError } from '../../base/util/errors.ts'
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
import type {
  AccountRows,
  DirectoryPort,
  HostingPort,
  MailboxPort,
  PostPort,
  StampPort,
} from '../account/ports.ts'
import { IdleWatch } from './idle-watch.ts'
import { Member } from './member.ts'
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

export interface AccountSummary {
  readonly id: AccountId
  readonly name: string
  readonly role: Role
  readonly locked: boolean
}

/** An account's row, and the person while unlocked. */
interface Entry {
  readonly row: AccountRow
  readonly role: Role
  member?: Member
  /** The end of the last lock: the next unlock waits for it. */
  locking?: Promise<void>
}

const autoLockMinutesDefault = 12 * 60
const accountsMax = 20_000

export class AccountManager {
  readonly #deps: AccountManagerDeps
  readonly #init: AccountManagerInit
  readonly #entries = new Map<AccountId, Entry>()
  /** Folded names of accounts that are being made. */
  readonly #reserved = new Set<string>()
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
    const reserved = foldedName(name)
    if (this.#reserved.has(reserved) || this.#byName(name)) {
      throw new AbzuError('ABZU_ALREADY_EXISTS', 'an account of this name exists')
    }
    if (this.#entries.size + this.#reserved.size >= accountsMax) {
      throw new AbzuError('ABZU_QUOTA_EXCEEDED', `a node has at most ${accountsMax} accounts`)
    }
    this.#reserved.add(reserved)
    try {
      return await this.#create({ name, role, password: init.password })
    } finally {
      this.#reserved.delete(reserved)
    }
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
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_WRONG_PASSWORD, ABZU_RATE_LIMITED, ABZU_OVERLOADED, ABZU_STORE_DAMAGED,
   *  ABZU_CLOSED, those of the store */
  async unlock(nameOrId: string, password: Uint8Array): Promise<Member> {
    this.#expectOpen()
    const entry = this.#entry(nameOrId)
    const { row } = entry
    return this.#turnstile.pass(accountIdOfRow(row), async () => {
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
    const { passwordCost: cost } = this.#init
    const wrappedDevice = await this.#turnstile.pass('', async () =>
      wrapDevice(platform, { device, rootPk, password, ...(cost && { cost }) }),
    )
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
      { ...this.#deps, port },
      { name, rootPk, recoveryPk, device },
    )
    const member = await Member.open(this.#deps, { account, role: entry.role })
    entry.member = member
    if (this.#isClosed) {
      await this.#lock(entry)
      this.#expectOpen()
    }
    this.#idle.touch(member.id)
    return member
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

function summaryOf({ row, role, member }: Entry): AccountSummary {
  return {
    id: accountIdOfRow(row),
    name: row.name,
    role,
    locked: member === undefined,
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
