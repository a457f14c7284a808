// Invariant I25: one strict rule of verification, the same answer from node:crypto and noble.
import t from 'tap'
import { ED25519_TORSION_SUBGROUP, ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { isStrictPublicKey, isStrictSignature } from '../../../src/base/crypto/ed25519-strict.ts'
import { noblePlatform } from '../../../src/base/crypto/noble-platform.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { concatBytes, fromHex, utf8 } from '../../../src/base/util/bytes.ts'
import { hex, readVectors } from '../../support/vectors.ts'
import { holds } from '../../support/property.ts'

const node = nodePlatform()
const noble = noblePlatform({ random: (length) => node.random(length) })
const { Point } = ed25519
const { Fn } = Point

/** The answer of both platforms, which must be one. */
function verdict(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const answer = node.ed25519.verify(publicKey, message, signature)
  if (noble.ed25519.verify(publicKey, message, signature) !== answer) {
    throw new Error(`node:crypto says ${answer}, noble the contrary`)
  }
  return answer
}

interface SignatureVector {
  readonly publicKey: string
  readonly message: string
  readonly signature: string
  readonly comment: string
}

t.test('Wycheproof', (t) => {
  const { vectors } = readVectors<{ vectors: (SignatureVector & { valid: boolean })[] }>(
    'published/ed25519-wycheproof',
  )
  for (const { publicKey, message, signature, valid, comment } of vectors) {
    t.equal(verdict(hex(publicKey), hex(message), hex(signature)), valid, comment)
  }
  t.equal(vectors.length, 21)
  t.end()
})

t.test('Taming the many EdDSAs: the answers of a strict verifier', (t) => {
  const { vectors } = readVectors<{ vectors: (SignatureVector & { strict: boolean })[] }>(
    'published/ed25519-speccheck',
  )
  for (const { publicKey, message, signature, strict, comment } of vectors) {
    t.equal(verdict(hex(publicKey), hex(message), hex(signature)), strict, comment)
  }
  t.equal(vectors.length, 12)
  t.end()
})

t.test('a key of small order verifies nothing', (t) => {
  const identity = hex(`01${'00'.repeat(31)}`)
  const forAnyMessage = concatBytes(identity, new Uint8Array(32))
  for (const small of ED25519_TORSION_SUBGROUP) {
    const key = fromHex(small) as Uint8Array
    t.notOk(isStrictPublicKey(key), small)
    t.notOk(isStrictSignature(concatBytes(key, new Uint8Array(32))), small)
    t.notOk(verdict(key, utf8('anything'), forAnyMessage), small)
    const negative = Uint8Array.from(key)
    negative[31] = (negative[31] as number) ^ 0x80
    t.notOk(isStrictPublicKey(negative), `${small} with the other sign`)
  }
  t.equal(ED25519_TORSION_SUBGROUP.length, 8)
  t.end()
})

t.test('an encoding of y beyond the field is no key', (t) => {
  for (let y = (1n << 255n) - 19n; y < 1n << 255n; y++) {
    const key = Uint8Array.from({ length: 32 }, (_, i) => Number((y >> BigInt(8 * i)) & 255n))
    t.notOk(isStrictPublicKey(key))
    key[31] = (key[31] as number) | 0x80
    t.notOk(isStrictPublicKey(key))
  }
  t.end()
})

t.test('wrong lengths verify nothing and throw nothing', (t) => {
  const seed = new Uint8Array(32).fill(1)
  const publicKey = node.ed25519.publicKey(seed)
  const signature = node.ed25519.sign(seed, utf8('m'))
  t.ok(verdict(publicKey, utf8('m'), signature))
  for (const length of [0, 1, 31, 33, 63, 65, 128]) {
    const other = concatBytes(signature, signature).slice(0, length)
    t.notOk(verdict(publicKey, utf8('m'), other), `a signature of ${length} bytes`)
    t.notOk(verdict(other, utf8('m'), signature), `a key of ${length} bytes`)
  }
  t.end()
})

/** Signs with a key and a nonce to which points of small order were added: valid under a verification
 *  with cofactor always, without it only where the added points cancel out. */
function twistedSignature(init: { a: bigint; r: bigint; twistA: number; twistR: number }): {
  publicKey: Uint8Array
  signature: Uint8Array
} {
  const twist = (index: number) => Point.fromHex(ED25519_TORSION_SUBGROUP[index] as string)
  const publicKey = Point.BASE.multiply(init.a).add(twist(init.twistA)).toBytes()
  const r = Point.BASE.multiply(init.r).add(twist(init.twistR)).toBytes()
  const digest = sha512(concatBytes(r, publicKey, utf8('twisted')))
  const k = Fn.create(digest.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n))
  return { publicKey, signature: concatBytes(r, Fn.toBytes(Fn.create(init.r + k * init.a))) }
}

t.test('both platforms agree on keys and signatures with parts of small order', (t) => {
  const scalar = fc.bigInt({ min: 1n, max: Fn.ORDER - 1n })
  const index = fc.nat({ max: 7 })
  const counts = { accepted: 0, refused: 0 }
  holds(
    t,
    fc.property(scalar, scalar, index, index, (a, r, twistA, twistR) => {
      const { publicKey, signature } = twistedSignature({ a, r, twistA, twistR })
      const accepted = verdict(publicKey, utf8('twisted'), signature)
      counts[accepted ? 'accepted' : 'refused']++
    }),
    { seed: 25, runs: 400 },
  )
  t.ok(counts.accepted > 20 && counts.refused > 100, JSON.stringify(counts))
  t.end()
})

t.test('both platforms sign alike, and agree on what was changed', (t) => {
  const counts = { accepted: 0, refused: 0 }
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
  const flip = fc.record({ where: fc.constantFrom('key', 'message', 'signature'), bit: fc.nat() })
  holds(
    t,
    fc.property(
      bytes(32),
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.array(flip, { maxLength: 2 }),
      (seed, message, flips) => {
        const publicKey = node.ed25519.publicKey(seed)
        const signature = node.ed25519.sign(seed, message)
        if (concatBytes(publicKey, signature).join() !== nobleSigned(seed, message).join()) {
          throw new Error('signed differently')
        }
        const parts = { key: publicKey, message, signature }
        for (const { where, bit } of flips) {
          const part = parts[where]
          const place = bit % (part.length * 8)
          part[place >> 3] = (part[place >> 3] as number) ^ (1 << (place & 7))
        }
        const accepted = verdict(parts.key, parts.message, parts.signature)
        counts[accepted ? 'accepted' : 'refused']++
      },
    ),
    { seed: 8032, runs: 400 },
  )
  t.ok(counts.accepted > 50 && counts.refused > 100, JSON.stringify(counts))
  t.end()
})

function nobleSigned(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return concatBytes(noble.ed25519.publicKey(seed), noble.ed25519.sign(seed, message))
}
