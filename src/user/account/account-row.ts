/** The local row of an account: what this node keeps of it outside its mailbox, never replicated. @module */

import { accountIdOf } from '../../base/crypto/address.ts'
import { unwrapSecret, wrapSecret } from '../../base/crypto/password.ts'
import type { Argon2Params, CryptoPlatform } from '../../base/crypto/platform.ts'
import type { AccountId } from '../../base/util/brand.ts'
import { fromUtf8 } from '../../base/util/bytes.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { encode } from '../../base/wire/codec.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import { sealKeyBytes } from '../../base/wire/records.ts'
import {
  bool,
  bytes,
  bytesBetween,
  decodeShape,
  literal,
  optional,
  record,
  text,
  uint,
  type Shaped,
} from '../../base/wire/shape.ts'
import { deviceOf, deviceSecret, type Device, type HeldDevice } from './device.ts'
import { rotationShape } from './rotation.ts'

const accountRowShape = record({
  v: literal(1),
  rootPk: bytes(32),
  name: text(wireLimits.nameBytesMax),
  role: text(16),
  /** Signed certificate of the device that lives here. */
  certificate: bytesBetween(64, 512),
  /** X-Wing public key of the words. */
  recoveryPk: bytes(sealKeyBytes),
  /** The device's seeds behind the password. */
  wrappedDevice: bytesBetween(64, 512),
  /** Peer id of the node that is the account's home now: what is here is frozen. */
  movedTo: optional(text(64)),
  /** That node has said that the account is to live here: it does from the record on that says so too. */
  isAnnounced: optional(bool),
  /** Peer id of the node that has announced it. */
  broughtBy: optional(text(64)),
  /** New keys are being made. */
  rotation: optional(rotationShape),
  /** It has come from another home, whose outbox is still to be taken over. */
  takeOverDue: optional(uint(1)),
  /** Hash of the token of the invitation that the account was made of: it makes no other. */
  invitation: optional(bytes(32)),
  /** Hours since 1970: the account is deleted then, unless it may stay. */
  leavesAtHours: optional(uint(2 ** 32 - 1)),
  /** Hours since 1970: from then on a Child may become an Adult by its own word. */
  growsUpAtHours: optional(uint(2 ** 32 - 1)),
  /** The keys are overwritten, and the rest is on its way out. */
  isDeleted: optional(bool),
})
export type AccountRow = Shaped<typeof accountRowShape>

export function encodeAccountRow(row: AccountRow): Uint8Array {
  return encode({ ...accountRowShape(row, 'account row') })
}

/** @throws {AbzuError} ABZU_MALFORMED */
export function decodeAccountRow(value: Uint8Array): AccountRow {
  return decodeShape(accountRowShape, value, 'account row')
}

export function accountIdOfRow({ rootPk }: AccountRow): AccountId {
  return accountIdOf(rootPk)
}

/** The device's seeds behind a password.
 *  @throws {AbzuError} ABZU_INVALID_ARGUMENT where the password is empty, too long or not UTF-8 */
export async function wrapDevice(
  platform: CryptoPlatform,
  init: { device: Device; rootPk: Uint8Array; password: Uint8Array; cost?: Argon2Params },
): Promise<Uint8Array> {
  const { device, rootPk, password, cost } = init
  const secret = deviceSecret(device)
  try {
    return await wrapSecret(platform, passwordText(password), secret, rootPk, cost)
  } finally {
    secret.fill(0)
  }
}

/** @throws {AbzuError} ABZU_WRONG_PASSWORD, ABZU_MALFORMED */
export async function unwrapDevice(
  platform: CryptoPlatform,
  { rootPk, certificate, wrappedDevice }: AccountRow,
  password: Uint8Array,
): Promise<HeldDevice> {
  const text = passwordText(password)
  const secret = await unwrapSecret(platform, text, wrappedDevice, rootPk)
  try {
    return deviceOf(platform, { secret, certificate, rootPk })
  } finally {
    secret.fill(0)
  }
}

/** Text, since one password has many Unicode forms: wrapping makes them one. */
function passwordText(password: Uint8Array): string {
  const text = fromUtf8(password)
  if (text === undefined) throw new AbzuError('ABZU_INVALID_ARGUMENT', 'a password is UTF-8')
  return text
}
