/** An item as it travels from one copy of a mailbox to another, or into a file. @see docs/protocol.md#sync @module */

import { wireLimits } from './limits.ts'
import { bytesBetween, tuple, uint } from './shape.ts'
import { slotHeaderBytes } from './slot.ts'

/** The receiver computes its id. */
export interface CopiedItem {
  readonly kind: 'mail' | 'chunk' | 'slot'
  /** Hours since 1970; 0 = never. */
  readonly expiresAtHours: number
  readonly pool: number
  /** Of a slot its signed header, 190 bytes; otherwise empty. */
  readonly signed: Uint8Array
  readonly body: Uint8Array
}

const kinds = ['mail', 'chunk', 'slot'] as const

/** `[kind, expires hours, pool, signed header, body]`. */
export const copiedItemShape = tuple(
  uint(kinds.length - 1),
  uint(2 ** 32 - 1),
  uint(3),
  bytesBetween(0, slotHeaderBytes),
  bytesBetween(0, wireLimits.envelopeBytesMax),
)

/** As `copiedItemShape` has it. */
export type WireItem = readonly [number, number, number, Uint8Array, Uint8Array]

/** The item as it is encoded. */
export function toWireItem({ kind, expiresAtHours, pool, signed, body }: CopiedItem): WireItem {
  return [kinds.indexOf(kind), expiresAtHours, pool, signed, body]
}

/** The item that was encoded so. */
export function fromWireItem([kind, expiresAtHours, pool, signed, body]: WireItem): CopiedItem {
  return { kind: kinds[kind] as CopiedItem['kind'], expiresAtHours, pool, signed, body }
}
