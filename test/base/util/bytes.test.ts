import fc from 'fast-check'
import t from 'tap'
import {
  compareBytes,
  concatBytes,
  equalBytes,
  fromHex,
  fromUtf8,
  mapKey,
  readU32be,
  readU64be,
  toHex,
  u32be,
  u64be,
  utf8,
} from '../../../src/base/util/bytes.ts'

const bytes = fc.uint8Array({ maxLength: 40 })

t.test('bytes agree with Buffer', async (t) => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      const isEqual = Buffer.compare(a, b) === 0
      const facts = [
        toHex(a) === Buffer.from(a).toString('hex'),
        toHex(concatBytes(a, b)) === toHex(a) + toHex(b),
        equalBytes(fromHex(toHex(a)) ?? b, a),
        equalBytes(a, b) === isEqual,
        (mapKey(a) === mapKey(b)) === isEqual,
        Math.sign(compareBytes(a, b)) === Buffer.compare(a, b),
      ]
      return facts.every(Boolean)
    }),
  )
  t.pass('hex, equality, order, join, keys')
})

t.test('numbers are big endian', async (t) => {
  t.equal(toHex(u32be(0x01020304)), '01020304')
  t.equal(toHex(u64be(0x1_02030405)), '0000000102030405')
  t.equal(toHex(u64be(Number.MAX_SAFE_INTEGER)), '001fffffffffffff')
  const whole = fc.maxSafeNat()
  fc.assert(
    fc.property(whole, (value) => readU64be(concatBytes(u32be(9), u64be(value)), 4) === value),
  )
  fc.assert(fc.property(whole, (value) => readU32be(u32be(value)) === value >>> 0))
})

t.test('what is no hexadecimal or UTF-8 is undefined', async (t) => {
  for (const text of ['0', '0g', 'xyz1', '0x12', ' 12']) t.equal(fromHex(text), undefined, text)
  t.strictSame(fromHex('Ab00'), new Uint8Array([0xab, 0]))
  t.equal(fromUtf8(utf8('\uFEFFgrüße 👋')), '\uFEFFgrüße 👋', 'a byte order mark is a character')
  for (const text of ['ff', 'c0af', 'eda080', 'f8888080', 'c3']) {
    t.equal(fromUtf8(fromHex(text) as Uint8Array), undefined, text)
  }
})
