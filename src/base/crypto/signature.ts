/**
 * Signed statements: `body | signature[64]`, the signature over `label | body`. Verified are the bytes
 * that travelled, never a re-encoding of them.
 * @see docs/protocol.md#records
 * @module
 */

import { concatBytes } from '../util/bytes.ts'
import { AbzuError } from '../util/errors.ts'
import type { Label } from './labels.ts'
import type { CryptoPlatform } from './platform.ts'

export const signatureBytes = 64

type Signing = Pick<CryptoPlatform, 'ed25519'>

/** `body | signature` by the Ed25519 key of `seed`. */
export function signStatement(
  platform: Signing,
  label: Label,
  seed: Uint8Array,
  body: Uint8Array,
): Uint8Array {
  return concatBytes(body, platform.ed25519.sign(seed, concatBytes(label, body)))
}

/** The body of a statement, not verified yet: for statements that name their signer.
 *  @throws {AbzuError} ABZU_MALFORMED */
export function unverifiedBody(signed: Uint8Array): Uint8Array {
  if (signed.length <= signatureBytes) {
    throw new AbzuError('ABZU_MALFORMED', 'a signed statement of no length')
  }
  return signed.subarray(0, signed.length - signatureBytes)
}

/** The body of a statement that `publicKey` signed under `label`; shares memory with `signed`.
 *  @throws {AbzuError} ABZU_MALFORMED, ABZU_SIGNATURE_INVALID */
export function openStatement(
  platform: Signing,
  label: Label,
  publicKey: Uint8Array,
  signed: Uint8Array,
): Uint8Array {
  const body = unverifiedBody(signed)
  const signature = signed.subarray(body.length)
  if (!platform.ed25519.verify(publicKey, concatBytes(label, body), signature)) {
    throw new AbzuError('ABZU_SIGNATURE_INVALID', 'a statement whose signature is not valid')
  }
  return body
}
