import fc from 'fast-check'
import t from 'tap'
import { FairShare } from '../../../src/base/util/fair-share.ts'
import { RateLimiter, type Rate } from '../../../src/base/util/gcra.ts'
import { fairShares, runFairLoad } from '../../support/fair-load.ts'

class TestClock {
  now = 0
  monotonicMs(): number {
    return this.now
  }
}

/** Cells that may be owed beyond a burst. */
const owed = ({ burst }: Rate): number => Math.max(128, burst)

const loads = fc.record({
  perSecond: fc.constantFrom(5, 20, 100, 400),
  burst: fc.constantFrom(1, 10, 100, 500),
  /** As parts of an even share: from far less than it to far more. */
  wants: fc.array(fc.constantFrom(0.1, 0.5, 0.9, 1, 1, 2, 5), { minLength: 1, maxLength: 9 }),
  atOnce: fc.constantFrom(1, 3),
})
const seconds = 60

interface Load {
  readonly perSecond: number
  readonly burst: number
  readonly wants: readonly number[]
  readonly atOnce: number
}

/** The least part of its fair share that any of the others got. */
function leastPart(
  { wants: parts, atOnce, perSecond }: Load,
  take: (key: string) => number,
  clock: TestClock,
): { least: number; whole: number } {
  const wants = parts.map((part) => (part * perSecond) / (parts.length + 1))
  const { got, hot } = runFairLoad({ take, clock, wants, atOnce, seconds })
  const due = fairShares(perSecond, wants)
  // what comes at once may be on its way still
  const least = Math.min(...got.map((n, i) => (n + atOnce) / ((due[i] as number) * seconds)))
  return { least, whole: got.reduce((sum, count) => sum + count, hot) }
}

t.test(
  'one that asks without pause leaves the others their share, whatever they want',
  async (t) => {
    let worst = 1
    fc.assert(
      fc.property(loads, (load) => {
        const clock = new TestClock()
        const rate = { perSecond: load.perSecond, burst: load.burst }
        const fair = new FairShare({ rate: () => rate, keysMax: 100, clock })
        const { least, whole } = leastPart(load, (key) => fair.take(key), clock)
        worst = Math.min(worst, least)
        const most = load.perSecond * seconds + load.burst + owed(load)
        return least >= 0.8 && whole <= most + 1 && whole >= load.perSecond * seconds - 1
      }),
      { numRuns: 60 },
    )
    t.comment(`the least that anybody got of its share: ${worst.toFixed(3)}`)
  },
)

t.test('a bucket that all share does not, and the load tells', async (t) => {
  const clock = new TestClock()
  const bucket = new RateLimiter({ rate: { perSecond: 100, burst: 100 }, keysMax: 1, clock })
  const load = { perSecond: 100, burst: 100, wants: [1, 1, 1], atOnce: 1 }
  const { least } = leastPart(load, () => bucket.take(''), clock)
  t.ok(least < 0.5, `${least}`)
})

t.test('who is alone has all of it, and a burst', async (t) => {
  const clock = new TestClock()
  const fair = new FairShare({ rate: () => ({ perSecond: 10, burst: 20 }), keysMax: 9, clock })
  let granted = 0
  const drain = (): void => {
    while (fair.take('a') === 0) granted++
  }
  drain()
  t.equal(granted, 20 + 4, 'the burst and the own credit')
  for (clock.now = 0; clock.now <= 60_000; clock.now += 100) drain()
  t.ok(granted >= 600 && granted <= 20 + 4 + 601, `${granted}`)
  t.equal(Math.round(fair.used) >= 20, true, 'all of the burst is taken')
})

t.test('the wait that it names is worth waiting', async (t) => {
  const clock = new TestClock()
  const fair = new FairShare({ rate: () => ({ perSecond: 10, burst: 1 }), keysMax: 9, clock })
  for (let n = 0; n < 50; n++) fair.take(n % 2 ? 'a' : 'b')
  for (let n = 0; n < 20; n++) {
    const waitMs = fair.take('a')
    if (waitMs === 0) continue
    t.ok(waitMs <= 1000, `${waitMs}`)
    clock.now += waitMs
    t.equal(fair.waitMs('a'), 0)
  }
})

t.test('another rate holds at once, and shuts nobody out for long', async (t) => {
  const clock = new TestClock()
  let rate = { perSecond: 1000, burst: 1000 }
  const fair = new FairShare({ rate: () => rate, keysMax: 9, clock })
  while (fair.take('a') === 0);
  rate = { perSecond: 1, burst: 5 }
  t.ok(fair.waitMs('b') === 0, 'b has its credit')
  clock.now += 140_000
  t.equal(fair.waitMs('a'), 0)
  rate = { perSecond: 1000, burst: 1000 }
  clock.now += 2000
  let granted = 0
  while (fair.take('a') === 0) granted++
  t.ok(granted >= 1000, `${granted}`)
  clock.now = 0
  clock.now += 3000
  t.ok(fair.take('a') <= 1000, 'a clock that was set back')
})

t.test('remembers no more keys than it may', async (t) => {
  const clock = new TestClock()
  const fair = new FairShare({ rate: () => ({ perSecond: 1, burst: 1 }), keysMax: 3, clock })
  const granted = Array.from({ length: 1000 }, (_, n) => fair.take(`key ${n}`)).filter(
    (waitMs) => waitMs === 0,
  ).length
  t.ok(granted <= 1 + 128, `${granted}: what may be owed is bounded too`)
})
