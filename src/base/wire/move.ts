/**
 * The one call of `/abzu/move/1.0.0`: the home of an account tells another node that it is to be the next one.
 * @see docs/protocol.md#move
 * @module
 */

import { encode } from './codec.ts'
import { wireLimits } from './limits.ts'
import { sealKeyBytes } from './records.ts'
import {
  bytes,
  bytesBetween,
  decodeShape,
  list,
  literal,
  record,
  text,
  type Shaped,
} from './shape.ts'

const comingAccountShape = record({
  v: literal(1),
  rootPk: bytes(32),
  /** What the account is called where it comes from. */
  name: text(wireLimits.nameBytesMax),
  /** Signed certificate of the device that comes along. */
  certificate: bytesBetween(64, 512),
  /** X-Wing public key of the words. */
  recoveryPk: bytes(sealKeyBytes),
  /** The device's seeds behind the account's password. */
  wrappedDevice: bytesBetween(64, 512),
})
/** What a home tells the next one of an account. What the mailbox holds travels by sync. */
export type ComingAccount = Shaped<typeof comingAccountShape>

/** Where the next home is reached, each without its peer id. */
const answerShape = record({
  v: literal(1),
  addresses: list(text(wireLimits.addressBytesMax), wireLimits.addressesMax),
})
export type MoveAnswer = Shaped<typeof answerShape>

export function encodeMoveRequest(coming: ComingAccount): Uint8Array {
  return encode({ ...comingAccountShape(coming, 'coming account') })
}

/** @throws {AbzuError} ABZU_MALFORMED */
export function decodeMoveRequest(payload: Uint8Array): ComingAccount {
  return decodeShape(comingAccountShape, payload, 'coming account')
}

export function encodeMoveAnswer(answer: MoveAnswer): Uint8Array {
  return encode({ ...answerShape(answer, 'move answer') })
}

/** @throws {AbzuError} ABZU_MALFORMED */
export function decodeMoveAnswer(payload: Uint8Array): MoveAnswer {
  return decodeShape(answerShape, payload, 'move answer')
}
