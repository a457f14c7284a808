import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { concatBytes, toHex, utf8 } from '../../../src/base/util/bytes.ts'
import { decode, encode, type WireValue } from '../../../src/base/wire/codec.ts'
import { scan } from '../../../src/base/wire/scan.ts'
import { hostileInputs } from '../../support/hostile.ts'
import { allocatedBytes, retainedBytes } from '../../support/memory.ts'
import { referenceDecode } from '../../support/reference-msgpack.ts'
import { hex } from '../../support/vectors.ts'
import { wireSamples } from '../../support/wire-samples.ts'

const malformed = { name: 'AbzuError', code: 'ABZU_MALFORMED' }

const text = fc.string({ unit: 'grapheme', maxLength: 300 })
const key = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((name) => name !== '__proto__')
const { value: values } = fc.letrec<{ value: WireValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.integer(),
    text,
    fc.uint8Array({ maxLength: 400 }),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(key, tie('value'), { maxKeys: 20, noNullPrototype: true }),
  ),
}))

/** Bytes as plain Uint8Arrays, so that a Buffer is no difference. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Uint8Array.from(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]))
}

t.test('whatever is encoded comes back, and equal values are equal bytes', async () => {
  fc.assert(
    fc.property(values, (value) => {
      const bytes = encode(value)
      const again = encode(plain(value) as WireValue)
      return isDeepStrictEqual(plain(decode(bytes)), value) && toHex(bytes) === toHex(again)
    }),
    { numRuns: 2000 },
  )
})

t.test('the scan and the decoder say what a second reader says', async (t) => {
  let accepted = 0
  let refused = 0
  const samples = wireSamples.map(({ bytes }) => bytes).filter((bytes) => bytes.length < 300)
  for (const input of hostileInputs(20_261, samples, 30_000)) {
    if (input.length > 2000) continue
    const reference = referenceDecode(Uint8Array.from(input))
    let decoded: { value: unknown } | undefined
    try {
      decoded = { value: plain(decode(input)) }
    } catch {
      decoded = undefined
    }
    if (isDeepStrictEqual(decoded, reference)) {
      if (decoded) accepted++
      else refused++
    } else {
      t.fail(toHex(input))
    }
  }
  t.ok(accepted > 500 && refused > 10_000, `${accepted} accepted, ${refused} refused`)
})

t.test('integers of every width, and no other numbers', async (t) => {
  const integers: [string, number][] = [
    ['7f', 127],
    ['cc7f', 127],
    ['ce0000007f', 127],
    ['cf000000000000007f', 127],
    ['cf001fffffffffffff', Number.MAX_SAFE_INTEGER],
    ['d3ffffffffffffff80', -128],
    ['d3ffe0000000000001', Number.MIN_SAFE_INTEGER],
    ['cb433fffffffffffff', Number.MAX_SAFE_INTEGER],
    ['e0', -32],
  ]
  for (const [bytes, value] of integers) t.equal(decode(hex(bytes)), value, bytes)
  for (const value of [2 ** 32, 2 ** 40, 2 ** 53 - 1, -(2 ** 31) - 1, 1 - 2 ** 53]) {
    t.equal(decode(encode(value)), value)
  }
  const unsafe = ['cf0020000000000000', 'cfffffffffffffffff', 'd3ffe0000000000000']
  unsafe.push('cb3ff8000000000000', 'cb7ff0000000000000', 'cb7ff8000000000000')
  unsafe.push('cb8000000000000000', 'cb4340000000000000', 'ca3f800000')
  for (const bytes of unsafe) t.throws(() => decode(hex(bytes)), malformed, bytes)
})

t.test('text is UTF-8', async (t) => {
  for (const value of ['', '\uFEFF', `\uFEFF${'x'.repeat(100)}`, 'é'.repeat(20_000), '\u0000']) {
    t.equal(decode(encode(value)), value)
  }
  for (const bytes of ['a1ff', 'a2c0af', 'a3eda080', 'a4f4908080', 'd901c3']) {
    t.throws(() => decode(hex(bytes)), malformed, bytes)
  }
})

t.test('keys are distinct short strings', async (t) => {
  t.strictSame(decode(hex('81d90161c0')), { a: null })
  const bad = [
    '82a16101a16102',
    '82a16101d9016102',
    '810101',
    '81c4016101',
    '81da00016101',
    '81c001',
  ]
  for (const bytes of bad) t.throws(() => decode(hex(bytes)), malformed, bytes)
  const proto = concatBytes(hex('81a9'), utf8('__proto__'), hex('80'))
  t.throws(() => decode(proto), malformed)
  const odd = { constructor: 1, toString: 2, hasOwnProperty: 3, '\uFEFF__proto__': 4 }
  t.strictSame(decode(encode(odd)), odd)
  t.equal(({} as Record<string, unknown>)['4'], undefined, 'no prototype was touched')
})

t.test('types that Abzu does not write', async (t) => {
  const extensions = ['c1', 'd4ff00', 'd50000', 'd66f00000000', 'd7ff0000000000000000']
  extensions.push(
    'd47200',
    'c70172ff',
    'c7046973000000',
    `d8ff${'00'.repeat(16)}`,
    'c80000ff',
    'c900000000ff',
  )
  for (const bytes of extensions) {
    t.throws(() => decode(hex(bytes)), malformed, bytes)
    t.throws(() => decode(hex(`91${bytes}`)), malformed, `in an array: ${bytes}`)
  }
  t.throws(() => decode(encode({ gone: undefined } as unknown as WireValue)), malformed)
})

t.test('one value and nothing behind it', async (t) => {
  for (const bytes of [
    '',
    '0000',
    'c0c0',
    '91',
    '92c0',
    'a161ff',
    'c402ff',
    'd901',
    'cd00',
    '81a161',
  ]) {
    t.throws(() => decode(hex(bytes)), malformed, bytes)
  }
})

t.test('nesting of 16 and no more', async (t) => {
  const arrays = (depth: number): Uint8Array =>
    new Uint8Array(depth).fill(0x91, 0, -1).fill(0x90, -1)
  t.doesNotThrow(() => decode(arrays(16)))
  t.throws(() => decode(arrays(17)), malformed)
  const maps = (depth: number): Uint8Array =>
    concatBytes(...Array.from({ length: depth - 1 }, () => hex('81a161')), hex('80'))
  t.doesNotThrow(() => decode(maps(16)))
  t.throws(() => decode(maps(17)), malformed)
  t.throws(() => decode(new Uint8Array(65_536).fill(0x91)), malformed, 'and no stack is exhausted')
})

t.test('4096 items and no more', async (t) => {
  const array = (length: number): Uint8Array =>
    concatBytes(hex('dc'), Uint8Array.of(length >> 8, length & 255), new Uint8Array(length))
  t.equal((decode(array(4095)) as unknown[]).length, 4095, 'the array itself is one')
  t.throws(() => decode(array(4096)), malformed)
  const inner = (length: number): Uint8Array => concatBytes(hex('92'), array(2000), array(length))
  t.doesNotThrow(() => decode(inner(2093)))
  t.throws(() => decode(inner(2094)), malformed, 'across arrays')
  const map = (length: number): Uint8Array => {
    const keys = Array.from({ length }, (_, i) =>
      concatBytes(hex('a4'), utf8(`${i}`.padStart(4, '0')), hex('c0')),
    )
    return concatBytes(hex('de'), Uint8Array.of(length >> 8, length & 255), ...keys)
  }
  t.doesNotThrow(() => decode(map(1365)))
  t.throws(() => decode(map(1366)), malformed, 'a key counts two more')
  const byteStrings = (length: number): Uint8Array =>
    concatBytes(hex('dc'), Uint8Array.of(length >> 8, length & 255), hex('c400'.repeat(length)))
  t.doesNotThrow(() => decode(byteStrings(2047)))
  t.throws(() => decode(byteStrings(2048)), malformed, 'a byte string counts one more')
  for (const lie of [
    'ddffffffff',
    'dfffffffff',
    'dcffff00',
    'deffff00',
    'c6ffffffff',
    'dbffffffff',
  ]) {
    t.throws(() => scan(hex(lie)), malformed, lie)
  }
})

t.test('byte strings share memory with what they came from', async (t) => {
  const bytes = Uint8Array.from(encode([new Uint8Array([1, 2, 3])]))
  const [part] = decode(bytes) as [Uint8Array]
  t.equal(part.buffer, bytes.buffer)
})

t.test('a slice of a larger buffer is read within its bounds', async (t) => {
  const large = concatBytes(hex('ffff'), encode({ a: [1, 'x'] }), hex('ffff'))
  t.strictSame(decode(large.subarray(2, -2)), { a: [1, 'x'] })
  t.throws(() => decode(large.subarray(2, -3)), malformed)
})

t.test('the most that 64 KiB of input can cost', async (t) => {
  const repeated = (head: string, item: string, count: number): Uint8Array =>
    concatBytes(hex(head), hex(item.repeat(count)))
  const distinctKeys = Array.from({ length: 1023 }, (_, i) => {
    return concatBytes(hex('bc'), utf8(`${i}`.padStart(28, 'k')), hex('80'))
  })
  const worst = {
    'empty maps': repeated('dc0fff', '80', 4095),
    'empty arrays': repeated('dc0fff', '90', 4095),
    'maps of one': repeated('dc03ff', '81a16180', 1023),
    'maps of two': repeated('dc0249', '82a16101a16202', 585),
    'empty byte strings': repeated('dc07ff', 'c400', 2047),
    'byte strings': repeated('dc07ff', `c41d${'07'.repeat(29)}`, 2047),
    'short texts': repeated('dc0fff', `ae${'c3bc'.repeat(7)}`, 4095),
    'one text': repeated('dafffc', 'c3bc', 32_766),
    'a map of maps': concatBytes(hex('de03ff'), ...distinctKeys),
    floats: repeated('dc0fff', 'cb41f0000000000000', 4095),
    'trees of maps': repeated('dc00b9', `${'81a161'.repeat(7)}80`, 185),
  }
  for (const [name, input] of Object.entries(worst)) {
    t.ok(input.length <= 65_536, `${name}: ${input.length} bytes`)
    let tookMs = Infinity
    for (let i = 0; i < 20; i++) {
      const startedAt = performance.now()
      decode(input)
      tookMs = Math.min(tookMs, performance.now() - startedAt)
    }
    t.ok(tookMs < 5, `${name}: ${tookMs.toFixed(2)} ms`)
    // The least of some: what else the process keeps meanwhile is not the decoder's.
    const held = Math.min(...[1, 2, 3].map(() => retainedBytes(() => decode(input))))
    t.ok(held < 4 * 65_536, `${name}: ${held} bytes held`)
    const allocated = Math.round(allocatedBytes(() => decode(input)))
    t.ok(allocated < 16 * 65_536, `${name}: ${allocated} bytes allocated`)
  }
})
