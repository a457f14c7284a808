/**
 * A segment, byte by byte. What one commit adds is one record: the heads of its items, then their bodies.
 *
 * ```
 * segment = magic[8] | salt[16] | record ...
 * record  = salt[8, its first half] | checksum[4] | with index[1] | items[3] | bytes of the bodies[4] | commit[8] |
 *           for each item mailbox[32] head[60] | bodies
 * ```
 *
 * The checksum is a CRC-32 that begins with the salt and covers what lies between it and the bodies, each
 * of which has its own in its head. Bodies come from strangers: without the salt, which nobody else knows,
 * one could hold what looks like a record.
 * @module
 */

import { crc32 } from 'node:zlib'
import type { MailboxId } from '../util/brand.ts'
import { headBytes, readHead, writeHead, type StoredHead } from './head.ts'
import { readU64, writeU64 } from './row.ts'
import type { BodyPlace } from './segments.ts'

/** An item on its way to the journal. */
export interface JournalEntry {
  readonly mailbox: MailboxId
  /** Gets its place when the commit is sealed. */
  readonly head: StoredHead
  readonly body: Uint8Array
}

export interface RecordInit {
  readonly commit: number
  /** The commit counts only where the database has it too: rows belong to it. */
  readonly isWithIndex: boolean
}

const magic = Buffer.from('abzuseg1')
export const saltBytes = 16
export const segmentHeadBytes = magic.length + saltBytes
const markBytes = 8
const recordHeadBytes = 28
const checksumEnd = 12
const mailboxBytes = 32
/** Of an item, beside its body. */
export const entryBytes = mailboxBytes + headBytes

export function encodeSegmentHead(salt: Uint8Array): Uint8Array {
  return Buffer.concat([magic, salt])
}

/** The salt of a segment; undefined where it has none that can be read. */
export function saltOf(segment: Buffer): Buffer | undefined {
  const isWhole = segment.length >= segmentHeadBytes && segment.subarray(0, 8).equals(magic)
  return isWhole ? segment.subarray(magic.length, segmentHeadBytes) : undefined
}

/** Bytes of a record. */
export function recordBytes(entries: readonly JournalEntry[]): number {
  const bodies = entries.reduce((bytes, { body }) => bytes + body.length, 0)
  return recordHeadBytes + entries.length * entryBytes + bodies
}

/** The record of a commit, whose bodies follow it, in order. */
export function encodeRecord(
  entries: readonly JournalEntry[],
  salt: Uint8Array,
  { commit, isWithIndex }: RecordInit,
): Buffer {
  const record = Buffer.allocUnsafe(recordHeadBytes + entries.length * entryBytes)
  record.set(salt.subarray(0, markBytes))
  record[12] = Number(isWithIndex)
  record.writeUIntBE(entries.length, 13, 3)
  writeU64(record, commit, 20)
  let bodiesBytes = 0
  let offset = recordHeadBytes
  for (const { mailbox, head, body } of entries) {
    record.set(mailbox, offset)
    writeHead(head, record, offset + mailboxBytes)
    bodiesBytes += body.length
    offset += entryBytes
  }
  record.writeUInt32BE(bodiesBytes, 16)
  record.writeUInt32BE(checksum(record, salt), 8)
  return record
}

function checksum(record: Uint8Array, salt: Uint8Array): number {
  return crc32(record.subarray(checksumEnd), crc32(salt))
}

/** An item as the journal has it. */
export interface ReadEntry {
  readonly mailbox: MailboxId
  readonly head: StoredHead & { readonly place: BodyPlace }
  readonly body: Buffer
}

export interface ReadRecord extends RecordInit {
  readonly entries: readonly ReadEntry[]
  /** Where the next record would begin. */
  readonly end: number
}

/** The record at `offset` of a segment; undefined where there is none, or not all of it. */
export function readRecord(
  bytes: Buffer,
  salt: Buffer,
  { segment, offset }: BodyPlace,
): ReadRecord | undefined {
  const head = bytes.subarray(offset, offset + recordHeadBytes)
  if (head.length < recordHeadBytes || !head.subarray(0, markBytes).equals(salt.subarray(0, 8))) {
    return undefined
  }
  const count = head.readUIntBE(13, 3)
  const bodiesAt = offset + recordHeadBytes + count * entryBytes
  const end = bodiesAt + head.readUInt32BE(16)
  if (end > bytes.length) return undefined
  // A copy: the heads outlive the bytes of the whole segment.
  const record = Buffer.from(bytes.subarray(offset, bodiesAt))
  if (record.readUInt32BE(8) !== checksum(record, salt)) return undefined
  const entries: ReadEntry[] = []
  let bodyAt = bodiesAt
  for (let at = recordHeadBytes; at < record.length; at += entryBytes) {
    const head = readHead(record.subarray(at + mailboxBytes, at + entryBytes))
    if (!head) return undefined
    const body = bytes.subarray(bodyAt, bodyAt + head.sizeBytes)
    entries.push({
      mailbox: record.subarray(at, at + mailboxBytes) as Uint8Array as MailboxId,
      head: { ...head, place: { segment, offset: bodyAt } },
      body,
    })
    bodyAt += head.sizeBytes
  }
  return { commit: readU64(head, 20), isWithIndex: head[12] === 1, entries, end }
}

/** Where behind `offset` the next record seems to begin; the end where none does. */
export function nextRecordAt(bytes: Buffer, salt: Buffer, offset: number): number {
  const at = bytes.indexOf(salt.subarray(0, markBytes), offset)
  return at < 0 ? bytes.length : at
}
