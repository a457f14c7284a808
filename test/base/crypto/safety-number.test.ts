import t from 'tap'
import fc from 'fast-check'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { safetyNumber } from '../../../src/base/crypto/safety-number.ts'
import { holds } from '../../support/property.ts'

const platform = nodePlatform()
const key = fc.uint8Array({ minLength: 32, maxLength: 32 })

t.test('60 digits, the same on both sides', (t) => {
  holds(
    t,
    fc.property(key, key, (a, b) => {
      const number = safetyNumber(platform, a, b)
      return /^\d{5}( \d{5}){11}$/.test(number) && number === safetyNumber(platform, b, a)
    }),
    { seed: 1, runs: 500 },
  )
  t.end()
})

t.test('another for every other pair', (t) => {
  const seen = new Set<string>()
  holds(
    t,
    fc.property(key, key, (a, b) => {
      const number = safetyNumber(platform, a, b)
      const isNew = !seen.has(number)
      seen.add(number)
      const flipped = Uint8Array.from(a)
      flipped[31] = (flipped[31] as number) ^ 1
      return isNew && safetyNumber(platform, flipped, b) !== number
    }),
    { seed: 2, runs: 500 },
  )
  t.equal(seen.size, 500)
  t.end()
})
