// node:crypto and noble, each the other's oracle, over every primitive. Ed25519: ed25519-strict.test.ts.
import t from 'tap'
import fc from 'fast-check'
import { noblePlatform } from '../../../src/base/crypto/noble-platform.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import type { CryptoPlatform } from '../../../src/base/crypto/platform.ts'
import { equalBytes } from '../../../src/base/util/bytes.ts'
import { isAbzuError } from '../../../src/base/util/errors.ts'
import { holds, holdsInTime } from '../../support/property.ts'

const node = nodePlatform()
const noble = noblePlatform({ random: (length) => node.random(length) })
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const text = fc.uint8Array({ maxLength: 300 })

/** Whether both give the same bytes, in plain arrays. */
function same(work: (platform: CryptoPlatform) => Uint8Array): boolean {
  const [a, b] = [work(node), work(noble)]
  return a.constructor === Uint8Array && b.constructor === Uint8Array && equalBytes(a, b)
}

t.test('hashes and MACs, in any number of parts', (t) => {
  const parts = fc.array(text, { maxLength: 5 })
  holds(
    t,
    fc.property(fc.uint8Array({ maxLength: 200 }), parts, (key, parts) => {
      return (
        same((platform) => platform.sha256(...parts)) &&
        same((platform) => platform.hmacSha256(key, ...parts)) &&
        same((platform) => platform.hmacSha512(key, ...parts))
      )
    }),
    { seed: 1, runs: 1000 },
  )
  t.end()
})

for (const [name, nonceBytes] of [
  ['chacha20poly1305', 12],
  ['xchacha20poly1305', 24],
] as const) {
  t.test(name, (t) => {
    const flip = fc.option(fc.nat(), { freq: 1 })
    holds(
      t,
      fc.property(
        bytes(32),
        bytes(nonceBytes),
        text,
        text,
        flip,
        (key, nonce, aad, plain, flip) => {
          if (!same((platform) => platform[name].seal(key, nonce, aad, plain))) return false
          const sealed = node[name].seal(key, nonce, aad, plain)
          if (flip !== null) {
            const bit = flip % (sealed.length * 8)
            sealed[bit >> 3] = (sealed[bit >> 3] as number) ^ (1 << (bit & 7))
          }
          const expected = flip === null ? plain.join() : undefined
          return [node, noble].every(
            (platform) => platform[name].open(key, nonce, aad, sealed)?.join() === expected,
          )
        },
      ),
      { seed: 2, runs: 1000 },
    )
    for (const length of [0, 1, 15]) {
      for (const platform of [node, noble]) {
        const [key, nonce] = [new Uint8Array(32), new Uint8Array(nonceBytes)]
        const none = new Uint8Array()
        t.equal(platform[name].open(key, nonce, none, new Uint8Array(length)), undefined)
      }
    }
    t.end()
  })
}

t.test('X-Wing: keys, and secrets either way', (t) => {
  holds(
    t,
    fc.property(bytes(32), (seed) => {
      const publicKey = node.kem.publicKey(seed)
      return (
        same((platform) => platform.kem.publicKey(seed)) &&
        [node, noble].every((sender) => {
          const { shared, enc } = sender.kem.encapsulate(publicKey)
          return [node, noble].every((recipient) =>
            equalBytes(recipient.kem.decapsulate(seed, enc), shared),
          )
        })
      )
    }),
    { seed: 3, runs: 20 },
  )
  t.end()
})

/** The secret, or the code of the refusal. */
function outcome(work: () => Uint8Array): string {
  try {
    return work().join()
  } catch (error) {
    return isAbzuError(error) ? error.code : String(error)
  }
}

t.test('X-Wing: the same secret, or the same refusal, of bytes that were changed', (t) => {
  const seed = new Uint8Array(32).fill(1)
  const publicKey = node.kem.publicKey(seed)
  const change = fc.record({
    at: fc.nat(),
    value: fc.nat({ max: 255 }),
    from: fc.constantFrom(0, 1088),
    length: fc.constantFrom(1, 32),
  })
  holds(
    t,
    fc.property(change, ({ at, value, from, length }) => {
      const { enc } = node.kem.encapsulate(publicKey)
      const start = from + (at % (enc.length - from - length + 1))
      enc.fill(value, start, start + length)
      const [a, b] = [node, noble].map((platform) =>
        outcome(() => platform.kem.decapsulate(seed, enc)),
      )
      return a === b
    }),
    { seed: 4, runs: 60 },
  )
  const { enc } = node.kem.encapsulate(publicKey)
  for (const [what, wrong] of Object.entries({
    'of small order': Uint8Array.from(enc).fill(0, 1088),
    'too short': enc.subarray(1),
    'too long': Uint8Array.of(...enc, 0),
    nothing: new Uint8Array(),
  })) {
    for (const platform of [node, noble]) {
      t.equal(
        outcome(() => platform.kem.decapsulate(seed, wrong)),
        'ABZU_MALFORMED',
        what,
      )
    }
  }
  t.end()
})

t.test('Argon2id', async (t) => {
  const params = fc.record({
    memoryKiB: fc.integer({ min: 64, max: 256 }),
    passes: fc.integer({ min: 1, max: 3 }),
    parallelism: fc.integer({ min: 1, max: 4 }),
  })
  await holdsInTime(
    t,
    fc.asyncProperty(text, bytes(16), params, async (password, salt, params) => {
      const [a, b] = await Promise.all(
        [node, noble].map((platform) => platform.argon2id(password, salt, params)),
      )
      return equalBytes(a as Uint8Array, b as Uint8Array)
    }),
    { seed: 5, runs: 30 },
  )
})

t.test('random bytes are as many as asked for, and others each time', (t) => {
  for (const length of [0, 1, 16, 32, 1000]) t.equal(node.random(length).length, length)
  t.notOk(equalBytes(node.random(32), node.random(32)))
  t.end()
})

t.test('keys in a cache are those of the bytes, also where an array was overwritten', (t) => {
  const seed = new Uint8Array(32).fill(1)
  const before = [node.ed25519.publicKey(seed), node.kem.publicKey(seed)].map(String)
  seed.fill(2)
  const after = [node.ed25519.publicKey(seed), node.kem.publicKey(seed)].map(String)
  const expected = [noble.ed25519.publicKey(seed), noble.kem.publicKey(seed)].map(String)
  t.same(after, expected)
  t.notSame(after, before)
  const message = new Uint8Array(1)
  const signature = node.ed25519.sign(seed, message)
  for (let i = 0; i < 5000; i++) {
    const other = new Uint8Array(32).fill(3)
    other.set([i >> 8, i & 255])
    node.ed25519.verify(other, message, signature)
  }
  t.ok(
    node.ed25519.verify(node.ed25519.publicKey(seed), message, signature),
    'after the cache was full',
  )
  t.end()
})
