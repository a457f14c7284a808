import t from 'tap'
import {
  foregroundScheduler,
  systemClock,
  systemScheduler,
} from '../../../src/base/util/system-time.ts'

t.test('clocks', async (t) => {
  const wall = systemClock.nowMs()
  t.ok(wall > Date.UTC(2025, 0) && Number.isInteger(wall))
  const before = systemClock.monotonicMs()
  t.ok(systemClock.monotonicMs() >= before)
})

for (const [name, scheduler] of Object.entries({ systemScheduler, foregroundScheduler })) {
  t.test(name, async (t) => {
    const order: string[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    // Keeps the process alive, which a task of the scheduler need not do.
    const alive = setInterval(() => {}, 1000)
    t.teardown(() => clearInterval(alive))
    const never = scheduler.after(1, () => order.push('cancelled'))
    never()
    const month = scheduler.after(31 * 24 * 3600 * 1000, () => order.push('a month later'))
    scheduler.after(20, () => {
      order.push('after')
      resolve()
    })
    scheduler.soon(() => order.push('soon'))
    order.push('now')
    await promise
    t.strictSame(order, ['now', 'soon', 'after'], 'a delay beyond 2^31 ms does not fire at once')
    month()
    never()
  })
}
