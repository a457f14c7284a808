import { equalBytes } from '../util/bytes.ts'
import { AbzuError } from '../util/errors.ts'
import { encode } from '../wire/codec.ts'
import { keyIdBytes } from '../wire/envelope.ts'
import { wireLimits } from '../wire/limits.ts'
import { mailboxRecordShape, type MailboxRecord } from '../wire/records.ts'
import { decodeShape } from '../wire/shape.ts'
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
  if (signed.length > wireLimits.recordBytesMax) {
    throw new AbzuError('ABZU_MALFORMED', `a mailbox record of ${signed.length} bytes`)
  }
  const record = decodeShape(mailboxRecordShape, unverifiedBody(signed), 'mailbox record')
  if (!equalBytes(record.account, expectedRootPk)) {
    throw new AbzuError('ABZU_SIGNATURE_INVALID', 'a mailbox record of another account')
  }
  const device = openDeviceCertificate(platform, record.deviceCertificate, expectedRootPk)
  openStatement(platform, labels.mailboxRecord, device.signPk, signed)
  const lifeHours = record.notAfterHours - record.notBeforeHours
  if (lifeHours <= 0 || lifeHours > recordHoursMax) {
    throw new AbzuError('ABZU_MALFORMED', `a mailbox record for ${lifeHours} hours`)
  }
  return record
}

/** Short name of an X-Wing public key, 8 bytes: the key id in an envelope's header. */
export function prekeyIdOf(
  platform: Pick<CryptoPlatform, 'sha256'>,
  publicKey: Uint8Array,
): Uint8Array {
  return platform.sha256(labels.sealKeyId, publicKey).slice(0, keyIdBytes)
}
