/** Files that `age` opens, and files that it must not be asked to open. */

import { Encrypter, generateIdentity, identityToRecipient } from 'age-encryption'
import fc from 'fast-check'
import t from 'tap'
import { ageKey, openAge, sealAge, type AgeLock } from '../../../src/base/crypto/age.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { concatBytes, equalBytes, utf8 } from '../../../src/base/util/bytes.ts'
import { AbzuError } from '../../../src/base/util/errors.ts'
import { exportLimits } from '../../../src/base/wire/export.ts'
import { holdsInTime } from '../../support/property.ts'

const platform = nodePlatform()
const password = 'correct horse'
const lock = { password, workFactor: 4 }
const invalid = { name: 'AbzuError', code: 'ABZU_EXPORT_INVALID' }
const pieceBytes = 64 * 1024

async function* once(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}

/** In chunks of some other size than those of the format. */
async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function all(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return concatBytes(...parts)
}

async function seal(plain: Uint8Array, how: AgeLock = lock): Promise<Uint8Array> {
  return all(await sealAge(platform, how, once(plain)))
}

async function open(sealed: Uint8Array, size = 10_000): Promise<Uint8Array> {
  return all(openAge(ageKey(platform, { password }), inChunks(sealed, size)))
}

t.test('what was sealed by a password is opened by it, whatever its size', async (t) => {
  const sizes = [0, 1, pieceBytes - 1, pieceBytes, pieceBytes + 1, 3 * pieceBytes + 77]
  const size = fc.oneof(fc.constantFrom(...sizes), fc.nat({ max: 200_000 }))
  await holdsInTime(
    t,
    fc.asyncProperty(size, fc.integer({ min: 1, max: 100_000 }), async (length, chunk) => {
      const plain = platform.random(length)
      return equalBytes(await open(await seal(plain), Math.max(chunk, 100)), plain)
    }),
    { seed: 1, runs: 40 },
  )
})

t.test('to a key', async (t) => {
  const identity = await generateIdentity()
  const recipient = await identityToRecipient(identity)
  const sealed = await seal(utf8('for the safe'), { recipient })
  const key = ageKey(platform, { identity })
  t.same(await all(openAge(key, once(sealed))), utf8('for the safe'))
  await t.rejects(open(sealed), invalid, 'a password opens it not')
  await t.rejects(all(openAge(key, once(await seal(utf8('x'))))), invalid, 'nor a key the other')
  const other = ageKey(platform, { identity: await generateIdentity() })
  await t.rejects(all(openAge(other, once(sealed))), invalid, 'another key')
})

t.test('one key reads a file twice and guesses its password once', async (t) => {
  let guesses = 0
  const counting = {
    ...platform,
    scrypt: async (...args: Parameters<typeof platform.scrypt>) => {
      guesses++
      return platform.scrypt(...args)
    },
  }
  const sealed = await seal(utf8('twice'))
  const key = ageKey(counting, { password })
  t.same(await all(openAge(key, once(sealed))), await all(openAge(key, once(sealed))))
  t.equal(guesses, 1)
})

t.test('what a person gets wrong', async (t) => {
  const sealed = await seal(utf8('x'))
  const wrong = ageKey(platform, { password: 'wrong' })
  await t.rejects(all(openAge(wrong, once(sealed))), { code: 'ABZU_WRONG_PASSWORD' })
  const argument = { code: 'ABZU_INVALID_ARGUMENT' }
  t.throws(() => ageKey(platform, { password: '' }), argument)
  t.throws(() => ageKey(platform, { password: 'x'.repeat(2000) }), argument)
  t.throws(() => ageKey(platform, { identity: 'AGE-SECRET-KEY-1' }), argument)
  t.throws(() => ageKey(platform, { identity: 'ssh-rsa' }), argument)
  for (const recipient of ['', 'age1', 'age1qqqq', 'ssh-ed25519 AAAA', 'abzu1xyz']) {
    await t.rejects(seal(utf8('x'), { recipient }), argument, recipient)
  }
  await t.rejects(seal(utf8('x'), { password: '' }), argument)
})

t.test('cut off anywhere, changed anywhere', async (t) => {
  const sealed = await seal(platform.random(2 * pieceBytes + 100))
  const headerBytes = sealed.length - 16 - (2 * pieceBytes + 100) - 3 * 16
  const borders = [0, 1, 21, 22, headerBytes, headerBytes + 16, sealed.length - 1]
  for (let piece = 0; piece < 3; piece++) {
    borders.push(headerBytes + 16 + piece * (pieceBytes + 16) + 15)
    borders.push(headerBytes + 16 + piece * (pieceBytes + 16) + 16)
  }
  for (const length of borders) {
    await t.rejects(open(sealed.slice(0, length)), invalid, `cut off at ${length}`)
  }
  await t.rejects(open(concatBytes(sealed, new Uint8Array(1))), invalid, 'something follows')
  for (const at of [
    0,
    25,
    headerBytes - 5,
    headerBytes + 3,
    headerBytes + 100,
    sealed.length - 1,
  ]) {
    const changed = Uint8Array.from(sealed)
    changed[at]! ^= 1
    const error = await open(changed).catch((error: AbzuError) => error)
    t.match(error, { code: /^ABZU_(EXPORT_INVALID|WRONG_PASSWORD)$/ }, `a bit of byte ${at}`)
  }
})

t.test('a header that costs more than it may costs nothing', async (t) => {
  let guesses = 0
  const counting = {
    ...platform,
    scrypt: async () => {
      guesses++
      return new Uint8Array(32)
    },
  }
  const stanza = (...args: string[]): string => `-> ${args.join(' ')}\n${'A'.repeat(43)}\n`
  const salt = 'A'.repeat(22)
  const end = `--- ${'A'.repeat(43)}\n`
  const first = 'age-encryption.org/v1\n'
  const hostile: Record<string, string> = {
    'a cost above the cap': first + stanza('scrypt', salt, '19') + end,
    'an absurd cost': first + stanza('scrypt', salt, '63') + end,
    'a cost of many digits': first + stanza('scrypt', salt, '9'.repeat(300)) + end,
    'no cost': first + stanza('scrypt', salt) + end,
    'a cost that is no number': first + stanza('scrypt', salt, '0x10') + end,
    'a cost of nothing': first + stanza('scrypt', salt, '0') + end,
    'a negative cost': first + stanza('scrypt', salt, '-1') + end,
    'a short salt': first + stanza('scrypt', 'AAAA', '10') + end,
    'a salt that is none': first + stanza('scrypt', '!!!', '10') + end,
    'two passwords': first + stanza('scrypt', salt, '10').repeat(2) + end,
    'a password and a key': first + stanza('scrypt', salt, '10') + stanza('X25519', salt) + end,
    'no recipient': first + end,
    'more arguments': first + stanza('scrypt', salt, '10', 'more') + end,
    'a body that is too long': `${first}-> scrypt ${salt} 10\n${'A'.repeat(64)}\nAAAA\n${end}`,
    'an endless line': first + 'A'.repeat(exportLimits.headerBytesMax),
    'endless recipients': first + stanza('X25519', salt).repeat(1000),
    'endless recipients, and an end': first + stanza('X25519', salt).repeat(1000) + end,
    'another version': `age-encryption.org/v2\n${end}`,
    armour: '-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n',
    'a zip': 'PK\u0003\u0004',
    'a tar': `../../etc/passwd${'\0'.repeat(600)}`,
    nothing: '',
  }
  const key = ageKey(counting, { password })
  for (const [what, text] of Object.entries(hostile)) {
    await t.rejects(all(openAge(key, inChunks(utf8(text), 1000))), invalid, what)
  }
  t.equal(guesses, 0, 'no guess was paid for')
})

t.test('no more is read than a header may have', async (t) => {
  let read = 0
  async function* endless(): AsyncGenerator<Uint8Array> {
    yield utf8('age-encryption.org/v1\n')
    for (;;) yield new Uint8Array((read += 1000) && 1000).fill(0x41)
  }
  await t.rejects(all(openAge(ageKey(platform, { password }), endless())), invalid)
  t.ok(read < 2 * exportLimits.headerBytesMax, `${read} bytes`)
})

t.test('what the source or the reader does to it', async (t) => {
  const failing = async function* (): AsyncGenerator<Uint8Array> {
    yield platform.random(100_000)
    throw new AbzuError('ABZU_STORE_DAMAGED', 'as the test wants it')
  }
  const damaged = { code: 'ABZU_STORE_DAMAGED' }
  await t.rejects(all(await sealAge(platform, lock, failing())), damaged, 'while it is sealed')
  const sealed = await seal(platform.random(300_000))
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield sealed.slice(0, 200_000)
    throw new AbzuError('ABZU_STORE_DAMAGED', 'as the test wants it')
  }
  await t.rejects(all(openAge(ageKey(platform, { password }), broken())), damaged, 'and opened')

  let isLeft = false
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield platform.random(pieceBytes)
    } finally {
      isLeft = true
    }
  }
  let pieces = 0
  for await (const _ of await sealAge(platform, lock, watched())) if (++pieces > 5) break
  t.ok(isLeft, 'who leaves early ends the source')
})

t.test('the same bytes as the library makes of it', async (t) => {
  const encrypter = new Encrypter()
  encrypter.setPassphrase(password)
  encrypter.setScryptWorkFactor(4)
  t.same(await open(await encrypter.encrypt(utf8('from age'))), utf8('from age'))
})
