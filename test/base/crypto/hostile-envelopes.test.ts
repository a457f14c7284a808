// Tens of thousands of seeded hostile inputs for an envelope's outside: with primitives that let everything pass, and a
// smaller number with real ones.
import t from 'tap'
import { openEnvelope, sealEnvelope } from '../../../src/base/crypto/envelope.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
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

const opening = { recipientRoot: bob.rootPk, prekeySeed: bob.prekeySeed }
const codes = ['ABZU_SEAL_BROKEN'] as const
const sealedForBob = {
  recipientRoot: bob.rootPk,
  prekey: bob.prekey,
  expiresAtHours: 500_000,
  deviceSeed: alice.deviceSeed,
  letter: testLetter(alice),
}

t.test('openEnvelope: from the outside', async (t) => {
  const envelope = await sealEnvelope(real, sealedForBob)
  const samples = [envelope, envelope.slice(0, 200)]
  await withstands(t, (envelope) => openEnvelope(permissive, { ...opening, envelope }), {
    samples,
    seed: 17,
    count: inputs,
    codes,
  })
  await withstands(t, (envelope) => openEnvelope(real, { ...opening, envelope }), {
    samples,
    seed: 18,
    count: costlyInputs,
    codes,
  })
})
