import t from 'tap'
import { silentLog } from '../../../src/base/util/log.ts'
import { Pump } from '../../../src/user/account/pump.ts'
import { ManualTime } from '../../support/manual-time.ts'

/** A pump whose runs end when the test says so. */
function held(time = new ManualTime()) {
  const runs: { end: () => void; fail: (error: Error) => void; signal: AbortSignal }[] = []
  const pump = new Pump({
    name: 'test',
    run: async (signal) =>
      new Promise<void>((resolve, reject) => runs.push({ end: resolve, fail: reject, signal })),
    scheduler: time,
    log: silentLog,
  })
  return { time, pump, runs }
}

t.test('one run at a time, and one more for all kicks meanwhile', async (t) => {
  const { time, pump, runs } = held()
  pump.kick()
  await time.settle()
  for (let n = 0; n < 5; n++) pump.kick()
  await time.settle()
  t.equal(runs.length, 1)
  runs[0]?.end()
  await time.settle()
  t.equal(runs.length, 2)
  runs[1]?.end()
  await time.settle()
  t.equal(runs.length, 2)
})

t.test('a flush ends with a run that began after it', async (t) => {
  const { time, pump, runs } = held()
  pump.kick()
  await time.settle()
  let isFlushed = false
  const flushed = pump.flush().then(() => (isFlushed = true))
  runs[0]?.end()
  await time.settle()
  t.equal(isFlushed, false)
  runs[1]?.end()
  await flushed
  const failing = pump.flush()
  await time.settle()
  runs[2]?.fail(new Error('no'))
  await t.rejects(failing, { message: 'no' })
})

t.test('a run that failed is repeated after a while, later each time', async (t) => {
  const { time, pump, runs } = held()
  pump.kick()
  await time.settle()
  runs[0]?.fail(new Error('one'))
  await time.advance(999)
  t.equal(runs.length, 1)
  await time.advance(1)
  t.equal(runs.length, 2)
  runs[1]?.fail(new Error('two'))
  await time.advance(1999)
  t.equal(runs.length, 2)
  pump.kick()
  await time.settle()
  t.equal(runs.length, 3, 'or at once when there is news')
  runs[2]?.end()
  await time.advance(600_000)
  t.equal(runs.length, 3)
  t.equal(time.pending, 0)
})

t.test('after a stop nothing begins, and what runs is told', async (t) => {
  const { time, pump, runs } = held()
  pump.kick()
  await time.settle()
  const waiting = pump.flush()
  pump.stop()
  t.equal(runs[0]?.signal.aborted, true)
  pump.kick()
  await t.rejects(pump.flush(), { code: 'ABZU_LOCKED' })
  let isStopped = false
  const stopped = pump.stopped().then(() => (isStopped = true))
  await time.settle()
  t.equal(isStopped, false, 'it waits for the run')
  runs[0]?.fail(new Error('interrupted'))
  await t.rejects(waiting, { code: 'ABZU_LOCKED' })
  await stopped
  await time.advance(600_000)
  t.equal(runs.length, 1)
})
