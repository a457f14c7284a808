/**
 * Messages of `/abzu/record/1.0.0`, one question and one answer a stream: the record of a mailbox is asked for,
 * or one is offered to be held.
 * @see docs/protocol.md#directory
 * @module
 */

import { decode, encode } from './codec.ts'
import { AbzuError } from '../util/errors.ts'
import { wireLimits } from './limits.ts'
import { bytes, bytesBetween, literal, oneOf, tuple } from './shape.ts'

export type RecordRequest =
  /** The answer is the signed record, or the error NOT_FOUND. */
  | { readonly kind: 'get'; readonly mailbox: Uint8Array }
  /** A signed record, which names its mailbox itself. The answer is a PutAnswer, or an error that says why not. */
  | { readonly kind: 'put'; readonly record: Uint8Array }

/** What a holder did with a record that is valid. */
export type PutAnswer =
  /** It is held, and was before or is from now on; it is durable. */
  | { readonly kind: 'held' }
  /** Another one is newer: the one that is held. */
  | { readonly kind: 'stale'; readonly record: Uint8Array }
  /** The same device signed another one of the same number: the proof is both of them. */
  | { readonly kind: 'fork'; readonly record: Uint8Array }

const tag = { get: 0, put: 1 } as const
const put = { held: 0, stale: 1, fork: 2 } as const

const anyRecord = bytesBetween(65, wireLimits.recordBytesMax)
const getShape = tuple(literal(tag.get), bytes(32))
const putShape = tuple(literal(tag.put), anyRecord)
const heldShape = tuple(literal(put.held))
const otherShape = tuple(oneOf(put.stale, put.fork), anyRecord)

export function encodeRecordRequest(request: RecordRequest): Uint8Array {
  return encode(request.kind === 'get' ? [tag.get, request.mailbox] : [tag.put, request.record])
}

/** @throws {AbzuError} ABZU_MALFORMED */
export function decodeRecordRequest(payload: Uint8Array): RecordRequest {
  const value = decode(payload)
  const kind: unknown = Array.isArray(value) ? value[0] : undefined
  if (kind === tag.get) {
    const [, mailbox] = getShape(value, 'record request')
    return { kind: 'get', mailbox }
  }
  if (kind === tag.put) {
    const [, record] = putShape(value, 'record offer')
    return { kind: 'put', record }
  }
  throw new AbzuError('ABZU_MALFORMED', 'a record request of an unknown kind')
}

export function encodePutAnswer(answer: PutAnswer): Uint8Array {
  return encode(answer.kind === 'held' ? [put.held] : [put[answer.kind], answer.record])
}

/** @throws {AbzuError} ABZU_MALFORMED */
export function decodePutAnswer(payload: Uint8Array): PutAnswer {
  const value = decode(payload)
  if (Array.isArray(value) && value[0] === put.held) {
    heldShape(value, 'answer to a record offer')
    return { kind: 'held' }
  }
  const [kind, record] = otherShape(value, 'answer to a record offer')
  return { kind: kind === put.stale ? 'stale' : 'fork', record }
}
