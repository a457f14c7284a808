/** A contact as the vault keeps it. @module */

import { accountIdOf } from '../../base/crypto/address.ts'
import type { AccountId } from '../../base/util/brand.ts'
import { equalBytes, toHex } from '../../base/util/bytes.ts'
import { encode } from '../../base/wire/codec.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import { hostShape, sealKeyBytes, type IdentityDocument } from '../../base/wire/records.ts'
import {
  bool,
  bytes,
  decodeShape,
  list,
  literal,
  oneOf,
  optional,
  record,
  text,
  uint,
  type Shaped,
} from '../../base/wire/shape.ts'
import { revokedMax } from '../account/identity.ts'

const devicesMax = 16

const contactRowShape = record({
  v: literal(1),
  /** Root public key. */
  root: bytes(32),
  /** Inert, on one line. */
  name: text(wireLimits.nameBytesMax),
  standing: oneOf('request', 'accepted', 'blocked'),
  /** From the contact's newest verified record and return address; a request may come without. */
  reach: optional(
    record({
      /** Of the record; goes down only where the next one goes up. */
      seq: uint(),
      /** Of the identity document behind the record; never goes down. 1 where left out. */
      docSeq: optional(uint()),
      prekey: bytes(sealKeyBytes),
      hosts: list(hostShape, wireLimits.hostsMax),
      /** Opens a door of the contact. Letters to whoever has not given one go with a stamp. */
      token: optional(bytes(32)),
      /** What a stamp has to be worth, as in the record. */
      stampBits: optional(uint(32)),
      /** By which mail to the contact is sealed; never goes down. */
      suite: optional(uint(255)),
    }),
  ),
  /** Opens the door that is kept for the contact. */
  ownToken: optional(bytes(32)),
  /** Whether the contact has our return address: sent to nobody knows whom, delivered to the contact's
   *  home, or taken in by the contact. */
  returnAddress: oneOf('unsent', 'delivered', 'known'),
  /** Signing keys of the contact's devices that were seen, newest first. */
  devices: list(bytes(32), devicesMax),
  /** A person has compared the safety number. */
  verified: bool,
  /** ms since 1970: an unknown device of the contact was seen, and nobody has confirmed it. */
  keysChangedAt: optional(uint()),
  /** From the contact's newest identity document that was seen. */
  identity: optional(
    record({
      /** Of the document; never goes down. */
      seq: uint(),
      /** Hashes of the certificates that are the contact's no more. */
      revoked: list(bytes(32), revokedMax),
    }),
  ),
  /** The newest identity document of our own that the contact was told of. */
  toldSeq: optional(uint()),
  addedAt: uint(),
  /** Admins of its household can open its letters, as its newest one says. */
  supervised: optional(bool),
  /** Of a request that came with a stamp: ms since 1970 at which it goes, unless it was answered. */
  lapsesAt: optional(uint()),
})
export type ContactRow = Shaped<typeof contactRowShape>
export type Reach = NonNullable<ContactRow['reach']>

const namePrefix = 'contact/'

export function contactSlotName(root: Uint8Array): string {
  return `${namePrefix}${toHex(root)}`
}

export function isContactSlot(name: string): boolean {
  return name.startsWith(namePrefix)
}

export function contactIdOf({ root }: Pick<ContactRow, 'root'>): AccountId {
  return accountIdOf(root)
}

export function encodeContactRow(row: ContactRow): Uint8Array {
  return encode({ ...contactRowShape(row, 'contact') })
}

/** @throws {AbzuError} ABZU_MALFORMED */
export function decodeContactRow(value: Uint8Array): ContactRow {
  return decodeShape(contactRowShape, value, 'contact')
}

/** `row` after a letter or record of the device `signPk`. One that was not seen before is a notice
 *  until a person confirms: never silently accepted. */
export function withDevice(row: ContactRow, signPk: Uint8Array, nowMs: number): ContactRow {
  const key = toHex(signPk)
  if (row.devices.some((device) => toHex(device) === key)) return row
  const devices = [signPk, ...row.devices].slice(0, devicesMax)
  if (row.devices.length === 0) return { ...row, devices }
  return { ...row, devices, keysChangedAt: row.keysChangedAt ?? nowMs }
}

/** `row` after an identity document of the contact, verified by its root key. One that is not newer changes nothing. */
export function withIdentity(
  row: ContactRow,
  { seq, revoked }: Pick<IdentityDocument, 'seq' | 'revoked'>,
): ContactRow {
  if (row.identity && row.identity.seq >= seq) return row
  return { ...row, identity: { seq, revoked: revoked.map((hash) => Uint8Array.from(hash)) } }
}

/** Whether the contact has said that what a certificate of this hash vouches for is not the contact's any more. */
export function hasRevoked({ identity }: ContactRow, certificateHash: Uint8Array): boolean {
  return identity?.revoked.some((hash) => equalBytes(hash, certificateHash)) ?? false
}

/** `row` to stay: it was answered, or came by a token after all. */
export function withoutLapse(row: ContactRow): ContactRow {
  if (row.lapsesAt === undefined) return row
  const { lapsesAt: _, ...rest } = row
  return rest
}
