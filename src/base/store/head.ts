/**
 * The head of an item as a row: everything but its body. It is kept twice, under the item's id and under
 * its place in the order of arrival, so that one can be made anew from the other.
 *
 * `checksum[4] | kind[1] | pool[1] | id[32] | arrival[8] | received ms[6] | expires hours[4] | size[4] |
 * checksum of the body[4]`, and for a slot `class[1] | key[20]`
 * @module
 */

import type { ItemId } from '../util/brand.ts'
import { slotHeaderBytes, slotKeyBytes, type SlotClass } from '../wire/slot.ts'
import type { ItemHead, ItemKind } from './item-store.ts'
import { itemKinds } from './keys.ts'
import { damaged, newValue, readU64, unseal, writeU64 } from './row.ts'

export interface StoredHead extends ItemHead {
  /** Checksum of the row that holds the body; 0 for a slot, whose row carries its own. */
  readonly bodyChecksum: number
  /** Where a slot's row is. */
  readonly slot?: { readonly class: SlotClass; readonly key: Uint8Array }
}

const plainBytes = 60
const slotBytes = plainBytes + 1 + slotKeyBytes
const kindNames = new Map<number, ItemKind>(
  Object.entries(itemKinds).map(([name, number]) => [number, name as ItemKind]),
)

/** The value of a head's rows, not sealed yet. */
export function encodeHead(head: StoredHead): Buffer {
  const value = newValue(head.slot ? slotBytes : plainBytes)
  value[4] = itemKinds[head.kind]
  value[5] = head.pool
  value.set(head.id, 6)
  writeU64(value, head.arrival, 38)
  value.writeUIntBE(head.receivedAtMs, 46, 6)
  value.writeUInt32BE(head.expiresAtHours, 52)
  value.writeUInt32BE(head.sizeBytes, 56)
  value.writeUInt32BE(head.bodyChecksum, 60)
  if (head.slot) {
    value[64] = head.slot.class
    value.set(head.slot.key, 65)
  }
  return value
}

/** @throws {AbzuError} ABZU_STORE_DAMAGED */
export function decodeHead(key: Uint8Array, value: Uint8Array): StoredHead {
  const content = unseal(key, value)
  const kind = kindNames.get(content[0] ?? 0)
  if (!kind || content.length !== (kind === 'slot' ? slotBytes : plainBytes)) {
    throw damaged('the head of an item has no known form')
  }
  return {
    kind,
    pool: content[1] as number,
    id: content.subarray(2, 34) as Uint8Array as ItemId,
    arrival: readU64(content, 34),
    receivedAtMs: content.readUIntBE(42, 6),
    expiresAtHours: content.readUInt32BE(48),
    sizeBytes: content.readUInt32BE(52),
    bodyChecksum: content.readUInt32BE(56),
    ...(kind === 'slot' && {
      slot: { class: content[60] as SlotClass, key: content.subarray(61) },
    }),
  }
}

/** The head as others see it. */
export function publicHead(head: StoredHead): ItemHead {
  const { bodyChecksum: _, slot: __, ...rest } = head
  return rest
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
