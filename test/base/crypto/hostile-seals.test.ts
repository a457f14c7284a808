// Tens of thousands of seeded hostile inputs for each seal of an account's own: with primitives that let everything
// pass, and a smaller number with real ones.
import t from 'tap'
import { openKeyringItem, sealKeyringItem } from '../../../src/base/crypto/keyring.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { argon2Floor, unwrapSecret, wrapSecret } from '../../../src/base/crypto/password.ts'
import { openSlotBody, sealSlotBody } from '../../../src/base/crypto/vault-cipher.ts'
import { utf8 } from '../../../src/base/util/bytes.ts'
import { hostileInputsEach } from '../../support/hostile-count.ts'
import { testPerson } from '../../support/persons.ts'
import { withstands } from '../../support/withstands.ts'
import { permissivePlatform } from '../../support/permissive-platform.ts'

const inputs = hostileInputsEach
const costlyInputs = 2000

const real = nodePlatform()
const alice = testPerson(real, 1)
const permissive = permissivePlatform(real)
/** The key that the permissive platform takes for everybody's. */
const seed = new Uint8Array(32)
const sealPk = real.kem.publicKey(seed)

t.test('openSlotBody', async (t) => {
  const seal = {
    vaultKey: new Uint8Array(32).fill(1),
    mailbox: alice.mailbox,
    key: new Uint8Array(20),
    version: 1,
  }
  await withstands(t, (input) => openSlotBody(real, seal, input), {
    samples: [sealSlotBody(real, seal, utf8('a contact')), sealSlotBody(real, seal, sealPk)],
    seed: 10,
    count: inputs,
    codes: ['ABZU_SEAL_BROKEN'],
  })
})

t.test('keyring items', async (t) => {
  const secret = { kind: 'vault', secret: new Uint8Array(32).fill(3) } as const
  const samples = [
    await sealKeyringItem(real, secret, [sealPk]),
    await sealKeyringItem(real, secret, [alice.prekey, sealPk]),
  ]
  const codes = ['ABZU_MALFORMED', 'ABZU_SEAL_BROKEN'] as const
  await withstands(t, (input) => openKeyringItem(permissive, input, seed), {
    samples,
    seed: 12,
    count: inputs,
    codes,
  })
  await withstands(t, (input) => openKeyringItem(real, input, seed), {
    samples,
    seed: 13,
    count: costlyInputs,
    codes,
  })
})

t.test('wrapped secrets', async (t) => {
  const context = utf8('context')
  const samples = [await wrapSecret(real, 'pw', new Uint8Array(64), context, argon2Floor)]
  await withstands(t, (input) => unwrapSecret(permissive, 'pw', input, context), {
    samples,
    seed: 15,
    count: inputs,
    codes: ['ABZU_MALFORMED', 'ABZU_WRONG_PASSWORD'],
  })
})
