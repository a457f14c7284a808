/** Numbers of the errors that a peer is told. Message texts never travel. @module */

import type { ErrorCode } from '../util/errors.ts'

const numbers = {
  ABZU_INTERNAL: 0,
  ABZU_MALFORMED: 1,
  ABZU_TOO_LARGE: 2,
  ABZU_NOT_HOSTED: 3,
  ABZU_STALE_KEY: 4,
  ABZU_DOOR_CLOSED: 5,
  ABZU_EXPIRED: 6,
  ABZU_RATE_LIMITED: 7,
  ABZU_QUOTA_EXCEEDED: 8,
  ABZU_OVERLOADED: 9,
  ABZU_STORE_FAILED: 10,
  ABZU_DISK_FULL: 11,
  ABZU_NOT_FOUND: 12,
  ABZU_DENIED: 13,
  ABZU_PROTOCOL_VIOLATION: 14,
  ABZU_STAMP_INVALID: 15,
  ABZU_STRANGERS_REFUSED: 16,
} as const satisfies Partial<Record<ErrorCode, number>>

const codes = new Map<number, ErrorCode>(
  Object.entries(numbers).map(([code, number]) => [number, code as ErrorCode]),
)

/** The number of `code`; that of ABZU_INTERNAL where a peer is not told more. */
export function errorNumber(code: ErrorCode): number {
  return (numbers as Partial<Record<ErrorCode, number>>)[code] ?? numbers.ABZU_INTERNAL
}

/** The code of a number that a peer sent; ABZU_INTERNAL where it is unknown. */
export function errorCode(number: number): ErrorCode {
  return codes.get(number) ?? 'ABZU_INTERNAL'
}
