import type { MailboxId } from '../util/brand.ts'
import { compareBytes, equalBytes } from '../util/bytes.ts'
import { AbzuError } from '../util/errors.ts'
import { encode } from '../wire/codec.ts'
import { keyIdBytes } from '../wire/envelope.ts'
import { wireLimits } from '../wire/limits.ts'
import { mailboxRecordShape, type MailboxRecord } from '../wire/records.ts'
import { decodeShape } from '../wire/shape.ts'
import { mailboxIdOf } from './address.ts'
import { openDeviceCertificate } from './certificate.ts'
import { labels } from './labels.ts'
import type { CryptoPlatform } from './platform.ts'
import { openStatement, signStatement, unverifiedBody } from './signature.ts'

/** Longest life of a record. */
export const recordHoursMax = 400 * 24

/** The record that says where the account's mail goes and which key seals it, signed by one of its
 *  devices, whose certificate it carries.
 *  @throws {AbzuError} ABZU_TOO_LARGE
 *  @see docs/protocol.md#mailbox-record */
export function signMailboxRecord(
  platform: Pick<CryptoPlatform, 'ed25519'>,
  deviceSeed: Uint8Array,
  record: MailboxRecord,
): Uint8Array {
  const body = encode(mailboxRecordShape(record, 'mailbox record'))
  const signed = signStatement(platform, labels.mailboxRecord, deviceSeed, body)
  if (signed.length > wireLimits.recordBytesMax) {
    throw new AbzuError('ABZU_TOO_LARGE', `a mailbox record of ${signed.length} bytes`)
  }
  return signed
}

/** Verifies a record of the account `expectedRootPk`: its certificate by the root, the record by the
 *  device. The caller compares seq, times and revocations with what it knows.
 *  @throws {AbzuError} ABZU_MALFORMED, ABZU_SIGNATURE_INVALID */
export function openMailboxRecord(
  platform: Pick<CryptoPlatform, 'ed25519'>,
  signed: Uint8Array,
  expectedRootPk: Uint8Array,
): MailboxRecord {
  return verified(platform, signed, unverifiedRecord(signed), expectedRootPk).record
}

/** A record that its account has signed. */
export interface VerifiedMailboxRecord {
  /** As it travels. */
  readonly signed: Uint8Array
  readonly record: MailboxRecord
  /** Of the account that signed. */
  readonly mailbox: MailboxId
  /** Ed25519 public key of the device that signed, 32 bytes. */
  readonly signPk: Uint8Array
  /** Number of the identity document with which that device was certified last. */
  readonly docSeq: number
}

/** What a record says of itself, before it is verified.
 *  @throws {AbzuError} ABZU_MALFORMED */
export function unverifiedRecord(signed: Uint8Array): MailboxRecord {
  if (signed.length > wireLimits.recordBytesMax) {
    throw new AbzuError('ABZU_MALFORMED', `a mailbox record of ${signed.length} bytes`)
  }
  return decodeShape(mailboxRecordShape, unverifiedBody(signed), 'mailbox record')
}

/** Verifies a record by the account that it names, for whoever holds records of any account.
 *  @throws {AbzuError} ABZU_MALFORMED, ABZU_SIGNATURE_INVALID */
export function verifyMailboxRecord(
  platform: Pick<CryptoPlatform, 'ed25519' | 'sha256'>,
  signed: Uint8Array,
): VerifiedMailboxRecord {
  const record = unverifiedRecord(signed)
  const { signPk, docSeq } = verified(platform, signed, record, record.account)
  return { signed, record, mailbox: mailboxIdOf(platform, record.account), signPk, docSeq }
}

function verified(
  platform: Pick<CryptoPlatform, 'ed25519'>,
  signed: Uint8Array,
  record: MailboxRecord,
  rootPk: Uint8Array,
): { record: MailboxRecord; signPk: Uint8Array; docSeq: number } {
  if (!equalBytes(record.account, rootPk)) {
    throw new AbzuError('ABZU_SIGNATURE_INVALID', 'a mailbox record of another account')
  }
  const { signPk, docSeq } = openDeviceCertificate(platform, record.deviceCertificate, rootPk)
  openStatement(platform, labels.mailboxRecord, signPk, signed)
  const lifeHours = record.notAfterHours - record.notBeforeHours
  if (lifeHours <= 0 || lifeHours > recordHoursMax) {
    throw new AbzuError('ABZU_MALFORMED', `a mailbox record for ${lifeHours} hours`)
  }
  return { record, signPk, docSeq }
}

/** Place of a record in the history of its account. */
export type RecordPlace = Pick<VerifiedMailboxRecord, 'docSeq'> & { readonly seq: number }

/** Positive where `a` is newer. The identity document counts first: what a stolen key signs after its
 *  revocation is older than all that the account signs from then on, whatever number it gives itself.
 *  @see docs/adr/0011-certificates-are-renewed-together.md */
export function comparePlaces(a: RecordPlace, b: RecordPlace): number {
  return a.docSeq - b.docSeq || a.seq - b.seq
}

/** The place of a verified record. */
export function placeOf({ docSeq, record }: VerifiedMailboxRecord): RecordPlace {
  return { docSeq, seq: record.seq }
}

/** Positive where `a` is to be used instead of `b`, another record of the same account. Of two at the same place the
 *  one with the lower hash is used, so that all holders agree. */
export function compareRecords(
  platform: Pick<CryptoPlatform, 'sha256'>,
  a: VerifiedMailboxRecord,
  b: VerifiedMailboxRecord,
): number {
  const byPlace = comparePlaces(placeOf(a), placeOf(b))
  if (byPlace !== 0) return byPlace
  return compareBytes(platform.sha256(b.signed), platform.sha256(a.signed))
}

/** Whether one device signed two records for one place: it, or who has its key, deceives somebody. */
export function isFork(a: VerifiedMailboxRecord, b: VerifiedMailboxRecord): boolean {
  return (
    comparePlaces(placeOf(a), placeOf(b)) === 0 &&
    equalBytes(a.signPk, b.signPk) &&
    !equalBytes(a.signed, b.signed)
  )
}

/** Short name of an X-Wing public key, 8 bytes: the key id in an envelope's header. */
export function prekeyIdOf(
  platform: Pick<CryptoPlatform, 'sha256'>,
  publicKey: Uint8Array,
): Uint8Array {
  return platform.sha256(labels.sealKeyId, publicKey).slice(0, keyIdBytes)
}
