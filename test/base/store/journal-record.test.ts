import t from 'tap'
import {
  encodeRecord,
  encodeSegmentHead,
  nextRecordAt,
  readRecord,
  recordBytes,
  saltOf,
  segmentHeadBytes,
  type JournalEntry,
} from '../../../src/base/store/journal-record.ts'
import { bodyChecksum } from '../../../src/base/store/row.ts'
import { toHex, utf8 } from '../../../src/base/util/bytes.ts'
import { itemOf, mailboxNamed } from '../../support/store-content.ts'

const salt = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')

function entryOf(text: string | Uint8Array, arrival: number): JournalEntry {
  const item = itemOf(mailboxNamed('m'), text, { expiresAtHours: 500_000 })
  const head = {
    ...item,
    arrival,
    sizeBytes: item.body.length,
    bodyChecksum: bodyChecksum(item.id, item.body),
  }
  return { mailbox: item.mailbox, head, body: item.body }
}

const entries = [entryOf('first', 7), entryOf('', 8), entryOf('third', 10)]

function segmentOf(...records: (readonly JournalEntry[])[]): Buffer {
  const parts = records.flatMap((list, n) => [
    encodeRecord(list, salt, { commit: n + 1, isWithIndex: false }),
    ...list.map(({ body }) => body),
  ])
  return Buffer.concat([encodeSegmentHead(salt), ...parts])
}

const at = { segment: 3, offset: segmentHeadBytes }

t.test('the layout of a segment and a record', (t) => {
  const bytes = segmentOf([entryOf('body', 5)])
  const item = itemOf(mailboxNamed('m'), 'body')
  t.equal(
    toHex(bytes),
    [
      '61627a7573656731', // abzuseg1
      '000102030405060708090a0b0c0d0e0f', // salt
      '0001020304050607', // its first half: the mark
      toHex(bytes.subarray(32, 36)), // checksum
      '00', // without the index
      '000001', // items
      '00000004', // bytes of the bodies
      '0000000000000001', // commit
      toHex(item.mailbox),
      '01', // mail
      '01', // pool
      toHex(item.id),
      '0000000000000005', // arrival
      '019b796dd600', // received
      '0007a120', // expires
      '00000004', // size
      toHex(bytes.subarray(-8, -4)), // checksum of the body
      toHex(utf8('body')),
    ].join(''),
  )
  t.equal(bytes.length, segmentHeadBytes + recordBytes([entryOf('body', 5)]))
  t.end()
})

t.test('what was written is read', (t) => {
  const bytes = segmentOf(entries, [entryOf('next', 11)])
  t.equal(toHex(saltOf(bytes) ?? utf8('')), toHex(salt))
  const record = readRecord(bytes, salt, at)
  t.match(record, { commit: 1, isWithIndex: false })
  t.strictSame(
    record?.entries.map(({ head, body }) => [toHex(head.id), head.arrival, body.toString()]),
    entries.map(({ head, body }) => [toHex(head.id), head.arrival, Buffer.from(body).toString()]),
  )
  for (const { head, body } of record?.entries ?? []) {
    t.equal(head.place.segment, 3)
    t.ok(bytes.subarray(head.place.offset, head.place.offset + body.length).equals(body))
  }
  t.match(readRecord(bytes, salt, { ...at, offset: record?.end ?? 0 }), { commit: 2 })
  t.end()
})

t.test('a record that is cut off anywhere is none', (t) => {
  const bytes = segmentOf(entries)
  for (let end = 0; end < bytes.length; end++) {
    if (readRecord(bytes.subarray(0, end), salt, at)) t.fail(`cut off at ${end}`)
  }
  t.ok(readRecord(bytes, salt, at))
  t.end()
})

t.test('a flipped bit makes it none, or shows in the checksum of a body', (t) => {
  const bytes = segmentOf(entries)
  for (let bit = segmentHeadBytes * 8; bit < bytes.length * 8; bit++) {
    const flipped = Buffer.from(bytes)
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
    const record = readRecord(flipped, salt, at)
    const isSilent = record?.entries.every(
      ({ head, body }) => bodyChecksum(head.id, body) === head.bodyChecksum,
    )
    if (isSilent) t.fail(`bit ${bit}`)
  }
  t.pass()
  t.end()
})

t.test('a body that looks like a record is not taken for one without the salt', (t) => {
  const guessed = Buffer.from(salt)
  guessed[15] = 0xff
  const forged = encodeRecord([entryOf('forged', 99)], guessed, { commit: 2, isWithIndex: false })
  const bytes = segmentOf([entryOf(Buffer.concat([forged, utf8('forged')]), 5)])
  bytes[segmentHeadBytes + 8] = 1 + (bytes[segmentHeadBytes + 8] as number)
  t.equal(readRecord(bytes, salt, at), undefined, 'the record around it is damaged')
  const next = nextRecordAt(bytes, salt, segmentHeadBytes + 1)
  t.not(next, bytes.length, 'the mark is found, since it was guessed')
  t.equal(readRecord(bytes, salt, { ...at, offset: next }), undefined)
  t.end()
})
