import fc from 'fast-check'
import t from 'tap'
import { joinBytes, toHex } from '../../../src/base/util/bytes.ts'
import { encode } from '../../../src/base/wire/codec.ts'
import { encodeParts, type PartValue } from '../../../src/base/wire/encode-parts.ts'

const numbers = fc.oneof(
  fc.nat(2 ** 31 - 1),
  fc.constantFrom(0, 127, 128, 255, 256, 65_535, 65_536, 2 ** 31, 2 ** 32 - 1),
)
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.constantFrom(127, 128, 255, 256, 65_535, 65_536).map((length) => new Uint8Array(length)),
)
const { value: values } = fc.letrec<{ value: PartValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    numbers,
    bytes,
    fc.array(tie('value'), { maxLength: 40 }),
    fc.constantFrom(15, 16, 65_535, 65_536).map((length) => new Array<PartValue>(length).fill(7)),
  ),
}))

t.test('the pieces are the bytes of the one codec', async () => {
  fc.assert(
    fc.property(values, (value) => toHex(joinBytes(encodeParts(value))) === toHex(encode(value))),
  )
})

t.test('a long byte string is not copied', async (t) => {
  const body = new Uint8Array(1000)
  t.ok(encodeParts([1, [body, 2], body]).filter((part) => part === body).length === 2)
})
