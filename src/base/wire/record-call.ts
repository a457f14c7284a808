/** Request of `/abzu/record/1.0.0`: one mailbox; the answer is its signed record. @see docs/protocol.md#mailbox-record @module */

import { encode } from './codec.ts'
import { bytes, decodeShape, literal, tuple } from './shape.ts'

const getTag = 0
const requestShape = tuple(literal(getTag), bytes(32))

export function encodeRecordRequest(mailbox: Uint8Array): Uint8Array {
  return encode([getTag, mailbox])
}

/** The mailbox that is asked for.
 *  @throws {AbzuError} ABZU_MALFORMED */
export function decodeRecordRequest(payload: Uint8Array): Uint8Array {
  const [, mailbox] = decodeShape(requestShape, payload, 'record request')
  return mailbox
}
