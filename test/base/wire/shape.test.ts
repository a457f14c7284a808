import t from 'tap'
import { encode, type WireValue } from '../../../src/base/wire/codec.ts'
import {
  bool,
  bytes,
  bytesBetween,
  decodeShape,
  list,
  literal,
  oneOf,
  optional,
  record,
  text,
  tuple,
  uint,
  type Shape,
} from '../../../src/base/wire/shape.ts'

const malformed = { name: 'AbzuError', code: 'ABZU_MALFORMED' }

interface Case {
  shape: Shape<unknown>
  good: WireValue[]
  bad: unknown[]
}

const cases: Record<string, Case> = {
  bytes: {
    shape: bytes(2),
    good: [new Uint8Array(2)],
    bad: [new Uint8Array(1), new Uint8Array(3), [0, 0], 'ab', null, { length: 2 }],
  },
  bytesBetween: {
    shape: bytesBetween(1, 2),
    good: [new Uint8Array(1), new Uint8Array(2)],
    bad: [new Uint8Array(0), new Uint8Array(3)],
  },
  uint: {
    shape: uint(10),
    good: [0, 10],
    bad: [-1, 11, 0.5, Number.NaN, Infinity, '1', 1n, null, true],
  },
  'uint without a bound': {
    shape: uint(),
    good: [0, Number.MAX_SAFE_INTEGER],
    bad: [-1, 2 ** 53, Infinity],
  },
  text: {
    shape: text(4),
    good: ['', 'abcd', 'éé', '👋', '\uFEFF'],
    bad: ['abcde', 'ééé', 'e\u0301', '\u212B', '\uD800', 'a\uDC00', 7, null, new Uint8Array(1)],
  },
  bool: { shape: bool, good: [true, false], bad: [0, 1, 'true', null] },
  literal: { shape: literal(1), good: [1], bad: [2, '1', true, null] },
  oneOf: { shape: oneOf('a', 'b'), good: ['a', 'b'], bad: ['c', '', null, ['a']] },
  list: {
    shape: list(uint(9), 2),
    good: [[], [1], [1, 2]],
    bad: [[1, 2, 3], [10], [null], {}, 'ab', new Uint8Array(2)],
  },
  tuple: {
    shape: tuple(literal(0), uint()),
    good: [[0, 5]],
    bad: [[0], [0, 5, 5], [1, 5], [5, 0], { 0: 0, 1: 5 }, null],
  },
  record: {
    shape: record({ a: uint(), b: optional(uint()) }),
    good: [{ a: 1 }, { a: 1, b: 2 }],
    bad: [{}, { b: 1 }, { a: 1, c: 1 }, { a: 1, b: null }, { a: null }, [1], null, 'a'],
  },
}

for (const [name, { shape, good, bad }] of Object.entries(cases)) {
  t.test(name, async (t) => {
    for (const value of good) t.strictSame(shape(value, 'it'), value)
    for (const value of bad) t.throws(() => shape(value, 'it'), malformed)
  })
}

t.test('an error says where, and nothing of what was there', async (t) => {
  const shape = record({ hosts: list(record({ name: text(8) }), 4) })
  const secret = 'a secret that is too long'
  t.throws(
    () => decodeShape(shape, encode({ hosts: [{ name: 'ok' }, { name: secret }] }), 'record'),
    {
      code: 'ABZU_MALFORMED',
      message: 'record.hosts[1].name is not a text of at most 8 bytes',
    },
  )
})

t.test('what every object has by birth is no field', async (t) => {
  const shape = record({ toString: optional(text(8)), a: uint() })
  t.strictSame(shape({ a: 1 }, 'it'), { a: 1 })
  t.throws(() => record({ constructor: text(8) })({}, 'it'), malformed)
})

t.test('a field that is missing stays missing', async (t) => {
  const shape = record({ b: optional(uint()) })
  t.notOk(Object.hasOwn(shape({}, 'it'), 'b'))
})
