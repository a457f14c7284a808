/** Bytes inside a text that people paste: base64url without padding. @module */

import { base64urlnopad } from '@scure/base'
import { AbzuError } from '../util/errors.ts'

export function toBase64url(bytes: Uint8Array): string {
  return base64urlnopad.encode(bytes)
}

/** @throws {AbzuError} ABZU_MALFORMED */
export function fromBase64url(text: string): Uint8Array {
  try {
    return base64urlnopad.decode(text)
  } catch (cause) {
    throw new AbzuError('ABZU_MALFORMED', 'not base64url', { cause })
  }
}
