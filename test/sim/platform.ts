/**
 * The primitives of simulated machines. All randomness is seeded, so the same seed gives the same bytes. What costs
 * much is played by hashes that hold what the code relies on, and stop nobody who wants to get round them: a signature
 * is of one key and one message, a secret is opened by one key, and whatever is altered is another one.
 * @module
 */

import { hash } from 'node:crypto'
import { labels } from '../../src/base/crypto/labels.ts'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import type { CryptoPlatform, Ed25519, Kem } from '../../src/base/crypto/platform.ts'
import { concatBytes, equalBytes, mapKey, utf8 } from '../../src/base/util/bytes.ts'
import { encapsulationBytes } from '../../src/base/wire/envelope.ts'
import type { Random } from './random.ts'

const kemPublicKeyBytes = 1216
const opening = utf8('a key that opens')
const keysKeptMax = 20_000
const node = nodePlatform()
const publicKeys = new Map<string, Uint8Array>()

const ed25519: Ed25519 = {
  publicKey,
  sign: (seed, message) => signature(publicKey(seed), message),
  verify: (key, message, signed) => equalBytes(signature(key, message), signed),
}

/** The real one: an address says of others that they are none. */
function publicKey(seed: Uint8Array): Uint8Array {
  const text = mapKey(seed)
  const key = publicKeys.get(text) ?? node.ed25519.publicKey(seed)
  if (publicKeys.size >= keysKeptMax) publicKeys.clear()
  publicKeys.set(text, key)
  return key
}

function signature(key: Uint8Array, message: Uint8Array): Uint8Array {
  return Uint8Array.from(hash('sha512', concatBytes(key, message), 'buffer'))
}

/** A public key is a hash of its seed, and zeros. */
function kemOf(random: Random): Kem {
  const keyOf = (seed: Uint8Array): Uint8Array => {
    const whole = new Uint8Array(kemPublicKeyBytes)
    whole.set(node.sha256(opening, seed))
    return whole
  }
  const secret = (key: Uint8Array, enc: Uint8Array): Uint8Array => node.sha256(key, enc)
  return {
    publicKey: keyOf,
    encapsulate(key) {
      const enc = new Uint8Array(encapsulationBytes)
      enc.set(random.bytes(32))
      return { shared: secret(key, enc), enc }
    },
    decapsulate: (seed, enc) => secret(keyOf(seed), enc),
  }
}

/** Passwords and stamps cost nothing. */
export function simPlatform(random: Random): CryptoPlatform {
  return {
    ...node,
    random: (length) => random.bytes(length),
    ed25519,
    kem: kemOf(random),
    sha256(...parts) {
      const digest = node.sha256(...parts)
      if (parts.length === 1 && isOfStamp(parts[0] as Uint8Array)) digest.fill(0, 0, 2)
      return digest
    },
    argon2id: async (password, salt) => node.sha256(concatBytes(salt, password)),
  }
}

/** What a stamp is made of begins with this: no hash of it is hard to find here. */
function isOfStamp(text: Uint8Array): boolean {
  const { stamp } = labels
  if (text.length <= stamp.length) return false
  for (let n = stamp.length - 1; n >= 0; n--) if (text[n] !== stamp[n]) return false
  return true
}
