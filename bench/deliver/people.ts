/** The people of the benchmark: recipients with a mailbox to host, and a sender. @module */

import { mailboxIdOf } from '../../src/base/crypto/address.ts'
import { signDeviceCertificate } from '../../src/base/crypto/certificate.ts'
import { doorIdOf, doorKeyOf, newDoorToken } from '../../src/base/crypto/door.ts'
import { signIdentityDocument } from '../../src/base/crypto/identity-document.ts'
import { signMailboxRecord } from '../../src/base/crypto/mailbox-record.ts'
import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import { plainSlotKey, signSlot } from '../../src/base/crypto/slot-header.ts'
import type { MailboxId, PeerId } from '../../src/base/util/brand.ts'
import { encode } from '../../src/base/wire/codec.ts'
import { suiteXWing } from '../../src/base/wire/envelope.ts'
import {
  encodePlainSlot,
  plainSlotKind,
  plainSlotName,
  type PlainSlotKind,
} from '../../src/base/wire/plain-slot.ts'
import type { Host } from '../../src/base/wire/records.ts'
import { slotClass } from '../../src/base/wire/slot.ts'
import type { SignedSlot } from '../../src/machine/mailbox/hosted-mailbox.ts'

/** An account with one device: what it needs to sign. */
export interface Person {
  readonly rootPk: Uint8Array
  readonly rootSeed: Uint8Array
  readonly deviceSeed: Uint8Array
  readonly devicePk: Uint8Array
  /** Signed device certificate. */
  readonly certificate: Uint8Array
  readonly sealPk: Uint8Array
}

/** What a host and a sender know of someone who receives. */
export interface Recipient {
  readonly rootPk: Uint8Array
  readonly mailbox: MailboxId
  /** X-Wing public key that seals for it. */
  readonly prekey: Uint8Array
  readonly doorId: Uint8Array
  readonly doorKey: Uint8Array
  /** First slots of the mailbox: identity, record, door. */
  readonly slots: readonly SignedSlot[]
}

/** The public half of a fresh X-Wing pair that nobody will ever open with. */
export function newPrekey(platform: CryptoPlatform): Uint8Array {
  return platform.kem.publicKey(platform.random(32))
}

export function newPerson(platform: CryptoPlatform): Person {
  const rootSeed = platform.random(32)
  const deviceSeed = platform.random(32)
  const rootPk = platform.ed25519.publicKey(rootSeed)
  const devicePk = platform.ed25519.publicKey(deviceSeed)
  const sealPk = platform.kem.publicKey(platform.random(32))
  const certificate = signDeviceCertificate(platform, rootSeed, {
    v: 1,
    account: rootPk,
    signPk: devicePk,
    sealPkHash: platform.sha256(sealPk),
    caps: 1,
    docSeq: 1,
  })
  return { rootPk, rootSeed, deviceSeed, devicePk, certificate, sealPk }
}

/** The home of all recipients, whichever machine key serves them: the benchmark delivers to where it pleases. */
export const benchHome = '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp' as PeerId

/** Somebody whose home is `benchHome`, unless `hosts` say otherwise. */
export function newRecipient(
  platform: CryptoPlatform,
  {
    nowHours,
    prekey,
    hosts = [{ peerId: benchHome, role: 'home' }],
  }: { nowHours: number; prekey: Uint8Array; hosts?: readonly Host[] },
): Recipient {
  const person = newPerson(platform)
  const { rootPk, rootSeed, deviceSeed, certificate, sealPk } = person
  const mailbox = mailboxIdOf(platform, rootPk)
  const doorKey = doorKeyOf(platform, newDoorToken(platform))
  const doorId = doorIdOf(platform, doorKey)
  const document = signIdentityDocument(platform, rootSeed, {
    v: 1,
    account: rootPk,
    seq: 1,
    devices: [platform.sha256(certificate)],
    revoked: [],
  })
  const record = signMailboxRecord(platform, deviceSeed, {
    v: 1,
    account: rootPk,
    seq: 1,
    notBeforeHours: nowHours - 1,
    notAfterHours: nowHours + 24,
    suites: [suiteXWing],
    prekey,
    priorKeys: [],
    hosts,
    stampBits: 0,
    deviceCertificate: certificate,
  })
  const identity = encode({ document, certificates: [certificate], sealPks: [sealPk] })
  const door = encode({
    v: 1,
    id: doorId,
    key: doorKey,
    untilHours: nowHours + 24,
    pool: 'contact',
  })
  const slot = (name: string, kind: PlainSlotKind, content: Uint8Array) =>
    plainSlot({ platform, person, mailbox }, { name, kind, content })
  const slots = [
    slot(plainSlotName.identity, plainSlotKind.identity, identity),
    slot(plainSlotName.record, plainSlotKind.record, record),
    slot(plainSlotName.door(doorId), plainSlotKind.door, door),
  ]
  return { rootPk, mailbox, prekey, doorId, doorKey, slots }
}

function plainSlot(
  owner: { platform: CryptoPlatform; person: Person; mailbox: MailboxId },
  { name, kind, content }: { name: string; kind: PlainSlotKind; content: Uint8Array },
): SignedSlot {
  const { platform, person, mailbox } = owner
  const body = encodePlainSlot(kind, content)
  const signed = signSlot(platform, person.deviceSeed, {
    class: slotClass.plain,
    mailbox,
    key: plainSlotKey(platform, mailbox, name),
    version: 1,
    bodyHash: platform.sha256(body),
    device: person.devicePk,
  })
  return { signed, body }
}
