/**
 * The primitives in plain JavaScript: for browsers, for the simulator with its seeded randomness, and as
 * the oracle that node:crypto is tested against.
 * @module
 */

import { chacha20poly1305, xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import { argon2id } from '@noble/hashes/argon2.js'
import { hmac } from '@noble/hashes/hmac.js'
import { scrypt } from '@noble/hashes/scrypt.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, equalBytes } from '../util/bytes.ts'
import { isStrictPublicKey, isStrictSignature } from './ed25519-strict.ts'
import { nobleXWing } from './noble-xwing.ts'
import type { Aead, CryptoPlatform, Ed25519 } from './platform.ts'

const tagBytes = 16

export interface NoblePlatformDeps {
  /** Unpredictable bytes; seeded ones in the simulator only. */
  readonly random: (length: number) => Uint8Array
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
}

/** Verifies as OpenSSL does, R = S·B - k·A without a cofactor and by comparing bytes: noble's own
 *  verification multiplies by the cofactor and accepts a little more. */
function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (!isStrictPublicKey(publicKey) || !isStrictSignature(signature)) return false
  const { BASE, Fn } = ed25519.Point
  const r = signature.subarray(0, 32)
  const s = littleEndian(signature.subarray(32))
  if (s >= Fn.ORDER) return false
  let a
  try {
    a = ed25519.Point.fromBytes(publicKey, false)
  } catch {
    return false
  }
  const k = Fn.create(littleEndian(sha512(concatBytes(r, publicKey, message))))
  const expected = BASE.multiplyUnsafe(s).add(a.negate().multiplyUnsafe(k))
  return equalBytes(expected.toBytes(), r)
}

const nobleEd25519: Ed25519 = {
  publicKey: (seed) => ed25519.getPublicKey(seed),
  sign: (seed, message) => ed25519.sign(message, seed),
  verify: verifyEd25519,
}

function aeadOf(cipher: typeof chacha20poly1305 | typeof xchacha20poly1305): Aead {
  return {
    seal: (key, nonce, aad, plain) => cipher(key, nonce, aad).encrypt(plain),
    open(key, nonce, aad, sealed) {
      if (sealed.length < tagBytes) return undefined
      const opener = cipher(key, nonce, aad)
      try {
        return opener.decrypt(sealed)
      } catch {
        return undefined
      }
    },
  }
}

/** The platform of a browser or a simulated node. */
export function noblePlatform({ random }: NoblePlatformDeps): CryptoPlatform {
  return {
    random,
    sha256: (...parts) => sha256(concatBytes(...parts)),
    hmacSha256: (key, ...parts) => hmac(sha256, key, concatBytes(...parts)),
    hmacSha512: (key, ...parts) => hmac(sha512, key, concatBytes(...parts)),
    ed25519: nobleEd25519,
    kem: nobleXWing(random),
    chacha20poly1305: aeadOf(chacha20poly1305),
    xchacha20poly1305: aeadOf(xchacha20poly1305),
    // the synchronous form: the other one asks the wall clock when to yield
    argon2id: async (password, salt, { memoryKiB, passes, parallelism }) =>
      argon2id(password, salt, { m: memoryKiB, t: passes, p: parallelism, dkLen: 32 }),
    scrypt: async (password, salt, { workFactor }) =>
      scrypt(password, salt, { N: 2 ** workFactor, r: 8, p: 1, dkLen: 32, maxmem: 2 ** 30 }),
  }
}
