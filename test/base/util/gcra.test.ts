import fc from 'fast-check'
import t from 'tap'
import { RateLimiter, type Rate } from '../../../src/base/util/gcra.ts'

/** The definition that GCRA computes in one number: a bucket that fills and is drawn from. */
class TokenBucket {
  readonly #rate: Rate
  #tokens: number
  #atMs = 0

  constructor(rate: Rate) {
    this.#rate = rate
    this.#tokens = rate.burst
  }

  take(nowMs: number, cells: number): boolean {
    const refill = ((nowMs - this.#atMs) * this.#rate.perSecond) / 1000
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + refill)
    this.#atMs = nowMs
    if (this.#tokens < cells) return false
    this.#tokens -= cells
    return true
  }
}

class TestClock {
  now = 0
  monotonicMs(): number {
    return this.now
  }
}

/** Rates whose emission interval is a whole number of ms, so that floating point cannot differ. */
const rates = fc.record({
  perSecond: fc.constantFrom(1, 2, 4, 5, 10, 50, 100, 500, 1000),
  burst: fc.integer({ min: 1, max: 50 }),
})
const steps = fc.array(
  fc.record({ afterMs: fc.integer({ min: 0, max: 3000 }), cells: fc.integer({ min: 1, max: 50 }) }),
  { maxLength: 60 },
)

t.test('grants what a token bucket grants', async (t) => {
  let granted = 0
  let refused = 0
  fc.assert(
    fc.property(rates, steps, (rate, requests) => {
      const clock = new TestClock()
      const limiter = new RateLimiter({ rate, keysMax: 10, clock })
      const bucket = new TokenBucket(rate)
      for (const { afterMs, cells: wanted } of requests) {
        clock.now += afterMs
        const cells = Math.min(wanted, rate.burst)
        const isGranted = limiter.take('a', cells) === 0
        if (isGranted !== bucket.take(clock.now, cells)) return false
        if (isGranted) granted++
        else refused++
      }
      return true
    }),
    { numRuns: 500 },
  )
  t.ok(granted > 300 && refused > 300, `both happened: ${granted} granted, ${refused} refused`)
})

t.test('the wait that it names is the wait', async (t) => {
  let waits = 0
  fc.assert(
    fc.property(rates, steps, (rate, requests) => {
      const clock = new TestClock()
      const limiter = new RateLimiter({ rate, keysMax: 10, clock })
      for (const { afterMs, cells: wanted } of requests) {
        clock.now += afterMs
        const cells = Math.min(wanted, rate.burst)
        const waitMs = limiter.take('a', cells)
        if (waitMs === 0) continue
        waits++
        if (limiter.waitMs('a', cells) !== waitMs) return false
        clock.now += waitMs - 1
        if (limiter.waitMs('a', cells) === 0) return false
        clock.now += 1
        if (limiter.take('a', cells) !== 0) return false
      }
      return true
    }),
    { numRuns: 500 },
  )
  t.ok(waits > 100, `${waits} waits`)
})

t.test('keys do not share', async (t) => {
  const clock = new TestClock()
  const limiter = new RateLimiter({ rate: { perSecond: 1, burst: 2 }, keysMax: 10, clock })
  t.strictSame([limiter.take('a'), limiter.take('a'), limiter.take('a')], [0, 0, 1000])
  t.equal(limiter.take('b'), 0)
})

t.test('remembers no more keys than it may, and forgets the least recently granted', async (t) => {
  const clock = new TestClock()
  const limiter = new RateLimiter({ rate: { perSecond: 1, burst: 1 }, keysMax: 3, clock })
  for (const key of ['a', 'b', 'c']) limiter.take(key)
  clock.now = 1000
  limiter.take('a')
  limiter.take('d')
  t.ok(limiter.waitMs('a') > 0, 'still known')
  t.ok(limiter.waitMs('d') > 0, 'still known')
  for (let i = 0; i < 10_000; i++) limiter.take(`stranger ${i}`)
  t.equal(limiter.waitMs('a'), 0, 'forgotten')
})

t.test('a clock that steps', async (t) => {
  const rate = { perSecond: 10, burst: 5 }
  const clock = new TestClock()
  clock.now = 1e12
  const limiter = new RateLimiter({ rate, keysMax: 10, clock })
  const drain = (): number => {
    let granted = 0
    while (limiter.take('a') === 0) granted++
    return granted
  }
  t.equal(drain(), 5)
  clock.now += 1e11
  t.equal(drain(), 5, 'forward: a burst and no more')
  clock.now = 0
  t.equal(limiter.waitMs('a'), 100, 'back: as an empty bucket, not shut for years')
  clock.now += 100
  t.equal(limiter.take('a'), 0)
})

t.test('more than a burst at once is a bug of the caller', async (t) => {
  const limiter = new RateLimiter({
    rate: { perSecond: 1, burst: 2 },
    keysMax: 1,
    clock: new TestClock(),
  })
  t.throws(() => limiter.take('a', 3), /assertion/)
})
