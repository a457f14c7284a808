/**
 * Which bytes count as an Ed25519 public key. Libraries differ on keys of small order (under which one
 * signature fits any message) and on encodings beyond the field; Abzu refuses both before it asks a
 * library, so that every platform gives the same answer.
 * @see https://eprint.iacr.org/2020/1244 (Taming the many EdDSAs)
 * @module
 */

import { compareBytes, fromHex } from '../util/bytes.ts'

/** y of the eight points of small order, little endian, without the sign bit. */
const smallOrderYs = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
].map((hex) => fromHex(hex) as Uint8Array)

/** p = 2^255 - 19, big endian. */
const fieldPrime = fromHex('7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed')

/** Whether 32 `bytes` may be a public key: y is below p and the point is not of small order. That the
 *  point lies on the curve is left to the verification. */
export function isStrictPublicKey(bytes: Uint8Array): boolean {
  if (bytes.length !== 32) return false
  const y = Uint8Array.from(bytes)
  y[31] = (y[31] as number) & 0x7f
  if (smallOrderYs.some((small) => compareBytes(small, y) === 0)) return false
  return compareBytes(y.reverse(), fieldPrime as Uint8Array) < 0
}
