/** One valid record of each kind that travels signed, for tests of what may be done to them. @module */

import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import type { DeviceCertificate, IdentityDocument } from '../../src/base/wire/records.ts'
import type { MailboxRecord, Receipt } from '../../src/base/wire/records.ts'
import { slotClass, type SlotHeader } from '../../src/base/wire/slot.ts'
import type { TestPerson } from './persons.ts'

export function testCertificate(
  platform: Pick<CryptoPlatform, 'sha256'>,
  person: TestPerson,
): DeviceCertificate {
  return {
    v: 1,
    account: person.rootPk,
    signPk: person.devicePk,
    sealPkHash: platform.sha256(person.sealPk),
    caps: 1,
    docSeq: 1,
  }
}

export function testIdentity(
  platform: Pick<CryptoPlatform, 'sha256'>,
  person: TestPerson,
): IdentityDocument {
  return {
    v: 1,
    account: person.rootPk,
    seq: 2,
    devices: [platform.sha256(person.certificate)],
    revoked: [new Uint8Array(32).fill(6)],
  }
}

export function testRecord(
  person: TestPerson,
  changes: Partial<MailboxRecord> = {},
): MailboxRecord {
  return {
    v: 1,
    account: person.rootPk,
    seq: 3,
    notBeforeHours: 489_000,
    notAfterHours: 489_000 + 400 * 24,
    suites: [1],
    prekey: person.prekey,
    priorKeys: [{ keyId: new Uint8Array(8).fill(4), untilHours: 489_168 }],
    hosts: [
      {
        peerId: '12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA',
        role: 'home',
        addresses: ['/ip4/192.0.2.7/tcp/4001'],
      },
    ],
    stampBits: 0,
    deviceCertificate: person.certificate,
    ...changes,
  }
}

export const testReceipt: Receipt = {
  v: 1,
  as: 'home',
  ids: new Uint8Array(64).fill(5),
  holdUntilHours: 489_720,
}

export function testSlotHeader(person: TestPerson): SlotHeader {
  return {
    class: slotClass.sealed,
    mailbox: person.mailbox,
    key: new Uint8Array(20).fill(8),
    version: 2 ** 41 + 7,
    bodyHash: new Uint8Array(32).fill(9),
    device: person.devicePk,
  }
}
