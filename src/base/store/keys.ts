/**
 * Every key of the database. The first byte is the family of the row; all numbers are big endian, so
 * that the order of the keys is the order of the numbers.
 *
 * ```
 * 00 | name                                            about the store itself
 * 10 | mailbox[32] | first 16 bytes of the id          head of an item, to find it by id
 * 20 | mailbox[32] | kind[1] | arrival[8]              head of an item, to list it
 * 30 | segment[4]                                      how much of a segment is needed
 * 40 | mailbox[32] | class[1] | key[20]                slot with its body
 * 50 | hours[4] | mailbox[32] | arrival[8]             what expires then
 * 60 | mailbox[32] | prefix[2]                         count and sum of the ids with these 12 bits
 * 70 | mailbox[32]                                     count and sum of all its ids, usage
 * 80 | table[1] | key                                  row of a table
 * ```
 *
 * Bodies of mail and chunks lie in segments of their own.
 * @module
 */

import { asBuffer, readU64, writeU64 } from './row.ts'

const mailboxBytes = 32
const idPrefixBytes = 16

export const family = {
  meta: 0x00,
  index: 0x10,
  arrival: 0x20,
  segment: 0x30,
  slot: 0x40,
  expiry: 0x50,
  digest: 0x60,
  mailbox: 0x70,
  table: 0x80,
} as const

export const itemKinds = { mail: 1, chunk: 2, slot: 3 } as const

/** A table is named by a number that is never given to another one. */
const tables = {
  mailboxes: 1,
  acknowledged: 2,
  'door-uses': 3,
  outbox: 4,
  outcomes: 5,
  accounts: 6,
  peers: 7,
  node: 8,
  'outbox-envelopes': 9,
  'mesh-peers': 10,
  records: 11,
  'trusted-peers': 12,
  'peer-invites': 13,
  'sync-cursors': 14,
  'sync-members': 15,
  'household-invites': 16,
  'child-rules': 20,
  'child-contacts': 21,
  'oversight-pairs': 22,
  limits: 23,
  'oversight-log': 24,
  copies: 25,
  clock: 26,
  'copied-mailboxes': 27,
  'left-mailboxes': 28,
} as const

export type TableName = keyof typeof tables

/** Rows from `gte` up to, not including, `lt`. */
export interface KeyRange {
  readonly gte: Uint8Array
  readonly lt: Uint8Array
}

/** A key as the key of a Map: one character a byte. */
export function keyText(key: Uint8Array): string {
  return asBuffer(key).toString('latin1')
}

function keyOf(first: number, length: number): Buffer {
  const key = Buffer.allocUnsafe(length)
  key[0] = first
  return key
}

export function metaKey(name: 'format' | 'migration' | 'epoch' | 'state'): Uint8Array {
  return Buffer.concat([Buffer.from([family.meta]), Buffer.from(name)])
}

export function indexKey(mailbox: Uint8Array, id: Uint8Array): Uint8Array {
  const key = keyOf(family.index, 1 + mailboxBytes + idPrefixBytes)
  key.set(mailbox, 1)
  for (let i = 0; i < idPrefixBytes; i++) key[33 + i] = id[i] as number
  return key
}

/** The index keys of a mailbox whose ids begin with 16 bits from `from` up to, not including, `to`. */
export function idRange(mailbox: Uint8Array, from: number, to: number): KeyRange {
  const prefix = (bits: number) => [bits >>> 8, bits & 0xff]
  const before = Buffer.concat([Buffer.from([family.index]), mailbox])
  const gte = Buffer.concat([before, Buffer.from(prefix(from))])
  const end = to < 0x10000 ? Buffer.from(prefix(to)) : Buffer.alloc(idPrefixBytes + 1, 0xff)
  return { gte, lt: Buffer.concat([before, end]) }
}

/** The mailbox of an index key. */
export function mailboxOf(key: Uint8Array): Uint8Array {
  return key.subarray(1, 1 + mailboxBytes)
}

/** The first 16 bytes of the id, of an index key. */
export function idPrefixOf(key: Uint8Array): Uint8Array {
  return key.subarray(1 + mailboxBytes)
}

export function arrivalKey(mailbox: Uint8Array, kind: number, arrival: number): Uint8Array {
  const key = keyOf(family.arrival, 42)
  key.set(mailbox, 1)
  key[33] = kind
  writeU64(key, arrival, 34)
  return key
}

/** The arrival in such a key. */
export function arrivalOfKey(key: Uint8Array): number {
  return readU64(asBuffer(key), 34)
}

export function segmentKey(segment: number): Uint8Array {
  const key = keyOf(family.segment, 5)
  key.writeUInt32BE(segment, 1)
  return key
}

/** The segment that a row is about. */
export function segmentOfKey(key: Uint8Array): number {
  return asBuffer(key).readUInt32BE(1)
}

export function slotKey(mailbox: Uint8Array, slotClass: number, key: Uint8Array): Uint8Array {
  const whole = keyOf(family.slot, 54)
  whole.set(mailbox, 1)
  whole[33] = slotClass
  whole.set(key, 34)
  return whole
}

export function expiryKey(hours: number, mailbox: Uint8Array, arrival: number): Uint8Array {
  const key = keyOf(family.expiry, 45)
  key.writeUInt32BE(hours, 1)
  key.set(mailbox, 5)
  writeU64(key, arrival, 37)
  return key
}

/** `prefix` is the first 12 bits of the ids. */
export function digestKey(mailbox: Uint8Array, prefix: number): Uint8Array {
  const key = keyOf(family.digest, 35)
  key.set(mailbox, 1)
  key.writeUInt16BE(prefix, 33)
  return key
}

export function mailboxKey(mailbox: Uint8Array): Uint8Array {
  const key = keyOf(family.mailbox, 1 + mailboxBytes)
  key.set(mailbox, 1)
  return key
}

export function tableKey(table: TableName, key: Uint8Array): Uint8Array {
  const whole = keyOf(family.table, 2 + key.length)
  whole[1] = tables[table]
  whole.set(key, 2)
  return whole
}

/** The key that a row has in its table. */
export function keyInTable(key: Uint8Array): Uint8Array {
  return key.subarray(2)
}

/** The first key behind every key that begins with `prefix`. */
export function keyAfter(prefix: Uint8Array): Uint8Array {
  const end = Uint8Array.from(prefix)
  for (let i = end.length - 1; i >= 0; i--) {
    if (end[i] !== 0xff) {
      end[i] = (end[i] as number) + 1
      return end.subarray(0, i + 1)
    }
  }
  return new Uint8Array([0xff, 0xff])
}

/** Every row of a family, or those of one mailbox, or of one mailbox and one kind or class. Not for
 *  expiry, whose keys begin otherwise. */
export function rangeOf(first: number, mailbox?: Uint8Array, kind?: number): KeyRange {
  const prefix = [Uint8Array.of(first), mailbox ?? [], kind === undefined ? [] : [kind]]
  const gte = Buffer.concat(prefix.map((part) => Uint8Array.from(part)))
  return { gte, lt: keyAfter(gte) }
}

/** What expires at `nowHours` or before. */
export function expiryRange(nowHours: number): KeyRange {
  const end = keyOf(family.expiry, 5)
  end.writeUInt32BE(nowHours, 1)
  return { gte: Uint8Array.of(family.expiry), lt: keyAfter(end) }
}
