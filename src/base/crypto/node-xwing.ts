/** X-Wing composed of ML-KEM-768, X25519, SHAKE256 and SHA3-256 of node:crypto. @module */

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  hash,
  type KeyObject,
} from 'node:crypto'
import { concatBytes, fromHex } from '../util/bytes.ts'
import { PublicKeyCache, SecretKeyCache } from './node-key-cache.ts'
import type { Kem } from './platform.ts'
import { refusingMalformed, splitEnc, splitPublicKey, xwing, xwingCombinerInput } from './xwing.ts'

const publicKeysMax = 256
/** DER in front of raw keys: RFC 9935 (seed form) and RFC 8410. */
const prefix = {
  mlkemSeed: fromHex('3054020100300b060960864801650304040204428040') as Uint8Array,
  mlkemPublic: fromHex('308204b2300b0609608648016503040402038204a100') as Uint8Array,
  x25519Secret: fromHex('302e020100300506032b656e04220420') as Uint8Array,
  x25519Public: fromHex('302a300506032b656e032100') as Uint8Array,
}

interface SecretKey {
  readonly mlkem: KeyObject
  readonly x25519: KeyObject
  /** 1216 bytes. */
  readonly publicKey: Uint8Array
}

function privateKey(der: Uint8Array, raw: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([der, raw]), format: 'der', type: 'pkcs8' })
}

function publicKey(der: Uint8Array, raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([der, raw]), format: 'der', type: 'spki' })
}

/** The raw public key of a key pair. */
function rawPublicKey(der: Uint8Array, key: KeyObject): Uint8Array {
  const spki = key.type === 'private' ? createPublicKey(key) : key
  return spki.export({ format: 'der', type: 'spki' }).subarray(der.length)
}

function parseSeed(seed: Uint8Array): SecretKey {
  const expanded = createHash('shake256', { outputLength: xwing.expandedBytes })
    .update(seed)
    .digest()
  const mlkem = privateKey(prefix.mlkemSeed, expanded.subarray(0, xwing.mlkemSeedBytes))
  const x25519 = privateKey(prefix.x25519Secret, expanded.subarray(xwing.mlkemSeedBytes))
  return {
    mlkem,
    x25519,
    publicKey: concatBytes(
      rawPublicKey(prefix.mlkemPublic, mlkem),
      rawPublicKey(prefix.x25519Public, x25519),
    ),
  }
}

function parsePublicKey(raw: Uint8Array): { mlkem: KeyObject; x25519: KeyObject } {
  const [mlkem, x25519] = splitPublicKey(raw)
  return {
    mlkem: publicKey(prefix.mlkemPublic, mlkem),
    x25519: publicKey(prefix.x25519Public, x25519),
  }
}

function combine(parts: Parameters<typeof xwingCombinerInput>[0]): Uint8Array {
  return Uint8Array.from(hash('sha3-256', xwingCombinerInput(parts), 'buffer'))
}

export function nodeXWing(): Kem {
  const secrets = new SecretKeyCache(parseSeed)
  const publics = new PublicKeyCache(publicKeysMax, parsePublicKey)
  return {
    publicKey: (seed) => Uint8Array.from(secrets.get(seed).publicKey),
    encapsulate: (recipient) =>
      refusingMalformed(() => {
        const { mlkem, x25519 } = publics.get(recipient)
        const { sharedKey, ciphertext } = encapsulate(mlkem)
        const ephemeral = generateKeyPairSync('x25519')
        const x25519Ciphertext = rawPublicKey(prefix.x25519Public, ephemeral.publicKey)
        const shared = combine({
          mlkemShared: sharedKey,
          x25519Shared: diffieHellman({ privateKey: ephemeral.privateKey, publicKey: x25519 }),
          x25519Ciphertext,
          x25519PublicKey: splitPublicKey(recipient)[1],
        })
        return { shared, enc: concatBytes(ciphertext, x25519Ciphertext) }
      }),
    decapsulate(seed, enc) {
      const own = secrets.get(seed)
      const [mlkemCiphertext, x25519Ciphertext] = splitEnc(enc)
      return refusingMalformed(() =>
        combine({
          mlkemShared: decapsulate(own.mlkem, mlkemCiphertext),
          x25519Shared: diffieHellman({
            privateKey: own.x25519,
            publicKey: publicKey(prefix.x25519Public, x25519Ciphertext),
          }),
          x25519Ciphertext,
          x25519PublicKey: splitPublicKey(own.publicKey)[1],
        }),
      )
    },
  }
}
