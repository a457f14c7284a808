/** How a contact is reached: what its verified mailbox record says, and a token for one of its doors. @module */

import { parsePeerId } from '../../base/crypto/address.ts'
import { openDeviceCertificate } from '../../base/crypto/certificate.ts'
import {
  comparePlaces,
  openMailboxRecord,
  type RecordPlace,
} from '../../base/crypto/mailbox-record.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { equalBytes } from '../../base/util/bytes.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { suiteXWing } from '../../base/wire/envelope.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import type { MailboxRecord } from '../../base/wire/records.ts'
import { withDevice, type ContactRow, type Reach } from './contact-row.ts'

/** From the least to the best, with those that are reserved. */
const suitesByRank: readonly number[] = [suiteXWing, 0x02, 0x11, 0x20]

/** A mailbox record that its account has signed. */
export interface VerifiedRecord {
  readonly record: MailboxRecord
  /** Ed25519 public key of the device that signed. */
  readonly signPk: Uint8Array
  /** Number of the identity document with which that device was certified last. */
  readonly docSeq: number
  /** The best suite that the account takes and we can seal by. */
  readonly suite: number
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
  const { signPk, docSeq } = openDeviceCertificate(platform, record.deviceCertificate, root)
  return { record, signPk, docSeq, suite: suiteXWing }
}

/** `row` after a verified record, and after a token where one came with it. A record that is older than the
 *  one that was seen changes nothing, and nor does its token; of one that claims the same place only the
 *  token counts, and one that would make us seal by a lesser suite is not followed.
 *  @see docs/protocol.md#mailbox-record */
export function withRecord(
  row: ContactRow,
  { record, signPk, docSeq, suite }: VerifiedRecord,
  { token, nowMs }: { token?: Uint8Array | undefined; nowMs: number },
): ContactRow {
  const { reach } = row
  const order = reach ? comparePlaces({ docSeq, seq: record.seq }, placeOf(reach)) : 1
  if (order < 0) return row
  if (suiteRank(suite) < suiteRank(reach?.suite ?? suite)) return row
  const opener = token ?? reach?.token
  const opens = opener && { token: opener }
  if (reach && order === 0) {
    const isNews = token && !(reach.token && equalBytes(reach.token, token))
    return isNews ? { ...row, reach: { ...reach, ...opens } } : row
  }
  const { seq, prekey, stampBits } = record
  const hosts = record.hosts.slice(0, wireLimits.hostsMax)
  return {
    ...withDevice(row, signPk, nowMs),
    reach: { seq, docSeq, prekey, hosts, stampBits, suite, ...opens },
  }
}

function placeOf({ docSeq = 1, seq }: Reach): RecordPlace {
  return { docSeq, seq }
}

function suiteRank(suite: number): number {
  return suitesByRank.indexOf(suite)
}
