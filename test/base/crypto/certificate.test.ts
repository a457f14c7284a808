import t from 'tap'
import {
  openDeviceCertificate,
  signDeviceCertificate,
} from '../../../src/base/crypto/certificate.ts'
import { labels } from '../../../src/base/crypto/labels.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { signStatement } from '../../../src/base/crypto/signature.ts'
import { encode } from '../../../src/base/wire/codec.ts'
import { testPerson } from '../../support/persons.ts'
import { testCertificate } from '../../support/signed-records.ts'

const platform = nodePlatform()
const [alice, eve] = [testPerson(platform, 1), testPerson(platform, 2)]
const certificate = testCertificate(platform, alice)
const signed = signDeviceCertificate(platform, alice.rootSeed, certificate)

t.test('whoever holds it can verify it', (t) => {
  t.same(openDeviceCertificate(platform, signed), certificate)
  t.same(openDeviceCertificate(platform, signed, alice.rootPk), certificate)
  t.ok(signed.length <= 512)
  t.end()
})

t.test('the root signs, and nobody else', (t) => {
  const code = 'ABZU_SIGNATURE_INVALID'
  for (const seed of [alice.deviceSeed, eve.rootSeed]) {
    const forged = signDeviceCertificate(platform, seed, certificate)
    t.throws(() => openDeviceCertificate(platform, forged), { code })
  }
  t.throws(() => openDeviceCertificate(platform, signed, eve.rootPk), { code })
  t.end()
})

t.test('what is no certificate', (t) => {
  const sign = (value: Parameters<typeof encode>[0]) =>
    signStatement(platform, labels.deviceCertificate, alice.rootSeed, encode(value))
  for (const [what, wrong] of Object.entries({
    nothing: new Uint8Array(),
    'a signature of nothing': signed.slice(-64),
    'cut short': signed.subarray(1),
    'another version': sign({ ...certificate, v: 2 }),
    'a field too many': sign({ ...certificate, more: 1 }),
    'a short key': sign({ ...certificate, signPk: new Uint8Array(31) }),
    'not a map': sign([1, 2]),
    'far too long': sign({ ...certificate, signPk: new Uint8Array(1000) }),
  })) {
    t.throws(() => openDeviceCertificate(platform, wrong), { code: 'ABZU_MALFORMED' }, what)
  }
  t.throws(() => signDeviceCertificate(platform, alice.rootSeed, { ...certificate, caps: -1 }), {
    code: 'ABZU_MALFORMED',
  })
  t.end()
})
