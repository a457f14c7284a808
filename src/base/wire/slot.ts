/**
 * The signed header of a slot, a fixed layout of 190 bytes:
 * `01 | class[1] | mailbox[32] | key[20] | version[8] | body hash[32] | device key[32] | signature[64]`.
 * @see docs/protocol.md#items
 * @module
 */

import { concatBytes, readU64be, u64be } from '../util/bytes.ts'
import { AbzuError } from '../util/errors.ts'

export const slotKeyBytes = 20
export const slotHeaderBytes = 190
const signatureBytes = 64

/** Sealed: the vault, readable with a vault key. Plain: signed, readable by the account's hosts. */
export const slotClass = { sealed: 1, plain: 2 } as const
export type SlotClass = (typeof slotClass)[keyof typeof slotClass]

export interface SlotHeader {
  readonly class: SlotClass
  /** 32 bytes. */
  readonly mailbox: Uint8Array
  /** 20 bytes: keyed hash of the slot's name. */
  readonly key: Uint8Array
  /** Hybrid logical clock; the newest wins. */
  readonly version: number
  /** SHA-256 of the body, 32 bytes. */
  readonly bodyHash: Uint8Array
  /** Ed25519 public key of the device that signed, 32 bytes. */
  readonly device: Uint8Array
}

/** The clock of versions counts in 1/1024 ms up to here, the year 2109. */
const wallVersionEnd = 2 ** 52
const versionsPerDocument = 2 ** 32

/** Highest version that a host takes while the account's identity document has this number. Each document raises it: so
 *  whoever had the key of a device that was revoked since has left room above the highest version it could sign.
 *  @see docs/protocol.md#slots */
export function slotVersionMax(docSeq: number): number {
  return Math.min(wallVersionEnd + docSeq * versionsPerDocument, Number.MAX_SAFE_INTEGER)
}

/** The 126 bytes that the device signs. */
export function encodeSlotHeader(header: SlotHeader): Uint8Array {
  return concatBytes(
    new Uint8Array([1, header.class]),
    header.mailbox,
    header.key,
    u64be(header.version),
    header.bodyHash,
    header.device,
  )
}

/** Splits a signed header. Checks its form only, not the signature.
 *  @throws {AbzuError} ABZU_MALFORMED */
export function parseSlotHeader(signed: Uint8Array): {
  header: SlotHeader
  unsigned: Uint8Array
  signature: Uint8Array
} {
  const version = readU64be(signed, 54)
  const [format, kind] = signed
  const classes: readonly number[] = Object.values(slotClass)
  if (signed.length !== slotHeaderBytes || format !== 1 || !classes.includes(kind ?? 0)) {
    throw new AbzuError('ABZU_MALFORMED', 'not a slot header of version 1')
  }
  if (!Number.isSafeInteger(version))
    throw new AbzuError('ABZU_MALFORMED', 'a slot version too large')
  return {
    header: {
      class: kind as SlotClass,
      mailbox: signed.subarray(2, 34),
      key: signed.subarray(34, 54),
      version,
      bodyHash: signed.subarray(62, 94),
      device: signed.subarray(94, 126),
    },
    unsigned: signed.subarray(0, slotHeaderBytes - signatureBytes),
    signature: signed.subarray(slotHeaderBytes - signatureBytes),
  }
}
