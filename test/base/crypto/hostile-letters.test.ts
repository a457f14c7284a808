// Tens of thousands of seeded hostile inputs for what a hostile sender may put into a seal, half of them whole
// plaintexts, half of them letters in a well-made plaintext: with primitives that let everything pass, and
// a smaller number with real ones.
import t from 'tap'
import { openEnvelope, sealEnvelope } from '../../../src/base/crypto/envelope.ts'
import { startSeal } from '../../../src/base/crypto/hpke.ts'
import { labels } from '../../../src/base/crypto/labels.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { padmeLength } from '../../../src/base/crypto/padme.ts'
import { concatBytes, u32be } from '../../../src/base/util/bytes.ts'
import { encode } from '../../../src/base/wire/codec.ts'
import { hostileInputsEach } from '../../support/hostile-count.ts'
import { testLetter, testPerson } from '../../support/persons.ts'
import { withstands } from '../../support/withstands.ts'
import { permissivePlatform } from '../../support/permissive-platform.ts'

const inputs = hostileInputsEach
const costlyInputs = 2000

const real = nodePlatform()
const alice = testPerson(real, 1)
const bob = testPerson(real, 2)
const permissive = permissivePlatform(real)

const letterBytes = encode({ ...testLetter(alice) })
const opening = { recipientRoot: bob.rootPk, prekeySeed: bob.prekeySeed }
const codes = ['ABZU_SEAL_BROKEN'] as const
const sealedForBob = {
  recipientRoot: bob.rootPk,
  prekey: bob.prekey,
  expiresAtHours: 500_000,
  deviceSeed: alice.deviceSeed,
  letter: testLetter(alice),
}

/** A plaintext around `inner`, well padded, with a signature that is none. */
function plainAround(inner: Uint8Array): Uint8Array {
  const plain = new Uint8Array(padmeLength(Math.max(256, 68 + inner.length)))
  plain.set(u32be(inner.length))
  plain.set(inner, 68)
  return plain
}

t.test('the plaintext and the letter', async (t) => {
  const envelope = await sealEnvelope(real, sealedForBob)
  const head = envelope.slice(0, 1134)
  const tag = new Uint8Array(16)
  const asPlain = await withstands(
    t,
    (plain) => openEnvelope(permissive, { ...opening, envelope: concatBytes(head, plain, tag) }),
    { samples: [plainAround(letterBytes)], seed: 19, count: inputs / 2, codes },
  )
  t.ok((asPlain.get('value') ?? 0) > 0, 'some pass where every seal does')
  const asLetter = await withstands(
    t,
    (inner) => {
      const envelope = concatBytes(head, plainAround(inner), tag)
      return openEnvelope(permissive, { ...opening, envelope })
    },
    { samples: [letterBytes], seed: 20, count: inputs / 2, codes },
  )
  t.ok((asLetter.get('value') ?? 0) > 0, 'some pass where every seal does')
  const header = envelope.subarray(0, 14)
  const info = concatBytes(labels.envelope, header, bob.rootPk)
  await withstands(
    t,
    async (inner) => {
      const sealer = await startSeal(real, bob.prekey, info)
      const sealed = await sealer.seal(header, plainAround(inner))
      return openEnvelope(real, { ...opening, envelope: concatBytes(header, sealer.enc, sealed) })
    },
    { samples: [letterBytes], seed: 21, count: costlyInputs, codes },
  )
})
