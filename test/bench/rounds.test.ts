import t from 'tap'
import { median, quantile, Rounds, runRounds } from '../../bench/rounds.ts'

const never = new AbortController().signal
const stopped = { monotonicMs: () => 0 }

t.test('the median is the middle, or the mean of the two middles', async (t) => {
  t.equal(median([3]), 3)
  t.equal(median([10, 1, 2]), 2)
  t.equal(median([4, 1, 3, 2]), 2.5)
  t.throws(() => median([]), 'of nothing there is none')
})

t.test('a quantile is one of the values', async (t) => {
  const values = Array.from({ length: 100 }, (_, n) => 100 - n)
  t.equal(quantile(values, 0.99), 99)
  t.equal(quantile(values, 1), 100)
  t.equal(quantile(values, 0), 1)
  t.equal(quantile([7], 0.99), 7)
  t.throws(() => quantile([], 0.5), 'of nothing there is none')
})

t.test('variants are warmed up, then take turns', async (t) => {
  const order: string[] = []
  let calls = 0
  const variant = (name: string) => ({
    name,
    async warmUp() {
      order.push(name.toUpperCase())
    },
    async round() {
      order.push(name)
      return ++calls
    },
  })
  const variants = [variant('a'), variant('b')]
  const init = { variants, rounds: 3, budgetMs: 1, clock: stopped, signal: never }
  const rounds = await runRounds(init)
  t.equal(order.join(''), 'ABabbaab', 'each round turns the order of the one before')
  t.equal(rounds.count, 3)
  const middle = rounds.median((round) => round('a'))
  t.equal(middle, 4, 'of 1, 4 and 5')
})

t.test('a figure is taken within each round', async (t) => {
  const samples = new Map([
    ['over', [8, 40, 3]],
    ['under', [10, 50, 6]],
  ])
  const rounds = new Rounds(samples)
  const ratio = rounds.median((round) => round('over') / round('under'))
  t.equal(ratio, 0.8)
  t.same(rounds.of('under'), [10, 50, 6])
  t.throws(() => rounds.median((round) => round('other')), 'an unknown variant is a mistake')
})

t.test('rounds end when the budget is over, after one at least', async (t) => {
  let nowMs = 0
  const clock = { monotonicMs: () => nowMs }
  const variants = [
    { name: 'slow', warmUp: async () => (nowMs += 900), round: async () => (nowMs += 100) },
  ]
  const init = { variants, rounds: 10, clock, signal: never }
  t.equal((await runRounds({ ...init, budgetMs: 250 })).count, 3)
  t.equal((await runRounds({ ...init, budgetMs: 0 })).count, 1)
})

t.test('a signal and a failing variant end the rounds', async (t) => {
  const init = { rounds: 2, budgetMs: 1, clock: stopped }
  const warmUp = async () => {}
  const variants = [{ name: 'a', warmUp, round: async () => 1 }]
  await t.rejects(runRounds({ ...init, variants, signal: AbortSignal.abort() }))
  const failing = [{ name: 'a', warmUp, round: () => Promise.reject(new Error('broken')) }]
  await t.rejects(runRounds({ ...init, variants: failing, signal: never }), { message: 'broken' })
})
