import t from 'tap'
import { systemClock } from '../../src/base/util/system-time.ts'
import { perSecond, runLoad } from '../../bench/load.ts'

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index).values()

t.test('every message goes out once, over all connections, never more than allowed', async (t) => {
  const sent: number[] = []
  const unanswered = [0, 0, 0]
  let most = 0
  const senders = unanswered.map((_, connection) => async (message: number) => {
    sent.push(message)
    most = Math.max(most, (unanswered[connection] = (unanswered[connection] ?? 0) + 1))
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    unanswered[connection] = (unanswered[connection] ?? 0) - 1
  })
  const init = { senders, inFlight: 4, durationMs: 60_000, clock: systemClock }
  const result = await runLoad({ ...init, messages: numbers(100) })
  t.same(
    sent.toSorted((a, b) => a - b),
    [...numbers(100)],
  )
  t.equal(result.messages, 100)
  t.equal(most, 4)
  t.ok(result.medianMs > 0 && result.elapsedMs >= result.medianMs)
})

t.test('time is counted from the send to its acknowledgement', async (t) => {
  let nowMs = 0
  const clock = { monotonicMs: () => nowMs }
  const senders = [async () => void (nowMs += 2)]
  const init = { senders, inFlight: 1, messages: numbers(1000), clock }
  const result = await runLoad({ ...init, durationMs: 50 })
  t.same(result, { messages: 25, elapsedMs: 50, medianMs: 2 }, 'and the load ends in time')
  t.equal(perSecond(result), 500)
})

t.test('a failed message fails the load', async (t) => {
  const init = { inFlight: 2, durationMs: 60_000, clock: systemClock }
  const senders = [() => Promise.reject(new Error('refused'))]
  await t.rejects(runLoad({ ...init, senders, messages: numbers(9) }), { message: 'refused' })
  const good = [() => Promise.resolve()]
  await t.rejects(runLoad({ ...init, senders: good, messages: numbers(0) }), 'nothing was sent')
})
