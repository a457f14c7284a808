import t from 'tap'
import { backoffMs } from '../../../src/machine/mailbox/backoff.ts'

t.test(
  'doubles from a second to ten, so that a home that returns is found within 15 s',
  async (t) => {
    const delays = [1, 2, 3, 4, 5, 50].map((failures) =>
      backoffMs({ failures, sinceMs: 0, fraction: 1 }),
    )
    t.strictSame(delays, [1000, 2000, 4000, 8000, 10_000, 10_000])
  },
)

t.test('is patient after an hour', async (t) => {
  t.equal(backoffMs({ failures: 99, sinceMs: 3_600_000, fraction: 1 }), 300_000)
})

t.test('spreads by jitter, never to nothing', async (t) => {
  t.equal(backoffMs({ failures: 1, sinceMs: 0, fraction: 0 }), 700)
})
