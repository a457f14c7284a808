/**
 * The rule of Ed25519 verification that every platform follows. Libraries differ on points of small order
 * (under such a key one signature fits any message), on encodings beyond the field and on the cofactor;
 * Abzu refuses the first two before it asks a library and has no cofactor in its equation.
 * @see https://eprint.iacr.org/2020/1244 (Taming the many EdDSAs)
 * @module
 */

import { compareBytes, fromHex } from '../util/bytes.ts'

const pointBytes = 32
const signatureBytes = 64

/** y of the eight points of small order, little endian, without the sign bit. */
const smallOrderYs = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
].map((hex) => fromHex(hex) as Uint8Array)

/** p = 2^255 - 19, big endian. */
const fieldPrime = fromHex(
  '7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed',
) as Uint8Array

/** Whether 32 bytes encode y below p of a point that is not of small order. */
function isStrictPoint(bytes: Uint8Array): boolean {
  const y = Uint8Array.from(bytes)
  y[pointBytes - 1] = (y[pointBytes - 1] as number) & 0x7f
  if (smallOrderYs.some((small) => compareBytes(small, y) === 0)) return false
  return compareBytes(y.reverse(), fieldPrime) < 0
}

/** Whether `bytes` may be a public key. That the point lies on the curve is left to the verification. */
export function isStrictPublicKey(bytes: Uint8Array): boolean {
  return bytes.length === pointBytes && isStrictPoint(bytes)
}

/** Whether `bytes` may be a signature, by its first half. That S is below the group order is left to the
 *  verification. */
export function isStrictSignature(bytes: Uint8Array): boolean {
  return bytes.length === signatureBytes && isStrictPoint(bytes.subarray(0, pointBytes))
}
