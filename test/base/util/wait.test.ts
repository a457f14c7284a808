import t from 'tap'
import { AbzuError } from '../../../src/base/util/errors.ts'
import { sleep, withDeadline, withTimeout } from '../../../src/base/util/wait.ts'
import { ManualTime } from '../../support/manual-time.ts'

t.test('sleep ends at its time, or at once when told', async (t) => {
  const time = new ManualTime()
  let woke = false
  const nap = sleep(time, 1000).then(() => (woke = true))
  await time.advance(999)
  t.notOk(woke)
  await time.advance(1)
  await nap

  const controller = new AbortController()
  const aborted = sleep(time, 1000, controller.signal)
  const reason = new AbzuError('ABZU_CLOSED', 'enough')
  controller.abort(reason)
  await t.rejects(aborted, reason)
  t.equal(time.pending, 0, 'no timer stays')
  await t.rejects(sleep(time, 1000, controller.signal), reason, 'aborted before it began')
  t.equal(time.pending, 0)

  const late = new AbortController()
  const slept = sleep(time, 5, late.signal)
  await time.advance(5)
  await slept
  late.abort()
})

t.test('work in time', async (t) => {
  const time = new ManualTime()
  const init = { timeoutMs: 1000, what: 'a thing' }
  t.equal(await withTimeout(time, init, async () => 7), 7)
  const bug = new Error('bug')
  await t.rejects(
    withTimeout(time, init, async () => {
      throw bug
    }),
    bug,
  )
  t.equal(time.pending, 0, 'no timer stays')
})

t.test('work that ignores its signal', async (t) => {
  const time = new ManualTime()
  let given: AbortSignal | undefined
  const { promise, reject } = Promise.withResolvers<never>()
  const working = withTimeout(time, { timeoutMs: 1000, what: 'a thing' }, (signal) => {
    given = signal
    return promise
  })
  const rejected = t.rejects(working, {
    code: 'ABZU_TIMEOUT',
    message: 'a thing took longer than 1000 ms',
  })
  await time.advance(1000)
  await rejected
  t.ok(given?.aborted)
  reject(new Error('too late to matter'))
  await time.settle()
})

t.test('an outer signal', async (t) => {
  const time = new ManualTime()
  const controller = new AbortController()
  const init = { timeoutMs: 1000, what: 'a thing', signal: controller.signal }
  const reason = new AbzuError('ABZU_CLOSED', 'closing')
  const working = withTimeout(time, init, () => new Promise(() => {}))
  controller.abort(reason)
  await t.rejects(working, reason)
  t.equal(time.pending, 0, 'no timer stays')
  let began = false
  await t.rejects(
    withTimeout(time, init, async () => (began = true)),
    reason,
  )
  t.notOk(began)
})

t.test('work that throws at once, with its signal aborted', async (t) => {
  const unhandled: unknown[] = []
  const listen = (error: unknown): void => void unhandled.push(error)
  process.on('unhandledRejection', listen)
  t.teardown(() => process.off('unhandledRejection', listen))
  const time = new ManualTime()
  const controller = new AbortController()
  const init = { timeoutMs: 1000, what: 'a thing', signal: controller.signal }
  const bug = new Error('bug')
  await t.rejects(
    withTimeout(time, init, () => {
      controller.abort(new Error('stop'))
      throw bug
    }),
    bug,
  )
  await time.settle()
  t.strictSame(unhandled, [])
})

t.test('a deadline leaves it to the work what it makes of it', async (t) => {
  const time = new ManualTime()
  const untilTold = async (signal: AbortSignal) =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve('half of it'), { once: true })
    })
  const working = withDeadline(time, { timeoutMs: 1000 }, untilTold)
  await time.advance(1000)
  t.equal(await working, 'half of it')

  const controller = new AbortController()
  const told = withDeadline(time, { timeoutMs: 1000, signal: controller.signal }, untilTold)
  controller.abort()
  t.equal(await told, 'half of it', 'or the outer signal')
  t.equal(time.pending, 0, 'no timer stays')
  const bug = new Error('bug')
  await t.rejects(
    withDeadline(time, { timeoutMs: 1000 }, async () => {
      throw bug
    }),
    bug,
  )
  t.equal(time.pending, 0, 'no timer stays')
})
