// Published vectors of each primitive, on both platforms.
import t from 'tap'
import { argon2Sync } from 'node:crypto'
import { argon2id } from '@noble/hashes/argon2.js'
import { noblePlatform } from '../../../src/base/crypto/noble-platform.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import type { Argon2Params } from '../../../src/base/crypto/platform.ts'
import { toHex } from '../../../src/base/util/bytes.ts'
import { hex, readVectors } from '../../support/vectors.ts'

const node = nodePlatform()
const platforms = { node, noble: noblePlatform({ random: (length) => node.random(length) }) }

interface Vectors<T> {
  readonly vectors: readonly T[]
}

for (const [name, platform] of Object.entries(platforms)) {
  t.test(name, async (t) => {
    t.test('SHA-256, HMAC-SHA-256 and HMAC-SHA-512', (t) => {
      const { sha256, hmac } = readVectors<{
        sha256: { message: string; digest: string }[]
        hmac: { key: string; message: string; sha256: string; sha512: string }[]
      }>('published/hash')
      for (const { message, digest } of sha256) {
        t.equal(toHex(platform.sha256(hex(message))), digest)
        const parts = [hex(message).subarray(0, 1), new Uint8Array(), hex(message).subarray(1)]
        t.equal(toHex(platform.sha256(...parts)), digest, 'in parts')
      }
      for (const vector of hmac) {
        const [key, message] = [hex(vector.key), hex(vector.message)]
        const parts = [message.subarray(0, 3), message.subarray(3)]
        t.equal(toHex(platform.hmacSha256(key, message)), vector.sha256)
        t.equal(toHex(platform.hmacSha256(key, ...parts)), vector.sha256, 'in parts')
        t.equal(toHex(platform.hmacSha512(key, message)), vector.sha512)
        t.equal(toHex(platform.hmacSha512(key, ...parts)), vector.sha512, 'in parts')
      }
      t.equal(sha256.length + hmac.length, 4)
      t.end()
    })

    t.test('Ed25519 (RFC 8032)', (t) => {
      const { vectors } = readVectors<
        Vectors<{ seed: string; publicKey: string; message: string; signature: string }>
      >('published/ed25519-rfc8032')
      for (const { seed, publicKey, message, signature } of vectors) {
        t.equal(toHex(platform.ed25519.publicKey(hex(seed))), publicKey)
        t.equal(toHex(platform.ed25519.sign(hex(seed), hex(message))), signature)
        t.ok(platform.ed25519.verify(hex(publicKey), hex(message), hex(signature)))
      }
      t.equal(vectors.length, 4)
      t.end()
    })

    t.test('ChaCha20-Poly1305 and XChaCha20-Poly1305', (t) => {
      const { vectors } = readVectors<
        Vectors<{
          cipher: 'chacha20poly1305' | 'xchacha20poly1305'
          key: string
          nonce: string
          aad: string
          plain: string
          sealed: string
        }>
      >('published/aead')
      for (const { cipher, key, nonce, aad, plain, sealed } of vectors) {
        const [keyBytes, nonceBytes, aadBytes] = [hex(key), hex(nonce), hex(aad)]
        const aead = platform[cipher]
        t.equal(toHex(aead.seal(keyBytes, nonceBytes, aadBytes, hex(plain))), sealed, cipher)
        const opened = aead.open(keyBytes, nonceBytes, aadBytes, hex(sealed))
        t.equal(opened && toHex(opened), plain, cipher)
      }
      t.equal(vectors.length, 2)
      t.end()
    })

    t.test('X-Wing', (t) => {
      const { vectors } =
        readVectors<Vectors<{ seed: string; eseed: string; ss: string }>>('published/xwing')
      for (const { seed, eseed, ss } of vectors) {
        const publicKey = platform.kem.publicKey(hex(seed))
        t.equal(publicKey.length, 1216)
        // only noble takes the randomness of an encapsulation; its result enters ss
        const { shared, enc } = noblePlatform({ random: () => hex(eseed) }).kem.encapsulate(
          publicKey,
        )
        t.equal(toHex(shared), ss)
        t.equal(enc.length, 1120)
        t.equal(toHex(platform.kem.decapsulate(hex(seed), enc)), ss)
      }
      t.equal(vectors.length, 3)
      t.end()
    })

    t.test('Argon2id', async (t) => {
      const { vectors } =
        readVectors<Vectors<Argon2Params & { password: string; salt: string; tag: string }>>(
          'published/argon2id',
        )
      for (const { password, salt, tag, ...params } of vectors) {
        if (name === 'noble' && params.memoryKiB > 1024) continue // takes a second there
        t.equal(toHex(await platform.argon2id(hex(password), hex(salt), params)), tag)
      }
      t.equal(vectors.length, 3)
    })
  })
}

t.test('Argon2id with secret and associated data (RFC 9106), of both libraries', (t) => {
  const { rfc9106: v } = readVectors<{
    rfc9106: Argon2Params &
      Record<'password' | 'salt' | 'secret' | 'associatedData' | 'tag', string>
  }>('published/argon2id')
  const ofNode = argon2Sync('argon2id', {
    message: hex(v.password),
    nonce: hex(v.salt),
    secret: hex(v.secret),
    associatedData: hex(v.associatedData),
    memory: v.memoryKiB,
    passes: v.passes,
    parallelism: v.parallelism,
    tagLength: 32,
  })
  t.equal(toHex(ofNode), v.tag)
  const ofNoble = argon2id(hex(v.password), hex(v.salt), {
    m: v.memoryKiB,
    t: v.passes,
    p: v.parallelism,
    dkLen: 32,
    key: hex(v.secret),
    personalization: hex(v.associatedData),
  })
  t.equal(toHex(ofNoble), v.tag)
  t.end()
})
