/** Passwords and keys of the accounts of a node, as they change over time. @see docs/protocol.md#rotation @module */

import { mailboxIdOf } from '../../base/crypto/address.ts'
import { openDeviceCertificate } from '../../base/crypto/certificate.ts'
import { verifyMailboxRecord } from '../../base/crypto/mailbox-record.ts'
import type { Argon2Params, CryptoPlatform } from '../../base/crypto/platform.ts'
import type { PeerId } from '../../base/util/brand.ts'
import { equalBytes, toHex } from '../../base/util/bytes.ts'
import type { Clock } from '../../base/util/clock.ts'
import { AbzuError, isAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import { unwrapDevice, wrapDevice, type AccountRow } from '../account/account-row.ts'
import { copyOf, type HeldDevice } from '../account/device.ts'
import { finishRotation } from '../account/finish-rotation.ts'
import { readIdentity } from '../account/identity.ts'
import { readOwnRecord } from '../account/plain-slots.ts'
import type { DirectoryPort, HostingPort, MailboxPort } from '../account/ports.ts'
import { wordKeys, type WordKeys } from '../account/recovery.ts'
import { beginKeysOnly, beginRotation, type Rotation } from '../account/rotation.ts'
import { accountMoved, successorByAhead, successorByOwn } from '../account/succession.ts'
import { expectHere, type Entry } from './entry.ts'
import type { Member } from './member.ts'
import { expectPassword } from './newcomers.ts'
import type { Roster } from './roster.ts'
import type { Turnstile } from './turnstile.ts'

export interface KeyChangesDeps {
  readonly platform: CryptoPlatform
  readonly clock: Clock
  readonly log: Log
  readonly roster: Roster
  readonly turnstile: Turnstile
  readonly hosting: Pick<HostingPort, 'mailbox'>
  readonly directory: Pick<DirectoryPort, 'home' | 'ahead' | 'isCovered'>
  /** Unlocks an account by its device. */
  readonly open: (entry: Entry, device: HeldDevice) => Promise<Member>
  readonly lock: (entry: Entry) => Promise<void>
  /** The account lives at the node `to` now. */
  readonly moved: (entry: Entry, to: PeerId) => void
}

export interface RotateInit {
  /** 12 or 24. Without them the device stays, and the vault's key and the prekey alone are made anew. */
  readonly words?: readonly string[] | undefined
  /** From now on, where another device is made; otherwise the one that it has. The caller wipes it. */
  readonly password: Uint8Array
  /** Devices to revoke by their ids; the one that lives here stays then. Needs the words. */
  readonly revoke?: readonly string[] | undefined
}

/** A device that may sign for an account. */
export interface DeviceSummary {
  /** 16 hexadecimal digits. */
  readonly id: string
  /** It is the one that lives at this node. */
  readonly here: boolean
  /** Number of the identity document with which it was certified. */
  readonly docSeq: number
}

interface Begun {
  readonly device: HeldDevice
  readonly rotation: Rotation
}

const deviceIdDigits = 16

export class KeyChanges {
  readonly #deps: KeyChangesDeps
  readonly #cost: Argon2Params | undefined

  constructor(deps: KeyChangesDeps, { passwordCost }: { readonly passwordCost?: Argon2Params }) {
    this.#deps = deps
    this.#cost = passwordCost
  }

  /** Puts the device behind another password. Resolves once that is durable; until then the old one works. A lock and an
   *  unlocking are not needed.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_INVALID_ARGUMENT (the new one), ABZU_WRONG_PASSWORD (the old one),
   *  ABZU_ACCOUNT_MOVED, ABZU_RATE_LIMITED, ABZU_OVERLOADED, those of the store */
  async changePassword(
    nameOrId: string,
    { password, next }: { readonly password: Uint8Array; readonly next: Uint8Array },
  ): Promise<void> {
    const { platform, roster, turnstile } = this.#deps
    const entry = roster.find(nameOrId)
    expectPassword(next)
    await turnstile.pass(entry.id, async () => {
      expectHere(entry)
      const device = await unwrapDevice(platform, entry.row, password)
      try {
        await this.#save(entry, { wrappedDevice: await this.#wrap(entry, device, next) })
      } finally {
        device.wipe()
      }
    })
  }

  /** The devices that may sign for an account.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_STORE_DAMAGED, those of the store */
  async devices(nameOrId: string): Promise<DeviceSummary[]> {
    const { platform, roster } = this.#deps
    const entry = roster.find(nameOrId)
    const { rootPk, certificate } = entry.row
    const { devices } = await readIdentity({ platform, port: this.#portOf(entry), rootPk })
    return devices.map(({ signPk, docSeq, certificate: own }) => ({
      id: deviceIdOf(signPk),
      here: equalBytes(own, certificate),
      docSeq,
    }))
  }

  /** Gives an account new keys. It is locked meanwhile, so that its sessions end, and comes back unlocked. What was cut off goes
   *  on at the next unlocking.
   *  @throws {AbzuError} ABZU_NOT_FOUND (account, device), ABZU_WORDS_INVALID (also those of another account),
   *  ABZU_WRONG_PASSWORD, ABZU_INVALID_ARGUMENT, ABZU_ACCOUNT_MOVED, ABZU_RATE_LIMITED, ABZU_OVERLOADED,
   *  ABZU_QUOTA_EXCEEDED, those of the store */
  async rotate(nameOrId: string, init: RotateInit): Promise<Member> {
    const { platform, roster, turnstile, lock, open } = this.#deps
    const entry = roster.find(nameOrId)
    expectPassword(init.password)
    if (init.revoke && !init.words) {
      throw new AbzuError('ABZU_INVALID_ARGUMENT', 'to revoke a device takes the words')
    }
    const keys = init.words && wordKeys(platform, init.words)
    try {
      if (keys && !equalBytes(keys.rootPk, entry.row.rootPk)) {
        throw new AbzuError('ABZU_WORDS_INVALID', 'these are the words of another account')
      }
      return await turnstile.pass(entry.id, async () => {
        expectHere(entry)
        // only who has the words may do without the password
        const stays = keys && !init.revoke ? undefined : await this.#unwrap(entry, init.password)
        try {
          await lock(entry)
          const { device, rotation } = await this.#begin(entry, { ...init, keys, stays })
          await this.#take(entry, { device, rotation }, init.password)
          return await open(entry, device)
        } finally {
          // who is unlocked has a copy of its own
          stays?.wipe()
        }
      })
    } finally {
      keys?.wipe()
    }
  }

  /** Brings a rotation to its end that was cut off; nothing where there is none. The device is wiped where it fails.
   *  @throws {AbzuError} ABZU_ACCOUNT_MOVED, ABZU_STORE_DAMAGED, those of the store */
  async resume(entry: Entry, device: HeldDevice, port: MailboxPort): Promise<void> {
    const { rotation, rootPk, recoveryPk } = entry.row
    if (!rotation) return
    try {
      await this.#newestDocument(entry, port)
      await finishRotation(this.#deps, { port, rootPk, recoveryPk, device, rotation })
      await this.#save(entry, { rotation: undefined })
    } catch (error) {
      device.wipe()
      throw error
    }
  }

  async #begin(
    entry: Entry,
    init: RotateInit & {
      readonly keys: WordKeys | undefined
      readonly stays: HeldDevice | undefined
    },
  ): Promise<Begun> {
    const port = this.#portOf(entry)
    const { rootPk, certificate, rotation: pending } = entry.row
    const seen = await this.#newestDocument(entry, port)
    const { keys, stays } = init
    if (keys) {
      const revoke = await this.#toRevoke(entry, init.revoke ?? [])
      const common = { port, keys, certificate, pending, seen, revoke }
      return beginRotation(this.#deps, { ...common, device: stays && copyOf(stays) })
    }
    const device = copyOf(stays as HeldDevice)
    // what was cut off is finished first: its last document must not get lost
    await this.resume(entry, device, port)
    return { device, rotation: await beginKeysOnly(this.#deps, { port, rootPk, device }) }
  }

  /** From here on the rotation goes on by itself. The device is wiped where that does not become durable. */
  async #take(entry: Entry, { device, rotation }: Begun, password: Uint8Array): Promise<void> {
    try {
      const wrappedDevice = await this.#wrap(entry, device, password)
      await this.#save(entry, { wrappedDevice, certificate: device.certificate, rotation })
    } catch (error) {
      device.wipe()
      throw error
    }
  }

  /** @throws {AbzuError} ABZU_NOT_FOUND, ABZU_INVALID_ARGUMENT */
  async #toRevoke(entry: Entry, ids: readonly string[]): Promise<Uint8Array[]> {
    if (ids.length === 0) return []
    const { platform } = this.#deps
    const { rootPk, certificate } = entry.row
    const { devices } = await readIdentity({ platform, port: this.#portOf(entry), rootPk })
    return ids.map((id) => {
      const device = devices.find(({ signPk }) => deviceIdOf(signPk) === id.toLowerCase())
      if (!device) throw new AbzuError('ABZU_NOT_FOUND', `the account has no device ${id}`)
      if (!equalBytes(device.certificate, certificate)) return device.signPk
      throw new AbzuError('ABZU_INVALID_ARGUMENT', 'this device lives here: rotate replaces it')
    })
  }

  /** Number of the newest identity document that stands behind a record of the account.
   *  @throws {AbzuError} ABZU_ACCOUNT_MOVED where that record names another home */
  async #newestDocument(entry: Entry, port: MailboxPort): Promise<number> {
    const { platform, directory, moved } = this.#deps
    const { rootPk, certificate } = entry.row
    const { signPk: devicePk } = openDeviceCertificate(platform, certificate, rootPk)
    const place = { rootPk, devicePk, here: directory.home().peerId as PeerId }
    const { signed: own } = await readOwnRecord({ platform, port, rootPk })
    const ahead = await this.#ahead(port)
    const to =
      successorByOwn(platform, place, own) ??
      (ahead && successorByAhead(platform, place, { own, ahead }))
    if (to) {
      moved(entry, to)
      throw accountMoved(to)
    }
    const seen = [own, ...(ahead ? [ahead] : [])]
    return Math.max(...seen.map((record) => verifyMailboxRecord(platform, record).docSeq))
  }

  /** Where that can't be known now, the upkeep looks again. */
  async #ahead(port: MailboxPort): Promise<Uint8Array | undefined> {
    const { directory, platform, log } = this.#deps
    try {
      const ahead = await directory.ahead(port.mailbox)
      return ahead && equalBytes(verifyMailboxRecord(platform, ahead).mailbox, port.mailbox)
        ? ahead
        : undefined
    } catch (error) {
      if (!isAbzuError(error)) throw error
      log.warn('newest-record-unknown', { error })
      return undefined
    }
  }

  async #unwrap({ row }: Entry, password: Uint8Array): Promise<HeldDevice> {
    return unwrapDevice(this.#deps.platform, row, password)
  }

  async #wrap({ row }: Entry, device: HeldDevice, password: Uint8Array): Promise<Uint8Array> {
    const { rootPk } = row
    const cost = this.#cost
    return wrapDevice(this.#deps.platform, { device, rootPk, password, ...(cost && { cost }) })
  }

  /** Resolves after fsync; where that fails, what was stays.
   *  @throws {AbzuError} ABZU_ACCOUNT_MOVED, ABZU_NOT_FOUND where the account is being deleted, those of the store */
  async #save(entry: Entry, changes: KeyFields): Promise<void> {
    expectHere(entry)
    const { wrappedDevice, certificate, rotation } = entry.row
    try {
      await this.#deps.roster.change(entry, withKeys(entry.row, changes))
    } catch (error) {
      entry.row = withKeys(entry.row, { wrappedDevice, certificate, rotation })
      throw error
    }
  }

  #portOf({ row }: Entry): MailboxPort {
    const { platform, hosting } = this.#deps
    return hosting.mailbox(mailboxIdOf(platform, row.rootPk))
  }
}

function deviceIdOf(signPk: Uint8Array): string {
  return toHex(signPk).slice(0, deviceIdDigits)
}

/** What of an account's row its keys are. */
interface KeyFields {
  readonly wrappedDevice?: Uint8Array
  readonly certificate?: Uint8Array
  readonly rotation?: Rotation | undefined
}

function withKeys(before: AccountRow, changes: KeyFields): AccountRow {
  const { rotation, ...row } = { ...before, ...changes }
  return { ...row, ...(rotation && { rotation }) }
}
