/**
 * The pair to which a Child's keyring is sealed beside its own keys. Its private half is share A, sealed to the devices of each
 * Admin, and share B, a row of this node that goes nowhere: either alone is random bytes.
 * @see docs/protocol.md#oversight
 * @module
 */

import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { labels } from '../../base/crypto/labels.ts'
import { sealNote } from '../../base/crypto/sealed-note.ts'
import { concatBytes, equalBytes } from '../../base/util/bytes.ts'
import { AbzuError, isAbzuError } from '../../base/util/errors.ts'
import { encode } from '../../base/wire/codec.ts'
import { sealKeyBytes } from '../../base/wire/records.ts'
import {
  bytes,
  bytesBetween,
  decodeShape,
  list,
  literal,
  record,
  type Shaped,
} from '../../base/wire/shape.ts'
import type { Account } from '../account/account.ts'
import type { HostingPort, NodeRows } from '../account/ports.ts'
import { roleOf, type Entry } from './entry.ts'
import type { Member } from './member.ts'
import type { Roster } from './roster.ts'
import { sealKeysOf } from './seal-keys.ts'

/** Admins who can look. */
const adminsMax = 16
const seedBytes = 32

const pairShape = record({
  v: literal(1),
  /** X-Wing. */
  publicKey: bytes(sealKeyBytes),
  shareB: bytes(seedBytes),
  /** Opens a door of the Child's mailbox: entries of the audit come through it. */
  doorToken: bytes(32),
  /** Share A, by the root key of the Admin to whose devices it is sealed. */
  shares: list(
    record({ admin: bytes(32), devices: bytes(32), note: bytesBetween(1, 64 * 1024) }),
    adminsMax,
  ),
})
/** What the node keeps of one Child's pair. */
export type EscrowPair = Shaped<typeof pairShape>

export interface EscrowDeps {
  readonly platform: CryptoPlatform
  readonly hosting: Pick<HostingPort, 'mailbox'>
  readonly roster: Roster
  /** By the Child's root key. */
  readonly rows: NodeRows
}

export class Escrow {
  readonly #deps: EscrowDeps

  constructor(deps: EscrowDeps) {
    this.#deps = deps
  }

  /** Brings an account's keys in line with its role and with who is an Admin now: a Child without a pair gets one, one whose Admins
   *  are others gets another, and who is no Child any more loses it. Before the account is used; where it fails it is to be
   *  locked.
   *  @throws {AbzuError} those of Supervision.change and of the store */
  async settle(entry: Entry, account: Account): Promise<void> {
    const { supervision } = account
    const { rootPk } = entry.row
    const pair = this.pairOf(rootPk)
    if (roleOf(entry) !== 'child') {
      if (supervision.publicKey) await supervision.change(undefined)
      if (pair) await this.forget(rootPk)
      return
    }
    const isSame =
      pair && supervision.publicKey && equalBytes(pair.publicKey, supervision.publicKey)
    if (isSame && (await this.#isForAdminsNow(pair))) return
    await this.#begin(entry, account, pair)
  }

  /** @throws {AbzuError} ABZU_MALFORMED */
  pairOf(child: Uint8Array): EscrowPair | undefined {
    const value = this.#deps.rows.get(child)
    return value && decodeShape(pairShape, value, 'oversight pair')
  }

  /** Share B goes: what was sealed to the pair opens for nobody through it. Resolves after fsync.
   *  @throws {AbzuError} those of the store */
  async forget(child: Uint8Array): Promise<void> {
    await this.#deps.rows.delete(child)
  }

  /** Gives the private half of the pair to `use`, and wipes it and share A at its end.
   *  @throws {AbzuError} ABZU_DENIED where this Admin has no share; those of `use` */
  async withSeed<T>(
    child: Uint8Array,
    admin: { readonly rootPk: Uint8Array; readonly member: Member },
    use: (seed: Uint8Array) => Promise<T>,
  ): Promise<T> {
    const pair = this.pairOf(child)
    const share = pair?.shares.find((one) => equalBytes(one.admin, admin.rootPk))
    if (!pair || !share) throw noShare()
    const context = shareContext(child, pair.publicKey)
    const shareA = await admin.member.openNote(share.note, context).catch((error: unknown) => {
      // the Admin has another device since
      throw isAbzuError(error, 'ABZU_SEAL_BROKEN') ? noShare() : error
    })
    const seed = xor(shareA, pair.shareB)
    try {
      return await use(seed)
    } finally {
      seed.fill(0)
      shareA.fill(0)
    }
  }

  /** The row first: from then on nobody has the old share B. */
  async #begin(entry: Entry, account: Account, before: EscrowPair | undefined): Promise<void> {
    const { platform, rows } = this.#deps
    const { rootPk } = entry.row
    const seed = platform.random(seedBytes)
    const shareA = platform.random(seedBytes)
    try {
      const publicKey = platform.kem.publicKey(seed)
      const door = account.doors.forContact()
      const shares: EscrowPair['shares'][number][] = []
      for (const admin of this.#admins()) {
        const recipients = await sealKeysOf(this.#deps, admin)
        const context = shareContext(rootPk, publicKey)
        const devices = platform.sha256(...recipients)
        shares.push({
          admin,
          devices,
          note: await sealNote(platform, { recipients, context, plain: shareA }),
        })
      }
      const shareB = xor(seed, shareA)
      const row = { v: 1, publicKey, shareB, doorToken: door.token, shares } as const
      await rows.put(rootPk, encode({ ...pairShape(row, 'oversight pair') }))
      const old = before ? [account.doors.shut(before.doorToken)] : []
      await account.supervision.change(publicKey, [...old, door.draft])
    } finally {
      seed.fill(0)
      shareA.fill(0)
    }
  }

  async #isForAdminsNow({ shares }: EscrowPair): Promise<boolean> {
    const admins = this.#admins()
    if (admins.length !== shares.length) return false
    for (const admin of admins) {
      const share = shares.find((one) => equalBytes(one.admin, admin))
      const devices = this.#deps.platform.sha256(...(await sealKeysOf(this.#deps, admin)))
      if (!share || !equalBytes(share.devices, devices)) return false
    }
    return true
  }

  /** Root keys. */
  #admins(): Uint8Array[] {
    return this.#deps.roster
      .all()
      .filter((entry) => roleOf(entry) === 'admin' && entry.row.movedTo === undefined)
      .slice(0, adminsMax)
      .map(({ row }) => row.rootPk)
  }
}

function noShare(): AbzuError {
  const message = 'you have no share yet: it is made when this child unlocks next'
  return new AbzuError('ABZU_DENIED', message)
}

function shareContext(child: Uint8Array, publicKey: Uint8Array): Uint8Array {
  return concatBytes(labels.oversightShare, child, publicKey)
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, n) => byte ^ (b[n] as number))
}
