/** msgpack, the one encoding of the wire and the disk. @see docs/protocol.md#encoding @module */

import { Packr, Unpackr } from 'msgpackr'
import { AbzuError } from '../util/errors.ts'
import { scan } from './scan.ts'

/** What a message may be made of. Undefined fields are left out by the callers, never encoded. */
export type WireValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly WireValue[]
  | { readonly [key: string]: WireValue }

const options = { useRecords: false, mapsAsObjects: true, variableMapSize: true } as const
const packr = new Packr(options)
const unpackr = new Unpackr({ ...options, copyBuffers: false, int64AsType: 'number' })

/** The bytes of `value`: equal values with equal key order give equal bytes. */
export function encode(value: WireValue): Uint8Array {
  return packr.pack(value)
}

/** The value of `bytes`, after a strict scan. Its byte strings share memory with `bytes`.
 *  @throws {AbzuError} ABZU_MALFORMED */
export function decode(bytes: Uint8Array): unknown {
  scan(bytes)
  try {
    return unpackr.unpack(bytes)
  } catch (cause) {
    throw new AbzuError('ABZU_MALFORMED', 'msgpack decoding failed', { cause })
  }
}
