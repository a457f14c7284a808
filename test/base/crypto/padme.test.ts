import t from 'tap'
import fc from 'fast-check'
import { padmeLength } from '../../../src/base/crypto/padme.ts'
import { readVectors } from '../../support/vectors.ts'
import { holds } from '../../support/property.ts'

const { vectors } = readVectors<{ vectors: { length: number; padded: number }[] }>(
  'published/padme',
)
for (const { length, padded } of vectors) t.equal(padmeLength(length), padded)
t.equal(vectors.length, 6)

t.test('as the paper defines it: a mantissa no longer than the exponent', (t) => {
  holds(
    t,
    fc.property(fc.integer({ min: 2, max: 2 ** 30 }), (length) => {
      const padded = padmeLength(length)
      const exponent = 31 - Math.clz32(length)
      const mantissaBits = 32 - Math.clz32(exponent)
      const step = 2 ** Math.max(0, exponent - mantissaBits)
      return padded === Math.ceil(length / step) * step && padded <= length * 1.12
    }),
    { seed: 1, runs: 20_000 },
  )
  t.end()
})

t.test('grows with the length and is settled by one application', (t) => {
  let before = 0
  for (let length = 2; length < 5000; length++) {
    const padded = padmeLength(length)
    if (padded < before || padded < length || padmeLength(padded) !== padded) {
      t.fail(`${length} was padded to ${padded}`)
    }
    before = padded
  }
  t.end()
})
