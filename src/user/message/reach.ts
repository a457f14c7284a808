/** How a contact is reached: what its verified mailbox record says, and a token for one of its doors. @module */

import { parsePeerId } from '../../base/crypto/address.ts'
import { openDeviceCertificate } from '../../base/crypto/certificate.ts'
import { openMailboxRecord } from '../../base/crypto/mailbox-record.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { suiteXWing } from '../../base/wire/envelope.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import type { MailboxRecord } from '../../base/wire/records.ts'
import { withDevice, type ContactRow } from './contact-row.ts'

/** A mailbox record that its account has signed. */
export interface VerifiedRecord {
  readonly record: MailboxRecord
  /** Ed25519 public key of the device that signed. */
  readonly signPk: Uint8Array
}

/** Verifies the record of the account `root`.
 *  @throws {AbzuError} ABZU_SIGNATURE_INVALID, ABZU_MALFORMED, ABZU_ADDRESS_INVALID; ABZU_UNREACHABLE where it names no home */
export function verifyRecord(
  platform: Pick<CryptoPlatform, 'ed25519'>,
  root: Uint8Array,
  signed: Uint8Array,
): VerifiedRecord {
  const record = openMailboxRecord(platform, signed, root)
  if (!record.suites.includes(suiteXWing)) {
    throw new AbzuError('ABZU_MALFORMED', 'a mailbox record without a suite that we know')
  }
  if (!record.hosts.some(({ role }) => role === 'home')) {
    throw new AbzuError('ABZU_UNREACHABLE', 'a mailbox record that names no home')
  }
  for (const { peerId } of record.hosts) parsePeerId(peerId)
  const { signPk } = openDeviceCertificate(platform, record.deviceCertificate, root)
  return { record, signPk }
}

/** `row` after a verified record, and after a token where one came with it. A record older than the
 *  one that was seen changes nothing, and nor does its token. */
export function withRecord(
  row: ContactRow,
  { record, signPk }: VerifiedRecord,
  { token, nowMs }: { token?: Uint8Array | undefined; nowMs: number },
): ContactRow {
  const opener = token ?? row.reach?.token
  if (!opener || (row.reach && record.seq < row.reach.seq)) return row
  const { seq, prekey } = record
  const hosts = record.hosts.slice(0, wireLimits.hostsMax)
  return { ...withDevice(row, signPk, nowMs), reach: { seq, prekey, hosts, token: opener } }
}
