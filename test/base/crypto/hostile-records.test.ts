// Tens of thousands of seeded hostile inputs for each signed record: with signatures that always pass, and a smaller
// number with real ones.
import t from 'tap'
import { openDeviceCertificate } from '../../../src/base/crypto/certificate.ts'
import {
  openIdentityDocument,
  signIdentityDocument,
} from '../../../src/base/crypto/identity-document.ts'
import { openMailboxRecord, signMailboxRecord } from '../../../src/base/crypto/mailbox-record.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import type { CryptoPlatform } from '../../../src/base/crypto/platform.ts'
import { openReceipt, signReceipt } from '../../../src/base/crypto/receipt.ts'
import { signSlot, verifySlot } from '../../../src/base/crypto/slot-header.ts'
import { parseSlotHeader } from '../../../src/base/wire/slot.ts'
import { hostileInputsEach } from '../../support/hostile-count.ts'
import { testPerson } from '../../support/persons.ts'
import {
  testIdentity,
  testReceipt,
  testRecord,
  testSlotHeader,
} from '../../support/signed-records.ts'
import { withstands } from '../../support/withstands.ts'
import { permissivePlatform } from '../../support/permissive-platform.ts'

const inputs = hostileInputsEach
const costlyInputs = 2000

const real = nodePlatform()
const alice = testPerson(real, 1)
const permissive = permissivePlatform(real)

const machineSeed = alice.deviceSeed
const signedRecords = {
  openDeviceCertificate: {
    sample: alice.certificate,
    open: (platform: CryptoPlatform, input: Uint8Array) =>
      openDeviceCertificate(platform, input, alice.rootPk),
  },
  openIdentityDocument: {
    sample: signIdentityDocument(real, alice.rootSeed, testIdentity(real, alice)),
    open: (platform: CryptoPlatform, input: Uint8Array) =>
      openIdentityDocument(platform, input, alice.rootPk),
  },
  openMailboxRecord: {
    sample: signMailboxRecord(real, alice.deviceSeed, testRecord(alice)),
    open: (platform: CryptoPlatform, input: Uint8Array) =>
      openMailboxRecord(platform, input, alice.rootPk),
  },
  openReceipt: {
    sample: signReceipt((bytes) => real.ed25519.sign(machineSeed, bytes), testReceipt),
    open: (platform: CryptoPlatform, input: Uint8Array) =>
      openReceipt(platform, alice.devicePk, input),
  },
}

for (const [name, { sample, open }] of Object.entries(signedRecords)) {
  t.test(name, async (t) => {
    const codes = ['ABZU_MALFORMED', 'ABZU_SIGNATURE_INVALID'] as const
    const onslaught = { samples: [sample], seed: 6, codes }
    const outcomes = await withstands(t, (input) => open(permissive, input), {
      ...onslaught,
      count: inputs,
    })
    t.ok((outcomes.get('value') ?? 0) > 0, 'some pass where every signature does')
    const answers = await withstands(t, (input) => open(real, input), {
      ...onslaught,
      count: costlyInputs,
    })
    t.ok((answers.get('ABZU_SIGNATURE_INVALID') ?? 0) > 0, 'some get as far as the signature')
  })
}

t.test('parseSlotHeader and verifySlot', async (t) => {
  const samples = [signSlot(real, alice.deviceSeed, testSlotHeader(alice))]
  const codes = ['ABZU_MALFORMED'] as const
  await withstands(t, parseSlotHeader, { samples, seed: 7, count: inputs, codes })
  await withstands(t, (input) => verifySlot(real, input), {
    samples,
    seed: 9,
    count: costlyInputs,
    codes: [],
  })
})
