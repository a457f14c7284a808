/**
 * The head of an item: everything but its body. As a row it is kept twice, under the item's id and under
 * its place in the order of arrival, so that one can be made anew from the other; and once more in front
 * of the body, in the journal.
 *
 * `kind[1] | pool[1] | id[32] | arrival[8] | received ms[6] | expires hours[4] | size[4] |
 * checksum of the body[4]`; a row has its checksum in front and behind it `segment[4] | offset[4]` of the
 * body, or for a slot `class[1] | key[20]`
 * @module
 */

import type { ItemId } from '../util/brand.ts'
import { slotHeaderBytes, slotKeyBytes, type SlotClass } from '../wire/slot.ts'
import type { ItemHead, ItemKind } from './item-store.ts'
import { itemKinds } from './keys.ts'
import { checksumBytes, damaged, newValue, readU64, unseal, writeU64 } from './row.ts'
import type { BodyPlace } from './segments.ts'

export interface StoredHead extends ItemHead {
  /** Of the body; 0 for a slot, whose row carries its own. */
  readonly bodyChecksum: number
  /** Where the body lies, from when its commit is sealed; missing for a slot. */
  place?: BodyPlace
  /** Where a slot's row is. */
  readonly slot?: { readonly class: SlotClass; readonly key: Uint8Array }
}

export const headBytes = 60
const placeBytes = 8
const kindNames = new Map<number, ItemKind>(
  Object.entries(itemKinds).map(([name, number]) => [number, name as ItemKind]),
)

/** Writes the 60 bytes that all forms of a head have. */
export function writeHead(head: StoredHead, target: Buffer, offset: number): void {
  target[offset] = itemKinds[head.kind]
  target[offset + 1] = head.pool
  target.set(head.id, offset + 2)
  writeU64(target, head.arrival, offset + 34)
  target.writeUIntBE(head.receivedAtMs, offset + 42, 6)
  target.writeUInt32BE(head.expiresAtHours, offset + 48)
  target.writeUInt32BE(head.sizeBytes, offset + 52)
  target.writeUInt32BE(head.bodyChecksum, offset + 56)
}

/** Reads them; undefined where they are no head. */
export function readHead(source: Buffer): StoredHead | undefined {
  const kind = kindNames.get(source[0] ?? 0)
  if (!kind) return undefined
  return {
    kind,
    pool: source[1] as number,
    id: source.subarray(2, 34) as Uint8Array as ItemId,
    arrival: readU64(source, 34),
    receivedAtMs: source.readUIntBE(42, 6),
    expiresAtHours: source.readUInt32BE(48),
    sizeBytes: source.readUInt32BE(52),
    bodyChecksum: source.readUInt32BE(56),
  }
}

/** The value of a head's rows, not sealed yet. */
export function encodeHead(head: StoredHead): Buffer {
  const rest = checksumBytes + headBytes
  const value = newValue(headBytes + (head.slot ? 1 + slotKeyBytes : placeBytes))
  writeHead(head, value, checksumBytes)
  if (head.slot) {
    value[rest] = head.slot.class
    value.set(head.slot.key, rest + 1)
  } else {
    value.writeUInt32BE(head.place?.segment ?? 0, rest)
    value.writeUInt32BE(head.place?.offset ?? 0, rest + 4)
  }
  return value
}

/** @throws {AbzuError} ABZU_STORE_DAMAGED */
export function decodeHead(key: Uint8Array, value: Uint8Array): StoredHead {
  const content = unseal(key, value)
  const head = readHead(content)
  const restBytes = head?.kind === 'slot' ? 1 + slotKeyBytes : placeBytes
  if (!head || content.length !== headBytes + restBytes) {
    throw damaged('the head of an item has no known form')
  }
  if (head.kind !== 'slot') {
    const [segment, offset] = [content.readUInt32BE(headBytes), content.readUInt32BE(headBytes + 4)]
    return { ...head, place: { segment, offset } }
  }
  const slotClass = content[headBytes] as SlotClass
  return { ...head, slot: { class: slotClass, key: content.subarray(headBytes + 1) } }
}

/** The head as others see it. */
export function publicHead(head: StoredHead): ItemHead {
  const { kind, id, arrival, receivedAtMs, expiresAtHours, pool, sizeBytes } = head
  return { kind, id, arrival, receivedAtMs, expiresAtHours, pool, sizeBytes }
}

/** A slot's row: `checksum[4] | arrival[8] | signed header[190] | body`. */
export interface SlotRow {
  readonly arrival: number
  readonly signed: Uint8Array
  readonly body: Uint8Array
}

export function encodeSlot({ arrival, signed, body }: SlotRow): Buffer {
  const value = newValue(8 + slotHeaderBytes + body.length)
  writeU64(value, arrival, 4)
  value.set(signed, 12)
  value.set(body, 12 + slotHeaderBytes)
  return value
}

/** @throws {AbzuError} ABZU_STORE_DAMAGED */
export function decodeSlot(key: Uint8Array, value: Uint8Array): SlotRow {
  const content = unseal(key, value)
  if (content.length < 8 + slotHeaderBytes) throw damaged('the row of a slot is too short')
  return {
    arrival: readU64(content, 0),
    signed: content.subarray(8, 8 + slotHeaderBytes),
    body: content.subarray(8 + slotHeaderBytes),
  }
}
