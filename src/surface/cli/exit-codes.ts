import type { ErrorCode } from '../../base/util/errors.ts'

/** The exit code of each error, after sysexits.h: the only place that knows one.
 *  @see docs/errors.md */
export const exitCodeOf: Readonly<Record<ErrorCode, number>> = {
  // 64: what was asked
  ABZU_INVALID_ARGUMENT: 64,
  ABZU_CONFIG_INVALID: 64,
  ABZU_NOT_YET: 64,
  ABZU_NOT_FOUND: 64,
  ABZU_ALREADY_EXISTS: 64,
  // 65: what was given
  ABZU_MALFORMED: 65,
  ABZU_TOO_LARGE: 65,
  ABZU_ADDRESS_INVALID: 65,
  ABZU_LINK_INVALID: 65,
  ABZU_WORDS_INVALID: 65,
  ABZU_SHARE_INVALID: 65,
  ABZU_FILE_INVALID: 65,
  ABZU_SIGNATURE_INVALID: 65,
  ABZU_SEAL_BROKEN: 65,
  ABZU_EXPORT_INVALID: 65,
  ABZU_EXPORT_NEWER: 65,
  ABZU_NOT_HOSTED: 65,
  ABZU_EXPIRED: 65,
  ABZU_STAMP_TOO_COSTLY: 65,
  // 69: no daemon, or a Node too old for one
  ABZU_NO_DAEMON: 69,
  ABZU_NODE_TOO_OLD: 69,
  // 70: a bug
  ABZU_INTERNAL: 70,
  // 73: the home is another daemon's
  ABZU_HOME_IN_USE: 73,
  // 74: the disk
  ABZU_IO: 74,
  ABZU_DISK_FULL: 74,
  ABZU_STORE_FAILED: 74,
  ABZU_STORE_DAMAGED: 74,
  ABZU_STORE_NEWER: 74,
  // 75: later
  ABZU_STALE_KEY: 75,
  ABZU_STAMP_INVALID: 75,
  ABZU_RATE_LIMITED: 75,
  ABZU_QUOTA_EXCEEDED: 75,
  ABZU_UNREACHABLE: 75,
  ABZU_TIMEOUT: 75,
  ABZU_OVERLOADED: 75,
  ABZU_PROTOCOL_VIOLATION: 75,
  ABZU_CLOSED: 75,
  // 76: the port is taken
  ABZU_PORT_IN_USE: 76,
  // 77: not allowed
  ABZU_DENIED: 77,
  ABZU_WRONG_PASSWORD: 77,
  ABZU_LOCKED: 77,
  ABZU_ACCOUNT_MOVED: 77,
  ABZU_SESSION_INVALID: 77,
  ABZU_INSECURE_MODE: 77,
  ABZU_DOOR_CLOSED: 77,
  ABZU_STRANGERS_REFUSED: 77,
}
