/** How accounts come to a node: made here, by whoever may or of an invitation, or brought back from their words. @module */

import { accountIdOf } from '../../base/crypto/address.ts'
import type { Argon2Params, CryptoPlatform } from '../../base/crypto/platform.ts'
import { toHex } from '../../base/util/bytes.ts'
import type { Clock } from '../../base/util/clock.ts'
import { AbzuError, toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import { wrapDevice, type AccountRow } from '../account/account-row.ts'
import type { HeldDevice } from '../account/device.ts'
import { newAccount } from '../account/new-account.ts'
import { parsePersonName } from '../account/person-name.ts'
import type {
  DirectoryPort,
  HostingPort,
  MailboxPort,
  RestorePort,
  RestoreProgress,
} from '../account/ports.ts'
import { recoverMailbox, wordKeys, type WordKeys } from '../account/recovery.ts'
import { entryOf, type Entry } from './entry.ts'
import type { HouseholdInvitations } from './household-invitations.ts'
import type { Member } from './member.ts'
import type { Role } from './role.ts'
import type { Roster } from './roster.ts'
import type { Turnstile } from './turnstile.ts'

export interface NewcomersDeps {
  readonly platform: CryptoPlatform
  readonly clock: Clock
  readonly log: Log
  readonly roster: Roster
  readonly turnstile: Turnstile
  readonly hosting: HostingPort
  readonly directory: DirectoryPort
  readonly restoring: RestorePort
  readonly invitations: HouseholdInvitations
  /** Unlocks an account by its device. */
  readonly open: (entry: Entry, device: HeldDevice, port: MailboxPort) => Promise<Member>
}

export interface NewcomersInit {
  /** @default argon2Default of base/crypto/password.ts */
  readonly passwordCost?: Argon2Params
}

export interface CreateInit {
  readonly name: string
  readonly role: Role
  /** The caller wipes it. */
  readonly password: Uint8Array
}

/** An invitation in the place of the role. */
export interface JoinInit extends Omit<CreateInit, 'role'> {
  /** `abzu-join:...` */
  readonly link: string
}

export interface RecoverInit {
  /** 12 or 24. */
  readonly words: readonly string[]
  readonly name: string
  /** What the account may do here: this node decides that, and not the account. An Adult where left out, and the Admin of a node that
   *  has none. */
  readonly role?: Role | undefined
  /** A new one, for this node. The caller wipes it. */
  readonly password: Uint8Array
  /** Address of a node that is asked first. */
  readonly peer?: string | undefined
  readonly progress: (done: RestoreProgress) => void
  readonly signal: AbortSignal
}

/** An account that was made, unlocked. */
export interface Created {
  readonly member: Member
  /** 24: told this once and kept nowhere. */
  readonly words: string[]
}

export class Newcomers {
  readonly #deps: NewcomersDeps
  readonly #init: NewcomersInit

  constructor(deps: NewcomersDeps, init: NewcomersInit) {
    this.#deps = deps
    this.#init = init
  }

  /** Makes an account.
   *
   *  The row comes last: a crash before it leaves a mailbox for which nobody has a key, which costs its
   *  room and nothing else. Another attempt makes other keys.
   *  @throws {AbzuError} ABZU_DENIED (role), ABZU_ALREADY_EXISTS (name), ABZU_INVALID_ARGUMENT (name, password),
   *  ABZU_QUOTA_EXCEEDED, ABZU_OVERLOADED, those of the store */
  async create(init: CreateInit): Promise<Created> {
    expectHosted(init.role)
    expectPassword(init.password)
    const name = parsePersonName(init.name)
    return this.#deps.roster.making({ name }, async () => this.#create({ ...init, name }))
  }

  /** Makes an account of the role for which the invitation was given. It works once: whoever comes later is refused from
   *  the moment that the account is durable.
   *  @throws {AbzuError} those of HouseholdInvitations.find and of create */
  async join({ link, ...init }: JoinInit): Promise<Created> {
    const { invitations, roster, log } = this.#deps
    const { role, tokenHash } = invitations.find(link)
    expectHosted(role)
    expectPassword(init.password)
    const name = parsePersonName(init.name)
    const created = await roster.making({ name, also: [toHex(tokenHash)] }, async () => {
      invitations.find(link)
      return this.#create({ ...init, name, role }, tokenHash)
    })
    try {
      await invitations.forget(tokenHash)
    } catch (error) {
      log.warn('used-invitation-not-forgotten', { error: toAbzuError(error) })
    }
    return created
  }

  /** Brings an account here from its words, with all that a node holds of it; this node is its home then. What
   *  an attempt that failed has brought here stays, for the next one.
   *  @throws {AbzuError} ABZU_WORDS_INVALID, ABZU_DENIED (role), ABZU_ALREADY_EXISTS (the account, the name),
   *  ABZU_INVALID_ARGUMENT (name, password), ABZU_ADDRESS_INVALID, those of recoverMailbox and of the store; the signal's reason */
  async recover(init: RecoverInit): Promise<Member> {
    const { platform, roster } = this.#deps
    if (init.role) expectHosted(init.role)
    expectPassword(init.password)
    const name = parsePersonName(init.name)
    const keys = wordKeys(platform, init.words)
    try {
      const id = accountIdOf(keys.rootPk)
      roster.expectAway(id)
      return await roster.making({ name, id }, async () => this.#recover(keys, { ...init, name }))
    } finally {
      keys.wipe()
    }
  }

  async #create({ name, role, password }: CreateInit, invitation?: Uint8Array): Promise<Created> {
    const { platform, clock, hosting, directory, roster, open } = this.#deps
    const strangers = role === 'child' ? 'refused' : 'welcome'
    const made = await newAccount(platform, { home: directory.home(), strangers, clock })
    const { rootPk, recoveryPk, device, words } = made
    const wrappedDevice = await this.#wrap({ device, rootPk, password })
    const port = await hosting.host(rootPk, made.slots)
    const { certificate } = device
    const row: AccountRow = { v: 1, rootPk, name, role, certificate, recoveryPk, wrappedDevice }
    const entry = entryOf({ ...row, ...(invitation && { invitation }) })
    try {
      await roster.save(entry.row)
      const member = await open(entry, device, port)
      roster.add(entry)
      return { member, words }
    } catch (error) {
      await this.#undo(entry)
      throw error
    }
  }

  /** The row comes last, as for an account that is made: without it the next attempt begins anew. */
  async #recover(keys: WordKeys, init: RecoverInit): Promise<Member> {
    const { roster, open } = this.#deps
    const { name, password } = init
    const { rootPk, recoveryPk } = keys
    const { device, port } = await recoverMailbox(this.#deps, { ...init, keys })
    const role = init.role ?? roster.roleOfArrival()
    let entry: Entry
    try {
      const wrappedDevice = await this.#wrap({ device, rootPk, password })
      const { certificate } = device
      const held = { rootPk, certificate, recoveryPk, wrappedDevice }
      entry = entryOf({ v: 1, ...held, name, role, takeOverDue: 1 })
      await roster.save(entry.row)
    } catch (error) {
      device.wipe()
      throw error
    }
    roster.add(entry)
    return open(entry, device, port)
  }

  /** @throws {AbzuError} ABZU_INVALID_ARGUMENT, ABZU_OVERLOADED */
  async #wrap(init: {
    device: HeldDevice
    rootPk: Uint8Array
    password: Uint8Array
  }): Promise<Uint8Array> {
    const { platform, turnstile } = this.#deps
    const { passwordCost: cost } = this.#init
    return turnstile.pass('', async () => wrapDevice(platform, { ...init, ...(cost && { cost }) }))
  }

  /** An account whose words nobody saw must not be there. */
  async #undo(entry: Entry): Promise<void> {
    const { roster, log } = this.#deps
    try {
      roster.leave(entry, entry.row)
      await roster.forget(entry.row)
    } catch (error) {
      log.error('account-not-undone', { error: toAbzuError(error) })
    }
  }
}

/** A key that is handed to the node makes a dependent person: nobody calls that a Guest.
 *  @throws {AbzuError} ABZU_DENIED */
export function expectHosted(role: Role): void {
  if (role !== 'guest') return
  const message = "a guest's keys stay on the guest's own device: no account of the node is one"
  throw new AbzuError('ABZU_DENIED', message)
}

/** How good a password is, its owner judges; Argon2id makes each guess cost.
 *  @throws {AbzuError} ABZU_INVALID_ARGUMENT */
export function expectPassword(password: Uint8Array): void {
  if (password.length === 0) {
    throw new AbzuError('ABZU_INVALID_ARGUMENT', 'a password must not be empty')
  }
}
