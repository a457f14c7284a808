/**
 * Bodies of plain slots, which an account's hosts read: `kind[1] | content`. The key of each slot is
 * the hash of its name here, so a host can check that a body lies where it belongs.
 * @see docs/protocol.md#plain-slots
 * @module
 */

import { toHex } from '../util/bytes.ts'
import { AbzuError } from '../util/errors.ts'
import { sealKeyBytes } from './records.ts'
import { bytes, bytesBetween, list, record } from './shape.ts'

export const plainSlotKind = {
  /** `identitySlotShape`: who may sign for this mailbox. */
  identity: 1,
  /** A signed mailbox record. */
  record: 2,
  /** `doorShape`. */
  door: 3,
  /** `acknowledgementShape`. */
  acknowledgement: 4,
  /** A keyring item: opaque to hosts. */
  keyring: 5,
} as const
export type PlainSlotKind = (typeof plainSlotKind)[keyof typeof plainSlotKind]

/** Names of plain slots; the key is their hash together with the mailbox. */
export const plainSlotName = {
  identity: 'identity',
  record: 'record',
  door: (doorId: Uint8Array): string => `door/${toHex(doorId)}`,
  /** `part` counts from 0; a part is full at `acknowledgedIdsMax`. */
  acknowledgement: (device: Uint8Array, day: number, part: number): string =>
    `acknowledgement/${toHex(device)}/${day}/${part}`,
  keyring: (id: Uint8Array): string => `keyring/${toHex(id)}`,
} as const

/** The identity document with what verifies it and what seals to its devices. */
export const identitySlotShape = record({
  /** Signed identity document. */
  document: bytesBetween(64, 8192),
  /** Signed certificates of the devices that the document lists, in its order. */
  certificates: list(bytesBetween(64, 512), 16),
  /** X-Wing public keys of those devices, in the same order. */
  sealPks: list(bytes(sealKeyBytes), 16),
})

const kinds = new Set<number>(Object.values(plainSlotKind))

export function encodePlainSlot(kind: PlainSlotKind, content: Uint8Array): Uint8Array {
  const body = new Uint8Array(content.length + 1)
  body[0] = kind
  body.set(content, 1)
  return body
}

/** @throws {AbzuError} ABZU_MALFORMED */
export function parsePlainSlot(body: Uint8Array): { kind: PlainSlotKind; content: Uint8Array } {
  const kind = body[0]
  if (kind === undefined || !kinds.has(kind)) {
    throw new AbzuError('ABZU_MALFORMED', 'a plain slot of an unknown kind')
  }
  return { kind: kind as PlainSlotKind, content: body.subarray(1) }
}
