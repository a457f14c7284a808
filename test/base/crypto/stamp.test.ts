import t from 'tap'
import { itemIdOf } from '../../../src/base/crypto/address.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { expectAffordable, isStamp, searchStamp } from '../../../src/base/crypto/stamp.ts'
import { concatBytes, toHex, utf8 } from '../../../src/base/util/bytes.ts'
import { testPerson } from '../../support/persons.ts'
import { stampFor } from '../../support/stamps.ts'

const platform = nodePlatform()
const [alice, bob] = [testPerson(platform, 1), testPerson(platform, 2)]
const item = itemIdOf(platform, utf8('an envelope'))
const bits = 10

t.test('I24: a stamp holds for its mailbox and item, of all pairs, and for no more bits', (t) => {
  const orders = [alice, bob].flatMap(({ mailbox }) =>
    ['one', 'two', 'three'].map((text) => ({
      mailbox,
      item: itemIdOf(platform, utf8(text)),
      bits: 16,
    })),
  )
  const stamps = orders.map((order) => stampFor(platform, order))
  for (const [i, order] of orders.entries()) {
    for (const [j, stamp] of stamps.entries()) t.equal(isStamp(platform, order, stamp), i === j)
  }
  const [order] = orders
  const [stamp] = stamps
  if (!order || !stamp) throw new Error('nothing to try')
  t.notOk(isStamp(platform, { ...order, bits: 40 }, stamp))
  t.equal(stamps.length, 6)
  t.end()
})

t.test('no bit of a stamp may differ, nor its length', (t) => {
  const order = { mailbox: alice.mailbox, item, bits: 16 }
  const stamp = stampFor(platform, order)
  for (let bit = 0; bit < 64; bit++) {
    const flipped = concatBytes(stamp)
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
    t.notOk(isStamp(platform, order, flipped), `bit ${bit}`)
  }
  for (const other of [
    stamp.subarray(1),
    concatBytes(stamp, new Uint8Array(1)),
    new Uint8Array(),
  ]) {
    t.notOk(isStamp(platform, { ...order, bits: 0 }, other), 'not even for nothing')
  }
  t.end()
})

t.test('bits are counted one by one', (t) => {
  const hashes = [
    0x00_00_00_00, 0x00_00_80_00, 0x00_01_00_00, 0x00_40_00_00, 0x80_00_00_00, 0x01_00_00_00,
  ]
  const zeros = [32, 16, 15, 9, 0, 7]
  for (const [n, start] of hashes.entries()) {
    const hash = new Uint8Array(32).fill(0xff)
    new DataView(hash.buffer).setUint32(0, start)
    const order = { mailbox: alice.mailbox, item }
    for (let wanted = 0; wanted <= 32; wanted++) {
      const taken = isStamp({ sha256: () => hash }, { ...order, bits: wanted }, new Uint8Array(8))
      t.equal(taken, wanted <= (zeros[n] as number), `${wanted} of ${zeros[n]}`)
    }
  }
  const none = { sha256: () => new Uint8Array(32) }
  t.ok(isStamp(none, { mailbox: alice.mailbox, item, bits: 256 }, new Uint8Array(8)))
  t.notOk(isStamp(none, { mailbox: alice.mailbox, item, bits: 257 }, new Uint8Array(8)))
  t.end()
})

t.test('a search goes through its slice and no further', (t) => {
  const order = { mailbox: bob.mailbox, item, bits }
  const first = stampFor(platform, order)
  const number = Number.parseInt(toHex(first), 16)
  t.equal(searchStamp(platform, { ...order, from: 0, tries: number }), undefined)
  t.same(searchStamp(platform, { ...order, from: number, tries: 1 }), first)
  const beyond = searchStamp(platform, { ...order, from: 2 ** 40, tries: 100_000 })
  t.ok(beyond && toHex(beyond) >= '0000010000000000', 'numbers above 32 bits')
  t.ok(beyond && isStamp(platform, order, beyond))
  t.end()
})

t.test('absurd work is refused before any of it is done', (t) => {
  for (const bits of [1, 14, 20]) expectAffordable(bits)
  for (const bits of [21, 32]) {
    t.throws(() => expectAffordable(bits), { code: 'ABZU_STAMP_TOO_COSTLY' })
  }
  t.throws(() => expectAffordable(0), { code: 'ABZU_STRANGERS_REFUSED' })
  t.end()
})
