/** A host after a device was revoked: what that device signs is nothing, whatever it says of itself. */

import t from 'tap'
import { signDeviceCertificate } from '../../../src/base/crypto/certificate.ts'
import { signIdentityDocument } from '../../../src/base/crypto/identity-document.ts'
import { signMailboxRecord } from '../../../src/base/crypto/mailbox-record.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { plainSlotKey, signSlot } from '../../../src/base/crypto/slot-header.ts'
import { encode } from '../../../src/base/wire/codec.ts'
import {
  encodePlainSlot,
  identitySlotShape,
  plainSlotKind,
  plainSlotName,
} from '../../../src/base/wire/plain-slot.ts'
import { decodeShape } from '../../../src/base/wire/shape.ts'
import { slotClass, slotVersionMax } from '../../../src/base/wire/slot.ts'
import { HostedMailbox, type SignedSlot } from '../../../src/machine/mailbox/hosted-mailbox.ts'
import { testPerson } from '../../support/persons.ts'

const platform = nodePlatform()
const anna = testPerson(platform, 1)
const { mailbox, rootPk, rootSeed } = anna
const nowHours = 490_000

interface Device {
  readonly seed: Uint8Array
  readonly pk: Uint8Array
  readonly certificate: Uint8Array
}

function device(seed: number, docSeq: number): Device {
  const { deviceSeed, devicePk: signPk, sealPk } = testPerson(platform, seed)
  const sealPkHash = platform.sha256(sealPk)
  const body = { v: 1 as const, account: rootPk, signPk, sealPkHash, caps: 1, docSeq }
  const certificate = signDeviceCertificate(platform, rootSeed, body)
  return { seed: deviceSeed, pk: signPk, certificate }
}

function slot(by: Device, init: { name: string; body: Uint8Array; version: number }): SignedSlot {
  const { name, body, version } = init
  const signed = signSlot(platform, by.seed, {
    class: slotClass.plain,
    mailbox,
    key: plainSlotKey(platform, mailbox, name),
    version,
    bodyHash: platform.sha256(body),
    device: by.pk,
  })
  return { signed, body }
}

interface Document {
  readonly seq: number
  readonly devices: readonly Device[]
  readonly revoked?: readonly Device[]
}

function contentOf({ seq, devices, revoked = [] }: Document): Uint8Array {
  const hash = ({ certificate }: Device) => platform.sha256(certificate)
  const document = signIdentityDocument(platform, rootSeed, {
    v: 1,
    account: rootPk,
    seq,
    devices: devices.map(hash),
    revoked: revoked.map(hash),
  })
  return encode({
    document,
    certificates: devices.map(({ certificate }) => certificate),
    sealPks: devices.map(() => anna.sealPk),
  })
}

function identity(by: Device, version: number, content: Uint8Array): SignedSlot {
  const body = encodePlainSlot(plainSlotKind.identity, content)
  return slot(by, { name: plainSlotName.identity, body, version })
}

function record(by: Device, version: number, seq: number): SignedSlot {
  const signed = signMailboxRecord(platform, by.seed, {
    v: 1,
    account: rootPk,
    seq,
    notBeforeHours: nowHours,
    notAfterHours: nowHours + 24,
    suites: [1],
    prekey: anna.prekey,
    priorKeys: [],
    hosts: [{ peerId: '12D3KooWHome', role: 'home' }],
    stampBits: 14,
    deviceCertificate: by.certificate,
  })
  const body = encodePlainSlot(plainSlotKind.record, signed)
  return slot(by, { name: plainSlotName.record, body, version })
}

const old = device(2, 1)
const fresh = device(3, 2)
const first = { seq: 1, devices: [old] }
const both = { seq: 2, devices: [old, fresh] }
const last = { seq: 3, devices: [fresh], revoked: [old] }
const most = Number.MAX_SAFE_INTEGER

function hosted(...slots: readonly SignedSlot[]): HostedMailbox {
  const host = new HostedMailbox(platform, mailbox, rootPk)
  for (const one of [identity(old, 1, contentOf(first)), ...slots]) host.check(one).apply()
  return host
}

const rotated = [
  identity(fresh, 2, contentOf(both)),
  record(fresh, 3, 2),
  identity(fresh, 4, contentOf(last)),
]

t.test('its slots are refused, whatever their version', async (t) => {
  const host = hosted(...rotated)
  const invalid = { code: 'ABZU_SIGNATURE_INVALID' }
  for (const version of [1, 5, slotVersionMax(1), slotVersionMax(3)]) {
    const body = new Uint8Array()
    t.throws(() => host.check(slot(old, { name: 'door/00', body, version })), invalid)
    t.throws(() => host.check(record(old, version, most)), { code: /SIGNATURE|MALFORMED/ })
  }
  t.throws(() => host.check(identity(old, 9, contentOf(last))), invalid, 'nor the document itself')
  t.ok(host.check(slot(fresh, { name: 'door/00', body: new Uint8Array(), version: 5 })))
  t.ok(host.isRevoked(old.certificate), 'it gets no copy')
  t.notOk(host.isRevoked(fresh.certificate))
})

t.test('an earlier document does not come back', async (t) => {
  const host = hosted(...rotated)
  for (const earlier of [first, both]) {
    for (const by of [old, fresh]) {
      const replay = identity(by, slotVersionMax(earlier.seq), contentOf(earlier))
      t.throws(() => host.check(replay), { code: 'ABZU_MALFORMED' })
    }
  }
})

t.test('a record of the revoked device is older, whatever its number', async (t) => {
  const host = hosted(record(old, 2, most), ...rotated)
  const before = host.recordHash
  t.throws(() => host.check(record(old, 9, most - 1)), { code: 'ABZU_MALFORMED' })
  t.equal(host.recordHash, before)
})

t.test('whatever version it has taken, there is one above it', async (t) => {
  const top = slotVersionMax(first.seq)
  const body = new Uint8Array()
  const host = hosted(
    identity(old, top, contentOf(first)),
    slot(old, { name: 'door/00', body, version: top }),
  )
  for (const version of [top + 1, most]) {
    const above = slot(old, { name: 'door/00', body, version })
    t.throws(() => host.check(above), { code: 'ABZU_MALFORMED' }, `${version}`)
  }
  host.check(identity(fresh, top + 1, contentOf(both))).apply()
  t.ok(host.check(slot(fresh, { name: 'door/00', body, version: top + 2 })))
  t.ok(slotVersionMax(1e9) <= most)
})

t.test('an identity slot has the certificates of all its devices', async (t) => {
  const host = hosted(identity(fresh, 2, contentOf(both)))
  const document = contentOf(both)
  const without = contentOf({ seq: 2, devices: [old] })
  t.ok(host.check(identity(old, 3, document)))
  // the document of both, with the certificate of one
  const { document: signed } = decodeContent(document)
  const { certificates, sealPks } = decodeContent(without)
  const cut = encode({ document: signed, certificates, sealPks })
  t.throws(() => host.check(identity(old, 3, cut)), { code: 'ABZU_MALFORMED' })
})

function decodeContent(content: Uint8Array) {
  return decodeShape(identitySlotShape, content, 'identity') as unknown as Record<
    'document' | 'certificates' | 'sealPks',
    Uint8Array
  >
}
