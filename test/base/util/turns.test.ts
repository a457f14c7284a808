import t from 'tap'
import { Turns } from '../../../src/base/util/turns.ts'

t.test('one piece of work at a time for a key, whatever became of the last', async (t) => {
  const turns = new Turns()
  const steps: string[] = []
  const first = Promise.withResolvers<void>()
  const bug = new Error('bug')
  const works = [
    turns.run('a', async () => {
      steps.push('a1')
      await first.promise
      steps.push('a1 ended')
      throw bug
    }),
    turns.run('a', async () => steps.push('a2')),
    turns.run('b', async () => steps.push('b1')),
  ]
  works[0]?.catch(() => undefined)
  await works[2]
  t.same(steps, ['a1', 'b1'], 'another key does not wait')
  t.ok(turns.has('a'))
  t.notOk(turns.has('b'), 'nothing is kept')
  first.resolve()
  await t.rejects(works[0] as Promise<unknown>, bug)
  t.equal(await works[1], 4, 'what it returned')
  t.same(steps, ['a1', 'b1', 'a1 ended', 'a2'])
  t.notOk(turns.has('a'))
})
