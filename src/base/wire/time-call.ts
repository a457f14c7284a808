/** Messages of `/abzu/time/1.0.0`: what time a node has, and whether it trusts its own clock. @see docs/protocol.md#time @module */

import { encode } from './codec.ts'
import { decodeShape, literal, oneOf, tuple, uint } from './shape.ts'

const askTag = 0
const requestShape = tuple(literal(askTag))
const answerShape = tuple(oneOf(0, 1), uint())

export interface TimeAnswer {
  /** False where the node itself waits for others to confirm its time. */
  readonly isSure: boolean
  /** Wall clock, ms since 1970. */
  readonly nowMs: number
}

export function encodeTimeRequest(): Uint8Array {
  return encode([askTag])
}

/** @throws {AbzuError} ABZU_MALFORMED */
export function decodeTimeRequest(payload: Uint8Array): void {
  decodeShape(requestShape, payload, 'time request')
}

export function encodeTimeAnswer({ isSure, nowMs }: TimeAnswer): Uint8Array {
  return encode([isSure ? 1 : 0, nowMs])
}

/** @throws {AbzuError} ABZU_MALFORMED */
export function decodeTimeAnswer(payload: Uint8Array): TimeAnswer {
  const [sure, nowMs] = decodeShape(answerShape, payload, 'time answer')
  return { isSure: sure === 1, nowMs }
}
