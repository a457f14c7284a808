import t from 'tap'
import {
  openIdentityDocument,
  signIdentityDocument,
} from '../../../src/base/crypto/identity-document.ts'
import { labels } from '../../../src/base/crypto/labels.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { signStatement } from '../../../src/base/crypto/signature.ts'
import { encode } from '../../../src/base/wire/codec.ts'
import { testPerson } from '../../support/persons.ts'
import { testIdentity } from '../../support/signed-records.ts'

const platform = nodePlatform()
const [alice, eve] = [testPerson(platform, 1), testPerson(platform, 2)]
const document = testIdentity(platform, alice)
const signed = signIdentityDocument(platform, alice.rootSeed, document)

t.test('the root signs, and nobody else', (t) => {
  t.same(openIdentityDocument(platform, signed, alice.rootPk), document)
  const code = 'ABZU_SIGNATURE_INVALID'
  t.throws(() => openIdentityDocument(platform, signed, eve.rootPk), { code })
  for (const seed of [alice.deviceSeed, eve.rootSeed]) {
    const forged = signIdentityDocument(platform, seed, document)
    t.throws(() => openIdentityDocument(platform, forged, alice.rootPk), { code })
  }
  t.end()
})

t.test('a document that names another account than its signer', (t) => {
  const ofEve = signIdentityDocument(platform, alice.rootSeed, testIdentity(platform, eve))
  t.throws(() => openIdentityDocument(platform, ofEve, alice.rootPk), {
    code: 'ABZU_SIGNATURE_INVALID',
  })
  t.end()
})

t.test('what is no identity document', (t) => {
  const sign = (value: Parameters<typeof encode>[0]) =>
    signStatement(platform, labels.identityDocument, alice.rootSeed, encode(value))
  const ids = (count: number) => Array.from({ length: count }, () => new Uint8Array(32))
  for (const [what, wrong] of Object.entries({
    nothing: new Uint8Array(),
    'another version': sign({ ...document, v: 2 }),
    'a field too few': sign({ v: 1, account: alice.rootPk, seq: 1, devices: [] }),
    'too many devices': sign({ ...document, devices: ids(17) }),
    'far too long': sign({ ...document, revoked: ids(300) }),
  })) {
    t.throws(
      () => openIdentityDocument(platform, wrong, alice.rootPk),
      { code: 'ABZU_MALFORMED' },
      what,
    )
  }
  t.end()
})

t.test('the largest document fits', (t) => {
  const ids = (count: number) => Array.from({ length: count }, () => new Uint8Array(32))
  const largest = { ...document, seq: Number.MAX_SAFE_INTEGER, devices: ids(16), revoked: ids(64) }
  const opened = openIdentityDocument(
    platform,
    signIdentityDocument(platform, alice.rootSeed, largest),
    alice.rootPk,
  )
  t.same(opened, largest)
  t.end()
})
