import t from 'tap'
import { openEnvelope, sealEnvelope, type OpenInit } from '../../../src/base/crypto/envelope.ts'
import { startSeal } from '../../../src/base/crypto/hpke.ts'
import { labels } from '../../../src/base/crypto/labels.ts'
import { prekeyIdOf } from '../../../src/base/crypto/mailbox-record.ts'
import { padmeLength } from '../../../src/base/crypto/padme.ts'
import { noblePlatform } from '../../../src/base/crypto/noble-platform.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { concatBytes, u32be, utf8 } from '../../../src/base/util/bytes.ts'
import { encode } from '../../../src/base/wire/codec.ts'
import {
  encapsulationBytes,
  encodeEnvelopeHeader,
  envelopeHeaderBytes,
  parseEnvelopeHeader,
  suiteXWing,
} from '../../../src/base/wire/envelope.ts'
import type { Letter } from '../../../src/base/wire/letter.ts'
import { wireLimits } from '../../../src/base/wire/limits.ts'
import { seededRandom, testLetter, testPerson, type TestPerson } from '../../support/persons.ts'

const node = nodePlatform()
const noble = noblePlatform({ random: (length) => node.random(length) })
const [alice, bob, eve] = [testPerson(node, 1), testPerson(node, 2), testPerson(node, 3)]
const expiresAtHours = 500_000

function seal(letter: Letter, from: TestPerson = alice, to: TestPerson = bob, platform = node) {
  const { prekey, rootPk: recipientRoot } = to
  const { deviceSeed } = from
  return sealEnvelope(platform, { recipientRoot, prekey, expiresAtHours, deviceSeed, letter })
}

function openInit(envelope: Uint8Array, by: TestPerson = bob): OpenInit {
  return { envelope, recipientRoot: by.rootPk, prekeySeed: by.prekeySeed }
}

/** All that a caller can see of a failure. */
async function failureOf(init: OpenInit, platform = node): Promise<string> {
  try {
    await openEnvelope(platform, init)
  } catch (error) {
    const { code, message, cause, constructor } = error as Error & { code: string }
    return JSON.stringify({ code, message, cause, kind: constructor.name })
  }
  return 'it was opened'
}

const uniform =
  '{"code":"ABZU_SEAL_BROKEN","message":"an envelope that cannot be opened","kind":"AbzuError"}'

t.test('each platform opens what each sealed', async (t) => {
  const letter = testLetter(alice)
  for (const sealer of [node, noble]) {
    const envelope = await seal(letter, alice, bob, sealer)
    const header = parseEnvelopeHeader(envelope)
    t.same(header.keyId, prekeyIdOf(node, bob.prekey))
    t.equal(header.expiresAtHours, expiresAtHours)
    for (const opener of [node, noble]) {
      const opened = await openEnvelope(opener, openInit(envelope))
      t.same(opened.letter, letter)
      t.same(opened.certificate.signPk, alice.devicePk)
    }
  }
})

t.test('the size tells little', async (t) => {
  const sizes = new Set<number>()
  for (let length = 0; length < 4096; length += 16) {
    const envelope = await seal(testLetter(alice, { body: new Uint8Array(length) }))
    sizes.add(envelope.length)
  }
  t.ok(sizes.size <= 60, `${sizes.size} sizes for 256 lengths`)
  const least = await seal(testLetter(alice, { body: new Uint8Array() }))
  t.ok(least.length >= envelopeHeaderBytes + encapsulationBytes + 256 + 16)
})

t.test('the largest letter fits, a larger one is refused', async (t) => {
  const letterOf = (length: number) => testLetter(alice, { body: new Uint8Array(length) })
  const envelope = await seal(letterOf(252_000))
  t.ok(envelope.length <= wireLimits.envelopeBytesMax)
  t.equal((await openEnvelope(node, openInit(envelope))).letter.body.length, 252_000)
  await t.rejects(seal(letterOf(wireLimits.envelopeBytesMax)), { code: 'ABZU_TOO_LARGE' })
})

t.test('what is no letter, and what is no prekey, is not sealed', async (t) => {
  await t.rejects(seal(testLetter(alice, { msgId: new Uint8Array(15) })), {
    code: 'ABZU_MALFORMED',
  })
  await t.rejects(seal(testLetter(alice, { type: 'u\u0308' })), { code: 'ABZU_MALFORMED' })
  const stranger = { ...bob, prekey: new Uint8Array(1216).fill(0xff) }
  await t.rejects(seal(testLetter(alice), alice, stranger), { code: 'ABZU_MALFORMED' })
})

t.test('I23: a bit flipped anywhere gives one uniform error', async (t) => {
  const envelope = await seal(testLetter(alice))
  const outcomes = new Map<string, number>()
  const flip = async (bit: number) => {
    const changed = Uint8Array.from(envelope)
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
    const outcome = await failureOf(openInit(changed))
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  }
  for (let bit = 0; bit < envelopeHeaderBytes * 8; bit++) await flip(bit)
  for (let at = envelopeHeaderBytes; at < envelope.length; at++) await flip(at * 8 + (at % 8))
  t.same([...outcomes.keys()], [uniform])
  t.equal(outcomes.get(uniform), envelope.length + envelopeHeaderBytes * 7)
})

t.test('I23: so does a cut, and an extension', async (t) => {
  const envelope = await seal(testLetter(alice))
  for (let length = 0; length < envelope.length; length += 37) {
    t.equal(await failureOf(openInit(envelope.subarray(0, length))), uniform)
  }
  t.equal(await failureOf(openInit(concatBytes(envelope, new Uint8Array(1)))), uniform)
  const huge = concatBytes(envelope, new Uint8Array(wireLimits.envelopeBytesMax))
  t.equal(await failureOf(openInit(huge)), uniform)
})

t.test('I23: so does the wrong key or the wrong recipient, on either platform', async (t) => {
  const envelope = await seal(testLetter(alice))
  for (const platform of [node, noble]) {
    const { recipientRoot, prekeySeed } = openInit(envelope, eve)
    t.equal(await failureOf({ ...openInit(envelope), prekeySeed }, platform), uniform)
    t.equal(await failureOf({ ...openInit(envelope), recipientRoot }, platform), uniform)
  }
})

/** Seals a plaintext of the test's making, which a hostile sender can do as well. */
async function sealPlain(
  make: (parts: { header: Uint8Array; enc: Uint8Array }) => Uint8Array,
): Promise<Uint8Array> {
  const keyId = prekeyIdOf(node, bob.prekey)
  const header = encodeEnvelopeHeader({ suite: suiteXWing, keyId, expiresAtHours })
  const sealer = await startSeal(node, bob.prekey, concatBytes(labels.envelope, header, bob.rootPk))
  const sealed = await sealer.seal(header, make({ header, enc: sealer.enc }))
  return concatBytes(header, sealer.enc, sealed)
}

interface PlainChanges {
  readonly inner?: Uint8Array
  readonly signedInner?: Uint8Array
  readonly signer?: Uint8Array
  readonly signedFor?: Uint8Array
  readonly label?: Uint8Array
  readonly signedHash?: Uint8Array
  readonly length?: number
  readonly padded?: number
  readonly lastByte?: number
}

function plainOf(changes: PlainChanges) {
  return ({ header, enc }: { header: Uint8Array; enc: Uint8Array }): Uint8Array => {
    const inner = changes.inner ?? encode({ ...testLetter(alice) })
    const statement = concatBytes(
      changes.label ?? labels.letter,
      header,
      changes.signedFor ?? bob.rootPk,
      changes.signedHash ?? node.sha256(enc),
      changes.signedInner ?? inner,
    )
    const signature = node.ed25519.sign(changes.signer ?? alice.deviceSeed, statement)
    const plain = concatBytes(u32be(changes.length ?? inner.length), signature, inner)
    const whole = new Uint8Array(changes.padded ?? padmeLength(68 + inner.length))
    whole.set(plain.subarray(0, whole.length))
    if (changes.lastByte !== undefined) whole[whole.length - 1] = changes.lastByte
    return whole
  }
}

t.test('the plaintext made by hand is the real one', async (t) => {
  const envelope = await sealPlain(plainOf({}))
  t.same((await openEnvelope(node, openInit(envelope))).letter, testLetter(alice))
})

t.test('I23: what a sender can get wrong inside the seal gives the same error', async (t) => {
  const otherLetter = encode({ ...testLetter(alice, { body: utf8('good mooring') }) })
  const eveAsAlice = encode({ ...testLetter(alice, { deviceCertificate: eve.certificate }) })
  const aliceFromEve = encode({ ...testLetter(alice, { from: eve.rootPk }) })
  for (const [what, changes] of Object.entries<PlainChanges>({
    'signed by another device': { signer: eve.deviceSeed },
    'signed by the root': { signer: alice.rootSeed },
    'signed for another recipient': { signedFor: eve.rootPk },
    'signed for another encapsulation': { signedHash: new Uint8Array(32) },
    'signed under another label': { label: labels.slotHeader },
    'another letter than the one signed': { signedInner: otherLetter },
    'a certificate of another account': { inner: eveAsAlice, signer: eve.deviceSeed },
    'from another account than the certificate': { inner: aliceFromEve },
    'a length beyond the plaintext': { length: 2 ** 32 - 1 },
    'a length of nothing': { length: 0 },
    'a length too short': { length: 300 },
    'a length into the padding': { length: 360 },
    'padding that is not zero': { lastByte: 1 },
    'more padding than Padmé adds': { padded: 448 },
    'less padding than Padmé adds': { padded: 424 },
    'no room for a signature': { padded: 64 },
    'an empty plaintext': { padded: 0 },
    'an inside that is no msgpack': { inner: utf8('\u00c1'.repeat(150)) },
    'an inside that is no letter': { inner: encode({ v: 1, filler: new Uint8Array(300) }) },
  })) {
    const plain = plainOf(changes)
    t.equal(await failureOf(openInit(await sealPlain(plain))), uniform, what)
  }
})

t.test('a bug of ours is not taken for a broken seal', async (t) => {
  const envelope = await seal(testLetter(alice))
  const broken = {
    ...node,
    sha256(): never {
      throw new TypeError('a bug')
    },
  }
  await t.rejects(openEnvelope(broken, openInit(envelope)), { name: 'TypeError' })
})

t.test('random bytes in the place of an envelope', async (t) => {
  const random = seededRandom(23)
  for (let i = 0; i < 200; i++) {
    const envelope = random(1406 + i)
    envelope.set([1, 1])
    t.equal(await failureOf(openInit(envelope)), uniform)
  }
})
