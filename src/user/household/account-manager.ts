/** The accounts of one node: many people, each unlocked by a password of their own. @module */

import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import type { AccountId } from '../../base/util/brand.ts'
import type { Clock, Scheduler } from '../../base/util/clock.ts'
import { AbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import type { AccountRows, DirectoryPort, HostingPort, PostPort } from '../account/ports.ts'
import type { Member } from './member.ts'
import type { Role } from './role.ts'

export interface AccountManagerDeps {
  readonly platform: CryptoPlatform
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly log: Log
  readonly rows: AccountRows
  readonly hosting: HostingPort
  readonly post: PostPort
  readonly directory: DirectoryPort
}

export interface AccountManagerInit {
  /** Minutes without a call to `member` after which an account locks itself; 0 = never.
   *  @default 720 */
  readonly autoLockMinutes?: number
}

export interface AccountSummary {
  readonly id: AccountId
  readonly name: string
  readonly role: Role
  readonly locked: boolean
}

export class AccountManager {
  /** Reads which accounts there are; all are locked. */
  static async open(
    _deps: AccountManagerDeps,
    _init: AccountManagerInit = {},
  ): Promise<AccountManager> {
    throw new AbzuError('ABZU_NOT_YET', 'accounts')
  }

  /** Makes an account, unlocked. The 24 words are returned this once and kept nowhere. The caller
   *  wipes the password.
   *  @throws {AbzuError} ABZU_NOT_YET (role), ABZU_ALREADY_EXISTS (name), ABZU_INVALID_ARGUMENT (name, password) */
  async create(_init: {
    name: string
    role: Role
    password: Uint8Array
  }): Promise<{ member: Member; words: string[] }> {
    throw new AbzuError('ABZU_NOT_YET', 'accounts')
  }

  /** By name. */
  list(): AccountSummary[] {
    throw new AbzuError('ABZU_NOT_YET', 'accounts')
  }

  /** @throws {AbzuError} ABZU_NOT_FOUND */
  get(_nameOrId: string): AccountSummary {
    throw new AbzuError('ABZU_NOT_YET', 'accounts')
  }

  /** Checks the password, of an unlocked account too, and returns the unlocked account.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_WRONG_PASSWORD, ABZU_RATE_LIMITED, ABZU_OVERLOADED */
  async unlock(_nameOrId: string, _password: Uint8Array): Promise<Member> {
    throw new AbzuError('ABZU_NOT_YET', 'accounts')
  }

  /** Resolves when the account's work has ended and its keys are dropped; at once where it is locked.
   *  @throws {AbzuError} ABZU_NOT_FOUND */
  async lock(_nameOrId: string): Promise<void> {
    throw new AbzuError('ABZU_NOT_YET', 'accounts')
  }

  /** An unlocked account; counts as its use for the automatic lock.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_LOCKED */
  member(_nameOrId: string): Member {
    throw new AbzuError('ABZU_NOT_YET', 'accounts')
  }

  /** Locks all. */
  async close(): Promise<void> {
    throw new AbzuError('ABZU_NOT_YET', 'accounts')
  }
}
