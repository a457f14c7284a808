// Invariant I24: what was made for one purpose, person, item or place means nothing in another.
import t from 'tap'
import { itemIdOf } from '../../../src/base/crypto/address.ts'
import {
  openDeviceCertificate,
  signDeviceCertificate,
} from '../../../src/base/crypto/certificate.ts'
import { doorIdOf, doorKeyOf, doorProof } from '../../../src/base/crypto/door.ts'
import { openEnvelope, sealEnvelope } from '../../../src/base/crypto/envelope.ts'
import { openSealed, startSeal } from '../../../src/base/crypto/hpke.ts'
import {
  openIdentityDocument,
  signIdentityDocument,
} from '../../../src/base/crypto/identity-document.ts'
import { openKeyringItem, sealKeyringItem } from '../../../src/base/crypto/keyring.ts'
import { labels } from '../../../src/base/crypto/labels.ts'
import { openMailboxRecord, signMailboxRecord } from '../../../src/base/crypto/mailbox-record.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import type { CryptoPlatform } from '../../../src/base/crypto/platform.ts'
import { openReceipt, signReceipt } from '../../../src/base/crypto/receipt.ts'
import { openStatement, signStatement } from '../../../src/base/crypto/signature.ts'
import { signSlot, verifySlot } from '../../../src/base/crypto/slot-header.ts'
import { concatBytes, toHex, utf8 } from '../../../src/base/util/bytes.ts'
import { AbzuError } from '../../../src/base/util/errors.ts'
import { encode } from '../../../src/base/wire/codec.ts'
import { encodeSlotHeader } from '../../../src/base/wire/slot.ts'
import { testLetter, testPerson } from '../../support/persons.ts'
import {
  testCertificate,
  testIdentity,
  testReceipt,
  testRecord,
  testSlotHeader,
} from '../../support/signed-records.ts'

const platform = nodePlatform()
const alice = testPerson(platform, 1)
const bob = testPerson(platform, 2)
const carol = testPerson(platform, 3)
const expiresAtHours = 500_000

t.test('a statement under one label is none under any other', (t) => {
  const all = Object.entries(labels)
  const body = utf8('the same body')
  let pairs = 0
  for (const [name, label] of all) {
    const signed = signStatement(platform, label, alice.rootSeed, body)
    for (const [otherName, other] of all) {
      pairs++
      if (name === otherName) {
        t.same(openStatement(platform, other, alice.rootPk, signed), body)
        continue
      }
      t.throws(
        () => openStatement(platform, other, alice.rootPk, signed),
        { code: 'ABZU_SIGNATURE_INVALID' },
        `${name} as ${otherName}`,
      )
    }
  }
  t.equal(pairs, all.length ** 2)
  t.end()
})

/** One key in every role: only the labels tell the records apart. */
const everyRole = {
  ...alice,
  deviceSeed: alice.rootSeed,
  devicePk: alice.rootPk,
}
const certificate = testCertificate(platform, everyRole)
const certified = {
  ...everyRole,
  certificate: signDeviceCertificate(platform, alice.rootSeed, certificate),
}

/** For each record the body that its opener takes, and the opener: whether it took what it was given. */
const records = {
  deviceCertificate: {
    body: encode({ ...certificate }),
    takes: (signed: Uint8Array) => accepted(() => openDeviceCertificate(platform, signed)),
  },
  identityDocument: {
    body: encode({ ...testIdentity(platform, certified) }),
    takes: (signed: Uint8Array) =>
      accepted(() => openIdentityDocument(platform, signed, alice.rootPk)),
  },
  mailboxRecord: {
    body: encode({ ...testRecord(certified) }),
    takes: (signed: Uint8Array) =>
      accepted(() => openMailboxRecord(platform, signed, alice.rootPk)),
  },
  receipt: {
    body: encode({ ...testReceipt }),
    takes: (signed: Uint8Array) => accepted(() => openReceipt(platform, alice.rootPk, signed)),
  },
  slotHeader: {
    body: encodeSlotHeader(testSlotHeader(certified)),
    takes: (signed: Uint8Array) => verifySlot(platform, signed),
  },
} as const

function accepted(open: () => unknown): boolean {
  try {
    open()
    return true
  } catch (error) {
    if (!(error instanceof AbzuError)) throw error
    return false
  }
}

t.test('a record signed under the label of another kind is refused, of all pairs', (t) => {
  let pairs = 0
  for (const [kind, { body, takes }] of Object.entries(records)) {
    for (const [other, label] of Object.entries(labels)) {
      pairs++
      const signed = signStatement(platform, label, alice.rootSeed, body)
      t.equal(takes(signed), kind === other, `a ${kind} under the label ${other}`)
    }
    t.notOk(
      takes(concatBytes(body, platform.ed25519.sign(alice.rootSeed, body))),
      'without a label',
    )
  }
  t.equal(pairs, 5 * Object.keys(labels).length)
  t.end()
})

t.test('a record given to the opener of another kind is refused, of all pairs', (t) => {
  const signed = Object.entries(records).map(
    ([kind, { body }]) =>
      [
        kind,
        signStatement(platform, labels[kind as keyof typeof records], alice.rootSeed, body),
      ] as const,
  )
  for (const [kind, bytes] of signed) {
    for (const [other, { takes }] of Object.entries(records)) {
      t.equal(takes(bytes), kind === other, `a ${kind} as ${other}`)
    }
  }
  t.end()
})

t.test('every signature that is made starts with exactly one label', async (t) => {
  const messages: Uint8Array[] = []
  const recorder: CryptoPlatform = {
    ...platform,
    ed25519: {
      ...platform.ed25519,
      sign(seed, message) {
        messages.push(message)
        return platform.ed25519.sign(seed, message)
      },
    },
  }
  signDeviceCertificate(recorder, alice.rootSeed, certificate)
  signIdentityDocument(recorder, alice.rootSeed, testIdentity(platform, alice))
  signMailboxRecord(recorder, alice.deviceSeed, testRecord(alice))
  signReceipt((bytes) => recorder.ed25519.sign(alice.deviceSeed, bytes), testReceipt)
  signSlot(recorder, alice.deviceSeed, testSlotHeader(alice))
  await sealEnvelope(recorder, {
    recipientRoot: bob.rootPk,
    prekey: bob.prekey,
    expiresAtHours,
    deviceSeed: alice.deviceSeed,
    letter: testLetter(alice),
  })
  const starting = messages.map((message) =>
    Object.entries(labels)
      .filter(([, label]) => toHex(message).startsWith(toHex(label)))
      .map(([name]) => name),
  )
  t.same(starting, [
    ['deviceCertificate'],
    ['identityDocument'],
    ['mailboxRecord'],
    ['receipt'],
    ['slotHeader'],
    ['letter'],
  ])
})

t.test('an envelope is for one account, even where two share a prekey', async (t) => {
  const envelope = await sealEnvelope(platform, {
    recipientRoot: bob.rootPk,
    prekey: bob.prekey,
    expiresAtHours,
    deviceSeed: alice.deviceSeed,
    letter: testLetter(alice),
  })
  const byBob = { envelope, recipientRoot: bob.rootPk, prekeySeed: bob.prekeySeed }
  t.ok(await openEnvelope(platform, byBob))
  await t.rejects(openEnvelope(platform, { ...byBob, recipientRoot: carol.rootPk }), {
    code: 'ABZU_SEAL_BROKEN',
  })
})

/** An envelope from alice to bob as bob sees it: he has the plaintext with her signature, and the secret
 *  of the encapsulation. */
async function openedByBob() {
  const envelope = await sealEnvelope(platform, {
    recipientRoot: bob.rootPk,
    prekey: bob.prekey,
    expiresAtHours,
    deviceSeed: alice.deviceSeed,
    letter: testLetter(alice),
  })
  const header = envelope.subarray(0, 14)
  const enc = envelope.subarray(14, 1134)
  const plain = await openSealed(platform, {
    seed: bob.prekeySeed,
    info: concatBytes(labels.envelope, header, bob.rootPk),
    aad: header,
    enc,
    sealed: envelope.subarray(1134),
  })
  return { header, enc, plain, shared: platform.kem.decapsulate(bob.prekeySeed, enc) }
}

t.test('a recipient cannot pass a signed letter on, to others or as another one', async (t) => {
  const { header, enc, plain, shared } = await openedByBob()
  const later = Uint8Array.from(header, (byte, i) => (i === 13 ? byte ^ 1 : byte))
  /** Uses the encapsulation of the envelope once more: who opened it knows its secret. */
  const again: CryptoPlatform = {
    ...platform,
    kem: { ...platform.kem, encapsulate: () => ({ shared, enc }) },
  }
  const seal = async (
    sealing: CryptoPlatform,
    to: { rootPk: Uint8Array; prekey: Uint8Array },
    newHeader: Uint8Array,
  ) => {
    const info = concatBytes(labels.envelope, newHeader, to.rootPk)
    const sealer = await startSeal(sealing, to.prekey, info)
    return concatBytes(newHeader, sealer.enc, await sealer.seal(newHeader, plain))
  }
  const same = await seal(again, bob, header)
  t.ok(
    await openEnvelope(platform, {
      envelope: same,
      recipientRoot: bob.rootPk,
      prekeySeed: bob.prekeySeed,
    }),
    'what was put together is the envelope itself',
  )
  const carolWithBobsPrekey = { ...carol, prekey: bob.prekey, prekeySeed: bob.prekeySeed }
  for (const [what, sealing, to, newHeader] of [
    ['to carol', platform, carol, header],
    ['to carol, by a prekey of both', again, carolWithBobsPrekey, header],
    ['to bob once more', platform, bob, header],
    ['to bob with another expiry', again, bob, later],
  ] as const) {
    await t.rejects(
      openEnvelope(platform, {
        envelope: await seal(sealing, to, newHeader),
        recipientRoot: to.rootPk,
        prekeySeed: to.prekeySeed,
      }),
      { code: 'ABZU_SEAL_BROKEN' },
      what,
    )
  }
})

t.test('what is sealed for a keyring is no envelope, and the other way round', async (t) => {
  const secret = new Uint8Array(32).fill(1)
  const item = await sealKeyringItem(platform, { kind: 'prekey', secret }, [bob.prekey])
  const head = item.subarray(0, 34)
  const [enc, sealed] = [item.subarray(43, 1163), item.subarray(1163)]
  const base = { seed: bob.prekeySeed, aad: head, enc, sealed }
  t.same(
    await openSealed(platform, { ...base, info: concatBytes(labels.keyringItem, head) }),
    secret,
  )
  await t.rejects(openSealed(platform, { ...base, info: concatBytes(labels.envelope, head) }), {
    code: 'ABZU_SEAL_BROKEN',
  })
  await t.rejects(openKeyringItem(platform, item, carol.prekeySeed), { code: 'ABZU_SEAL_BROKEN' })
})

t.test('a proof of a door opens that door of that mailbox for that item, of all pairs', (t) => {
  const cases = [1, 2].flatMap((token) =>
    [alice, bob].flatMap(({ mailbox }) =>
      ['one', 'two'].map((text) => ({
        key: doorKeyOf(platform, new Uint8Array(32).fill(token)),
        mailbox,
        item: itemIdOf(platform, utf8(text)),
      })),
    ),
  )
  const proofs = cases.map(({ key, mailbox, item }) => doorProof(platform, key, mailbox, item))
  for (const [i, { key, mailbox, item }] of cases.entries()) {
    for (const [j, proof] of proofs.entries()) {
      const fits = toHex(proof) === toHex(doorProof(platform, key, mailbox, item))
      t.equal(fits, i === j)
    }
  }
  const [{ key } = { key: new Uint8Array() }] = cases
  t.not(toHex(doorIdOf(platform, key)), toHex(platform.sha256(key)).slice(0, 16))
  t.equal(cases.length, 8)
  t.end()
})
