/**
 * The outside of sealed mail, which hosts may read:
 * `01 | suite[1] | keyId[8] | expiresAt[4, hours since 1970] | enc[1120] | ct`.
 * @see docs/protocol.md#envelope
 * @module
 */

import { concatBytes, readU32be, u32be } from '../util/bytes.ts'
import { AbzuError } from '../util/errors.ts'
import { wireLimits } from './limits.ts'

/** X-Wing / HKDF-SHA256 / ChaCha20Poly1305. */
export const suiteXWing = 0x01
const envelopeVersion = 0x01
export const keyIdBytes = 8
export const envelopeHeaderBytes = 14
/** X-Wing encapsulation. */
export const encapsulationBytes = 1120
/** Header, encapsulation, the least padded plaintext and its tag. */
export const envelopeBytesMin = envelopeHeaderBytes + encapsulationBytes + 256 + 16

export interface EnvelopeHeader {
  readonly suite: number
  /** 8 bytes: the prekey that opens it. */
  readonly keyId: Uint8Array
  /** Hours since 1970. */
  readonly expiresAtHours: number
}

export function encodeEnvelopeHeader({ suite, keyId, expiresAtHours }: EnvelopeHeader): Uint8Array {
  return concatBytes(new Uint8Array([envelopeVersion, suite]), keyId, u32be(expiresAtHours))
}

/** Reads the header of a whole envelope and checks its size.
 *  @throws {AbzuError} ABZU_MALFORMED, ABZU_TOO_LARGE */
export function parseEnvelopeHeader(envelope: Uint8Array): EnvelopeHeader {
  if (envelope.length > wireLimits.envelopeBytesMax) {
    throw new AbzuError('ABZU_TOO_LARGE', `an envelope of ${envelope.length} bytes`)
  }
  if (envelope.length < envelopeBytesMin || envelope[0] !== envelopeVersion) {
    throw new AbzuError('ABZU_MALFORMED', 'not an envelope of version 1')
  }
  if (envelope[1] !== suiteXWing) {
    throw new AbzuError('ABZU_MALFORMED', `envelope suite ${envelope[1]} is not supported`)
  }
  return {
    suite: suiteXWing,
    keyId: envelope.subarray(2, 10),
    expiresAtHours: readU32be(envelope, 10),
  }
}
