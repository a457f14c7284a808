import t from 'tap'
import { median, Rounds, runRounds } from '../../bench/rounds.ts'

const never = new AbortController().signal
const stopped = { monotonicMs: () => 0 }

t.test('the median is the middle, or the mean of the two middles', async (t) => {
  t.equal(median([3]), 3)
  t.equal(median([10, 1, 2]), 2)
  t.equal(median([4, 1, 3, 2]), 2.5)
  t.throws(() => median([]), 'of nothing there is none')
})

t.test('variants take turns, and warm-ups do not count', async (t) => {
  const order: string[] = []
  let calls = 0
  const variant = (name: string) => ({
    name,
    async round() {
      order.push(name)
      return ++calls
    },
  })
  const variants = [variant('a'), variant('b')]
  const init = { variants, warmUps: 1, rounds: 3, budgetMs: 1, clock: stopped, signal: never }
  const rounds = await runRounds(init)
  t.equal(order.join(''), 'baabbaab', 'each round turns the order of the one before')
  t.equal(rounds.count, 3)
  t.equal(
    rounds.median('a', (sample) => sample),
    6,
    'of 3, 6 and 7, not of the warm-up',
  )
})

t.test('a ratio compares neighbours in time', async (t) => {
  const samples = new Map([
    ['over', [8, 40, 3]],
    ['under', [10, 50, 6]],
  ])
  const rounds = new Rounds(samples)
  t.equal(
    rounds.ratio('over', 'under', (sample) => sample),
    0.8,
  )
  t.equal(
    rounds.median('over', (sample) => sample),
    8,
  )
  t.throws(() => rounds.median('other', (sample) => sample), 'an unknown variant is a mistake')
})

t.test('rounds end when the budget is over, after one at least', async (t) => {
  let nowMs = 0
  const clock = { monotonicMs: () => nowMs }
  const variants = [{ name: 'slow', round: async () => (nowMs += 100) }]
  const init = { variants, warmUps: 0, rounds: 10, clock, signal: never }
  t.equal((await runRounds({ ...init, budgetMs: 250 })).count, 3)
  t.equal((await runRounds({ ...init, budgetMs: 0 })).count, 1)
})

t.test('a signal and a failing variant end the rounds', async (t) => {
  const init = { warmUps: 0, rounds: 2, budgetMs: 1, clock: stopped }
  const variants = [{ name: 'a', round: async () => 1 }]
  await t.rejects(runRounds({ ...init, variants, signal: AbortSignal.abort() }))
  const failing = [{ name: 'a', round: () => Promise.reject(new Error('broken')) }]
  await t.rejects(runRounds({ ...init, variants: failing, signal: never }), { message: 'broken' })
})
