/**
 * The primitives of simulated machines. All randomness is seeded, so the same seed gives the same ciphertexts, and
 * what is computed twice is computed once: most of a run is signatures that somebody has verified before.
 * @module
 */

import { createPrivateKey, createPublicKey, diffieHellman, hash, type KeyObject } from 'node:crypto'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { labels } from '../../src/base/crypto/labels.ts'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import { splitPublicKey, xwingCombinerInput } from '../../src/base/crypto/xwing.ts'
import { concatBytes, mapKey } from '../../src/base/util/bytes.ts'
import { verifiedOnce } from '../support/verified-once.ts'
import type { Random } from './random.ts'

const keptMax = 20_000
const pkcs8Prefix = Buffer.from('302e020100300506032b656e04220420', 'hex')
const spkiPrefix = Buffer.from('302a300506032b656e032100', 'hex')

/** Makes the platforms of machines. What they share changes no result. */
export class SimCrypto {
  readonly #node = nodePlatform()
  readonly #verify = verifiedOnce(this.#node.ed25519.verify)
  /** One array for each seed: node:crypto's keys are kept by it. */
  readonly #seeds = new Map<string, Uint8Array>()

  /** What follows from its inputs alone comes from node:crypto, many times as fast as noble and the same bytes
   *  (test/base/crypto/platforms-agree.test.ts). Passwords and stamps cost nothing. */
  platform(random: Random): CryptoPlatform {
    const node = this.#node
    const { ed25519, kem } = node
    const one = (seed: Uint8Array): Uint8Array => this.#one(seed)
    return {
      ...node,
      random: (length) => random.bytes(length),
      ed25519: {
        publicKey: (seed) => ed25519.publicKey(one(seed)),
        sign: (seed, message) => ed25519.sign(one(seed), message),
        verify: this.#verify,
      },
      kem: {
        publicKey: (seed) => kem.publicKey(one(seed)),
        decapsulate: (seed, enc) => kem.decapsulate(one(seed), enc),
        encapsulate: (publicKey) => encapsulate(publicKey, random),
      },
      sha256(...parts) {
        const digest = node.sha256(...parts)
        if (parts.length === 1 && isOfStamp(parts[0] as Uint8Array)) digest.fill(0, 0, 2)
        return digest
      },
      argon2id: async (password, salt) => node.sha256(concatBytes(salt, password)),
    }
  }

  #one(seed: Uint8Array): Uint8Array {
    const key = mapKey(seed)
    const known = this.#seeds.get(key)
    if (known) return known
    if (this.#seeds.size >= keptMax) this.#seeds.clear()
    const copy = Uint8Array.from(seed)
    this.#seeds.set(key, copy)
    return copy
  }
}

/** X-Wing with the randomness given: ML-KEM of noble, which takes it, and X25519 of node:crypto. */
function encapsulate(
  publicKey: Uint8Array,
  random: Random,
): ReturnType<CryptoPlatform['kem']['encapsulate']> {
  const [mlkemPublicKey, x25519PublicKey] = splitPublicKey(publicKey)
  const { sharedSecret, cipherText } = ml_kem768.encapsulate(mlkemPublicKey, random.bytes(32))
  const ephemeral = createPrivateKey({
    key: Buffer.concat([pkcs8Prefix, random.bytes(32)]),
    format: 'der',
    type: 'pkcs8',
  })
  const x25519Ciphertext = rawPublicKey(ephemeral)
  const recipient = createPublicKey({
    key: Buffer.concat([spkiPrefix, x25519PublicKey]),
    format: 'der',
    type: 'spki',
  })
  const input = xwingCombinerInput({
    mlkemShared: sharedSecret,
    x25519Shared: diffieHellman({ privateKey: ephemeral, publicKey: recipient }),
    x25519Ciphertext,
    x25519PublicKey,
  })
  const shared = Uint8Array.from(hash('sha3-256', input, 'buffer'))
  return { shared, enc: concatBytes(cipherText, x25519Ciphertext) }
}

function rawPublicKey(key: KeyObject): Uint8Array {
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return Uint8Array.from(spki.subarray(spkiPrefix.length))
}

/** What a stamp is made of begins with this: no hash of it is hard to find here. */
function isOfStamp(text: Uint8Array): boolean {
  const { stamp } = labels
  if (text.length <= stamp.length) return false
  for (let n = stamp.length - 1; n >= 0; n--) if (text[n] !== stamp[n]) return false
  return true
}
