import t from 'tap'
import { Pace } from '../../../src/machine/sync/pace.ts'
import { ManualTime } from '../../support/manual-time.ts'

t.test('at once, and then once for all that came while it rested', async (t) => {
  const time = new ManualTime()
  const runs: number[] = []
  const pace: Pace = new Pace(time, 200, () => {
    runs.push(time.monotonicMs())
    pace.happened()
  })
  pace.request()
  for (let n = 0; n < 10; n++) pace.request()
  t.same(runs, [0])
  await time.advance(199)
  t.same(runs, [0])
  await time.advance(1)
  t.same(runs, [0, 200])
  await time.advance(1000)
  t.same(runs, [0, 200], 'nobody asked')
  pace.request()
  t.same(runs, [0, 200, 1200])
})

t.test('what happens for other reasons does not put off what was asked for', async (t) => {
  const time = new ManualTime()
  let runs = 0
  const pace = new Pace(time, 200, () => void runs++)
  pace.happened()
  pace.request()
  for (let n = 0; n < 3; n++) {
    await time.advance(90)
    pace.happened()
  }
  t.equal(runs, 1)
  pace.happened()
  pace.request()
  pace.close()
  await time.advance(1000)
  t.equal(runs, 1, 'nothing after the end')
  t.equal(time.pending, 0)
})
