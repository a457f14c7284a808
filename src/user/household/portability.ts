/** Accounts that leave in a file, or come in one. @see docs/protocol.md#export @module */

import { accountIdOf } from '../../base/crypto/address.ts'
import { ageKey, openAge, sealAge, type AgeLock, type AgeSecret } from '../../base/crypto/age.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { fromUtf8 } from '../../base/util/bytes.ts'
import type { Clock } from '../../base/util/clock.ts'
import { AbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import { encodeAccountRow, wrapDevice, type AccountRow } from '../account/account-row.ts'
import { arrive } from '../account/arrival.ts'
import type { HeldDevice } from '../account/device.ts'
import { judgeExport, type ExportSource } from '../account/export-reader.ts'
import type { JudgedExport } from '../account/export-judge.ts'
import { parsePersonName } from '../account/person-name.ts'
import type {
  CarriagePort,
  DirectoryPort,
  MailboxPort,
  RestorePort,
  RestoreProgress,
} from '../account/ports.ts'
import { entryOf, type Entry } from './entry.ts'
import type { Member } from './member.ts'
import { expectHosted, expectPassword, type NewcomersInit } from './newcomers.ts'
import type { Role } from './role.ts'
import type { Roster } from './roster.ts'
import type { Turnstile } from './turnstile.ts'

export interface PortabilityDeps {
  readonly platform: CryptoPlatform
  readonly clock: Clock
  readonly log: Log
  readonly roster: Roster
  readonly turnstile: Turnstile
  readonly carriage: CarriagePort
  readonly directory: DirectoryPort
  readonly restoring: RestorePort
  /** Unlocks an account by its device. */
  readonly open: (entry: Entry, device: HeldDevice, port: MailboxPort) => Promise<Member>
}

export interface ImportInit {
  /** The file, from the start each time. */
  readonly sealed: () => AsyncIterable<Uint8Array>
  /** What opens the file, where that is not `password`. */
  readonly secret?: AgeSecret | undefined
  /** What the account is called here; as where it comes from where left out. */
  readonly name?: string | undefined
  /** What the account may do here: this node decides that, and nothing in the file. As for an account that is recovered where left
   *  out. */
  readonly role?: Role | undefined
  /** The account's on this node. The caller wipes it. */
  readonly password: Uint8Array
  readonly progress: (done: RestoreProgress) => void
  readonly signal: AbortSignal
}

/** An account that was brought here, unlocked. */
export interface Imported {
  readonly member: Member
  /** Whether a living host was asked for what has changed since the file was made. */
  readonly isUpToDate: boolean
}

export class Portability {
  readonly #deps: PortabilityDeps
  readonly #init: NewcomersInit

  constructor(deps: PortabilityDeps, init: NewcomersInit) {
    this.#deps = deps
    this.#init = init
  }

  /** The file of an unlocked account, as it comes about.
   *  @throws {AbzuError} ABZU_INVALID_ARGUMENT, ABZU_OVERLOADED; later those of exportedAccount */
  async exported(member: Member, lock: AgeLock): Promise<AsyncGenerator<Uint8Array>> {
    return sealAge(this.#platform, lock, member.exported(this.#deps))
  }

  /** Brings an account here from a file; this node is its home then, and the one that it had freezes it. The file is read to its end
   *  before anything is written.
   *  @throws {AbzuError} ABZU_WRONG_PASSWORD, ABZU_EXPORT_INVALID, ABZU_EXPORT_NEWER, ABZU_ALREADY_EXISTS (the account, the name),
   *  ABZU_INVALID_ARGUMENT (name, password), ABZU_DENIED (role), those of arrive and of the store; the signal's reason */
  async import(init: ImportInit): Promise<Imported> {
    const { roster } = this.#deps
    if (init.role) expectHosted(init.role)
    expectPassword(init.password)
    const key = ageKey(this.#platform, init.secret ?? { password: textOf(init.password) })
    const source: ExportSource = () => openAge(key, init.sealed())
    const judged = await judgeExport(this.#deps, source, {
      signal: init.signal,
      found: ({ account }) => roster.expectAway(accountIdOf(account)),
    })
    const { account, name: itsName } = judged.manifest
    const name = parsePersonName(init.name ?? itsName)
    const id = accountIdOf(account)
    return roster.making({ name, id }, async () => {
      roster.expectAway(id)
      return this.#arrive({ ...init, name, judged, source })
    })
  }

  async #arrive(
    init: ImportInit & { name: string; judged: JudgedExport; source: ExportSource },
  ): Promise<Imported> {
    const { platform, carriage, roster, turnstile, open } = this.#deps
    const { account: rootPk, recoveryPk } = init.judged.manifest
    const { device, port, slots, isUpToDate } = await arrive(this.#deps, init)
    let row: AccountRow
    try {
      const cost = this.#init.passwordCost
      const wrapping = { device, rootPk, password: init.password, ...(cost && { cost }) }
      const wrappedDevice = await turnstile.pass('', async () => wrapDevice(platform, wrapping))
      const role = init.role ?? roster.roleOfArrival()
      const { certificate } = device
      const { name } = init
      row = { v: 1, rootPk, name, role, certificate, recoveryPk, wrappedDevice, takeOverDue: 1 }
      await carriage.settle(port.mailbox, slots, { key: rootPk, value: encodeAccountRow(row) })
    } catch (error) {
      device.wipe()
      throw error
    }
    const entry = entryOf(row)
    roster.add(entry)
    return { member: await open(entry, device, port), isUpToDate }
  }

  /** One costly password at a time. */
  get #platform(): CryptoPlatform {
    const { platform, turnstile } = this.#deps
    const scrypt: CryptoPlatform['scrypt'] = (...args) =>
      turnstile.pass('', async () => platform.scrypt(...args))
    return { ...platform, scrypt }
  }
}

/** @throws {AbzuError} ABZU_INVALID_ARGUMENT */
function textOf(password: Uint8Array): string {
  const text = fromUtf8(password)
  if (text !== undefined) return text
  throw new AbzuError('ABZU_INVALID_ARGUMENT', 'a password is UTF-8')
}
