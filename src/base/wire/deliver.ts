/** Messages of `/abzu/deliver/1.0.0`. Hot path: arrays, checked by hand-picked shapes. @see docs/protocol.md#delivery @module */

import { AbzuError } from '../util/errors.ts'
import { decode, encode } from './codec.ts'
import { wireLimits } from './limits.ts'
import { bytes, bytesBetween, literal, list, tuple, uint } from './shape.ts'

/** Door id, and proof of holding the door's key. */
export const doorIdBytes = 8
export const doorProofBytes = 16

/** A stamp: the number that its finder tried last, big endian. */
export const stampBytes = 8

/** Requests of one stream that may be unanswered at once. */
export const deliveriesInFlightMax = 512

/** The deliverer holds the key of a door. */
export interface DoorPass {
  /** 8 bytes: which door of the mailbox. */
  readonly doorId: Uint8Array
  /** 16 bytes: see `doorProof` of base/crypto. */
  readonly proof: Uint8Array
}

/** The deliverer has no token, and has worked instead. */
export interface StampPass {
  /** 8 bytes: see base/crypto/stamp.ts. */
  readonly stamp: Uint8Array
}

/** What lets an envelope in. */
export type Pass = DoorPass | StampPass

/** The pass in `whole`, and nothing else of it. */
export function passOf(whole: Pass): Pass {
  if ('stamp' in whole) return { stamp: whole.stamp }
  return { doorId: whole.doorId, proof: whole.proof }
}

export type DeliverRequest = Pass & {
  /** Chosen by the sender, unique among its unanswered requests of this stream. */
  readonly requestId: number
  /** 32 bytes. */
  readonly mailbox: Uint8Array
  readonly envelope: Uint8Array
}

export type DeliverAnswer =
  | {
      readonly kind: 'receipt'
      /** The requests that this receipt answers. */
      readonly requestIds: readonly number[]
      /** Signed receipt statement over the items of those requests. */
      readonly statement: Uint8Array
    }
  | {
      readonly kind: 'refused'
      readonly requestId: number
      /** See error-numbers.ts. */
      readonly error: number
      /** Before this many ms a repetition is pointless; 0 where it is not a matter of time. */
      readonly retryAfterMs: number
      /** With ABZU_STALE_KEY and ABZU_STAMP_INVALID the newest mailbox record, otherwise empty. */
      readonly record: Uint8Array
    }

const tag = { deliver: 0, receipt: 1, refused: 2, stamped: 3 } as const
const u32Max = 2 ** 32 - 1

const requestShape = tuple(
  literal(tag.deliver),
  uint(u32Max),
  bytes(32),
  bytes(doorIdBytes),
  bytes(doorProofBytes),
  bytesBetween(1, wireLimits.envelopeBytesMax),
)
const stampedShape = tuple(
  literal(tag.stamped),
  uint(u32Max),
  bytes(32),
  bytes(stampBytes),
  bytesBetween(1, wireLimits.envelopeBytesMax),
)
const receiptShape = tuple(
  literal(tag.receipt),
  list(uint(u32Max), deliveriesInFlightMax),
  bytesBetween(64, 64 * 1024),
)
const refusedShape = tuple(
  literal(tag.refused),
  uint(u32Max),
  uint(0xffff),
  uint(2 ** 31),
  bytesBetween(0, wireLimits.recordBytesMax),
)

export function encodeDeliverRequest(request: DeliverRequest): Uint8Array {
  const { requestId, mailbox, envelope } = request
  return 'stamp' in request
    ? encode([tag.stamped, requestId, mailbox, request.stamp, envelope])
    : encode([tag.deliver, requestId, mailbox, request.doorId, request.proof, envelope])
}

/** @throws {AbzuError} ABZU_MALFORMED */
export function decodeDeliverRequest(payload: Uint8Array): DeliverRequest {
  const value = decode(payload)
  if (Array.isArray(value) && value[0] === tag.stamped) {
    const [, requestId, mailbox, stamp, envelope] = stampedShape(value, 'stamped delivery')
    return { requestId, mailbox, stamp, envelope }
  }
  const [, requestId, mailbox, doorId, proof, envelope] = requestShape(value, 'delivery')
  return { requestId, mailbox, doorId, proof, envelope }
}

export function encodeDeliverAnswer(answer: DeliverAnswer): Uint8Array {
  return answer.kind === 'receipt'
    ? encode([tag.receipt, answer.requestIds, answer.statement])
    : encode([tag.refused, answer.requestId, answer.error, answer.retryAfterMs, answer.record])
}

/** @throws {AbzuError} ABZU_MALFORMED */
export function decodeDeliverAnswer(payload: Uint8Array): DeliverAnswer {
  const value = decode(payload)
  const kind: unknown = Array.isArray(value) ? value[0] : undefined
  if (kind === tag.receipt) {
    const [, requestIds, statement] = receiptShape(value, 'receipt')
    return { kind: 'receipt', requestIds, statement }
  }
  if (kind === tag.refused) {
    const [, requestId, error, retryAfterMs, newest] = refusedShape(value, 'refusal')
    return { kind: 'refused', requestId, error, retryAfterMs, record: newest }
  }
  throw new AbzuError('ABZU_MALFORMED', 'an answer of an unknown kind')
}
