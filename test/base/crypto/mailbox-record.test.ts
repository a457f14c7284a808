import t from 'tap'
import { signDeviceCertificate } from '../../../src/base/crypto/certificate.ts'
import {
  openMailboxRecord,
  prekeyIdOf,
  recordHoursMax,
  signMailboxRecord,
} from '../../../src/base/crypto/mailbox-record.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { concatBytes, utf8 } from '../../../src/base/util/bytes.ts'
import { wireLimits } from '../../../src/base/wire/limits.ts'
import type { MailboxRecord } from '../../../src/base/wire/records.ts'
import { testPerson } from '../../support/persons.ts'
import { testCertificate, testRecord } from '../../support/signed-records.ts'

const platform = nodePlatform()
const [alice, eve] = [testPerson(platform, 1), testPerson(platform, 2)]
const record = testRecord(alice)

function sign(changes: Partial<MailboxRecord> = {}, seed = alice.deviceSeed): Uint8Array {
  return signMailboxRecord(platform, seed, { ...record, ...changes })
}

t.test('certified by the root, signed by the device', (t) => {
  t.same(openMailboxRecord(platform, sign(), alice.rootPk), record)
  t.end()
})

t.test('who else may not sign it', (t) => {
  const ofAnotherDevice = signDeviceCertificate(platform, eve.rootSeed, {
    ...testCertificate(platform, alice),
    signPk: eve.devicePk,
  })
  for (const [what, wrong, rootPk] of [
    ['another account asked for', sign(), eve.rootPk],
    ['signed by the root', sign({}, alice.rootSeed), alice.rootPk],
    ['signed by a stranger', sign({}, eve.deviceSeed), alice.rootPk],
    [
      'a certificate of another account',
      sign({ deviceCertificate: eve.certificate }, eve.deviceSeed),
      alice.rootPk,
    ],
    [
      'a certificate that another root signed',
      sign({ deviceCertificate: ofAnotherDevice }, eve.deviceSeed),
      alice.rootPk,
    ],
    ['an account of another', sign({ account: eve.rootPk }), alice.rootPk],
  ] as const) {
    t.throws(
      () => openMailboxRecord(platform, wrong, rootPk),
      { code: 'ABZU_SIGNATURE_INVALID' },
      what,
    )
  }
  t.end()
})

t.test('I23: a bit flipped in each byte', (t) => {
  const signed = sign()
  const codes = new Set<string>()
  for (let at = 0; at < signed.length; at++) {
    const changed = Uint8Array.from(signed)
    changed[at] = (changed[at] as number) ^ (1 << (at % 8))
    try {
      openMailboxRecord(platform, changed, alice.rootPk)
      t.fail(`byte ${at}`)
    } catch (error) {
      codes.add((error as { code: string }).code)
    }
  }
  t.same([...codes].sort(), ['ABZU_MALFORMED', 'ABZU_SIGNATURE_INVALID'])
  t.end()
})

t.test('what is no record', (t) => {
  const { notBeforeHours } = record
  for (const [what, wrong] of Object.entries({
    nothing: new Uint8Array(),
    'cut short': sign().subarray(1),
    'more than 4 KiB': concatBytes(sign(), new Uint8Array(wireLimits.recordBytesMax)),
    'no time at all': sign({ notAfterHours: notBeforeHours }),
    'more than 400 days': sign({ notAfterHours: notBeforeHours + recordHoursMax + 1 }),
  })) {
    t.throws(
      () => openMailboxRecord(platform, wrong, alice.rootPk),
      { code: 'ABZU_MALFORMED' },
      what,
    )
  }
  t.end()
})

t.test('a record has at most 4 KiB', (t) => {
  const { hosts } = record
  const [host] = hosts
  const many = Array.from({ length: 8 }, () => ({
    ...host,
    addresses: Array.from({ length: 8 }, () => `/dns4/${'x'.repeat(100)}/tcp/1`),
  })) as MailboxRecord['hosts']
  t.throws(() => sign({ hosts: many }), { code: 'ABZU_TOO_LARGE' })
  t.end()
})

t.test('a prekey id is the beginning of a labelled hash', (t) => {
  const label = utf8('abzu/v1/seal-key-id\0')
  const hash = platform.sha256(concatBytes(label, alice.prekey))
  t.same(prekeyIdOf(platform, alice.prekey), hash.slice(0, 8))
  t.end()
})
