/**
 * X-Wing's own arithmetic: how its parts are laid out and how the two secrets become one.
 * @see https://datatracker.ietf.org/doc/draft-connolly-cfrg-xwing-kem/ section 5
 * @module
 */

import { concatBytes, utf8 } from '../util/bytes.ts'
import { AbzuError } from '../util/errors.ts'

export const xwing = {
  seedBytes: 32,
  publicKeyBytes: 1216,
  encBytes: 1120,
  /** Bytes that SHAKE256 expands the seed to: the seed of ML-KEM and the X25519 scalar. */
  expandedBytes: 96,
  mlkemSeedBytes: 64,
  mlkemPublicKeyBytes: 1184,
  mlkemCiphertextBytes: 1088,
} as const

const xwingLabel = utf8('\\.//^\\')

/** What SHA3-256 turns into the shared secret. */
export function xwingCombinerInput(parts: {
  readonly mlkemShared: Uint8Array
  readonly x25519Shared: Uint8Array
  readonly x25519Ciphertext: Uint8Array
  readonly x25519PublicKey: Uint8Array
}): Uint8Array {
  const { mlkemShared, x25519Shared, x25519Ciphertext, x25519PublicKey } = parts
  return concatBytes(mlkemShared, x25519Shared, x25519Ciphertext, x25519PublicKey, xwingLabel)
}

/** The ML-KEM and the X25519 part of a public key.
 *  @throws {AbzuError} ABZU_MALFORMED */
export function splitPublicKey(publicKey: Uint8Array): readonly [Uint8Array, Uint8Array] {
  return split(publicKey, xwing.publicKeyBytes, xwing.mlkemPublicKeyBytes)
}

/** The ML-KEM and the X25519 part of an encapsulation.
 *  @throws {AbzuError} ABZU_MALFORMED */
export function splitEnc(enc: Uint8Array): readonly [Uint8Array, Uint8Array] {
  return split(enc, xwing.encBytes, xwing.mlkemCiphertextBytes)
}

function split(bytes: Uint8Array, length: number, at: number): readonly [Uint8Array, Uint8Array] {
  if (bytes.length !== length) {
    throw new AbzuError('ABZU_MALFORMED', `X-Wing bytes of a wrong length: ${bytes.length}`)
  }
  return [bytes.subarray(0, at), bytes.subarray(at)]
}

/** Runs `work` of a library over bytes from elsewhere.
 *  @throws {AbzuError} ABZU_MALFORMED where the library refuses them */
export function refusingMalformed<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw new AbzuError('ABZU_MALFORMED', 'not acceptable to X-Wing', { cause })
  }
}
