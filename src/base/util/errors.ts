/**
 * Every error that Abzu reports, and the one class that carries it. A code is matched, never a
 * message; `docs/errors.md` has a row for each code.
 * @module
 */

export const errorCodes = [
  // what the caller said
  'ABZU_INVALID_ARGUMENT',
  'ABZU_CONFIG_INVALID',
  'ABZU_NOT_YET',
  'ABZU_NOT_FOUND',
  'ABZU_ALREADY_EXISTS',
  // bytes and texts that are not what they claim to be
  'ABZU_MALFORMED',
  'ABZU_TOO_LARGE',
  'ABZU_ADDRESS_INVALID',
  'ABZU_LINK_INVALID',
  'ABZU_WORDS_INVALID',
  'ABZU_SHARE_INVALID',
  'ABZU_FILE_INVALID',
  'ABZU_SIGNATURE_INVALID',
  'ABZU_SEAL_BROKEN',
  'ABZU_EXPORT_INVALID',
  'ABZU_EXPORT_NEWER',
  // who may do what
  'ABZU_DENIED',
  'ABZU_WRONG_PASSWORD',
  'ABZU_LOCKED',
  'ABZU_ACCOUNT_MOVED',
  'ABZU_SESSION_INVALID',
  'ABZU_INSECURE_MODE',
  // what a mailbox's host answers to a delivery
  'ABZU_NOT_HOSTED',
  'ABZU_STALE_KEY',
  'ABZU_DOOR_CLOSED',
  'ABZU_STRANGERS_REFUSED',
  'ABZU_STAMP_INVALID',
  'ABZU_STAMP_TOO_COSTLY',
  'ABZU_EXPIRED',
  'ABZU_RATE_LIMITED',
  'ABZU_QUOTA_EXCEEDED',
  // the disk
  'ABZU_HOME_IN_USE',
  'ABZU_IO',
  'ABZU_DISK_FULL',
  'ABZU_STORE_FAILED',
  'ABZU_STORE_DAMAGED',
  'ABZU_STORE_NEWER',
  // the network and other programs
  'ABZU_NO_DAEMON',
  'ABZU_NODE_TOO_OLD',
  'ABZU_PORT_IN_USE',
  'ABZU_UNREACHABLE',
  'ABZU_TIMEOUT',
  'ABZU_OVERLOADED',
  'ABZU_PROTOCOL_VIOLATION',
  'ABZU_CLOSED',
  // a bug of ours, told to others without detail
  'ABZU_INTERNAL',
] as const

export type ErrorCode = (typeof errorCodes)[number]

/** The one error class. `message` is for people and logs and never travels to a peer. */
export class AbzuError extends Error {
  override readonly name = 'AbzuError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** Whether `error` is an `AbzuError`, of `code` where one is given. */
export function isAbzuError(error: unknown, code?: ErrorCode): error is AbzuError {
  return error instanceof AbzuError && (code === undefined || error.code === code)
}

/** `error` itself where it is an `AbzuError`; otherwise `ABZU_INTERNAL` with the error as its cause. */
export function toAbzuError(error: unknown): AbzuError {
  if (error instanceof AbzuError) return error
  return new AbzuError('ABZU_INTERNAL', 'something went wrong inside Abzu', { cause: error })
}

/** States an invariant of our own code. Hostile input never reaches one.
 *  @throws {Error} where `condition` is false: a bug. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`)
}
