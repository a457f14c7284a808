/** Golden bytes: a layout that changes needs a new version or protocol id, and then a new vector. */

import t from 'tap'
import { toHex } from '../../../src/base/util/bytes.ts'
import { errorCodes } from '../../../src/base/util/errors.ts'
import { errorCode, errorNumber } from '../../../src/base/wire/error-numbers.ts'
import * as protocols from '../../../src/base/wire/protocols.ts'
import { hex, readVectors } from '../../support/vectors.ts'
import { wireSamples } from '../../support/wire-samples.ts'

interface Golden {
  layouts: Record<string, string>
  errorNumbers: Record<string, number>
  protocols: string[]
}
const golden = readVectors<Golden>('golden/wire')

/** Buffers and Uint8Arrays of the same bytes are the same here. */
function comparable(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value)
  if (Array.isArray(value)) return value.map(comparable)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, comparable(field)]))
}

t.test('every layout has its bytes', async (t) => {
  t.ok(wireSamples.length > 20)
  t.strictSame(
    Object.keys(golden.layouts),
    wireSamples.map(({ name }) => name),
  )
  for (const { name, value, bytes, decode } of wireSamples) {
    t.equal(toHex(bytes), golden.layouts[name], `${name} encodes to its bytes`)
    const decoded = decode(hex(golden.layouts[name] ?? ''))
    t.strictSame(comparable(decoded), comparable(value), `${name} decodes from its bytes`)
  }
})

t.test('error numbers never change their meaning', async (t) => {
  t.ok(Object.keys(golden.errorNumbers).length > 10)
  for (const [code, number] of Object.entries(golden.errorNumbers)) {
    t.equal(errorCode(number), code)
  }
  for (const code of errorCodes) t.equal(errorNumber(code), golden.errorNumbers[code] ?? 0, code)
  for (const unknown of [-1, 0.5, 99, 65_535, Number.NaN])
    t.equal(errorCode(unknown), 'ABZU_INTERNAL')
})

t.test('protocol ids never change', async (t) => {
  t.strictSame(
    Object.values(protocols)
      .map(({ id }) => id)
      .toSorted(),
    golden.protocols,
  )
})
