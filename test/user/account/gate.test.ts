import t from 'tap'
import { Gate } from '../../../src/user/account/gate.ts'
import { Serial } from '../../../src/user/account/serial.ts'

t.test('a gate lets out who is in, and nobody in any more', async (t) => {
  const gate = new Gate()
  t.equal(await gate.pass(async () => 7), 7)
  await t.rejects(
    gate.pass(async () => {
      throw new Error('no')
    }),
    { message: 'no' },
  )
  const inside = Promise.withResolvers<void>()
  const passing = gate.pass(async () => inside.promise)
  let isClosed = false
  const closing = gate.close().then(() => (isClosed = true))
  t.throws(() => gate.check(), { code: 'ABZU_LOCKED' })
  await t.rejects(
    gate.pass(async () => 1),
    { code: 'ABZU_LOCKED' },
  )
  t.equal(isClosed, false)
  inside.resolve()
  await passing
  await closing
  await gate.close()
})

t.test('an empty gate closes at once', async (t) => {
  await t.resolves(new Gate().close())
})

t.test('changes come one after the other, also after one that failed', async (t) => {
  const serial = new Serial()
  const order: string[] = []
  const work = (name: string) => async () => {
    order.push(`${name} begins`)
    await new Promise((resolve) => setImmediate(resolve))
    order.push(`${name} ends`)
    if (name === 'b') throw new Error('b')
    return name
  }
  const results = await Promise.allSettled(['a', 'b', 'c'].map(async (n) => serial.run(work(n))))
  t.same(order, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
  t.same(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
})

t.test('more than may wait is overload', async (t) => {
  const serial = new Serial()
  const all = Array.from({ length: 300 }, async () => serial.run(async () => 1))
  const refused = (await Promise.allSettled(all)).filter(({ status }) => status === 'rejected')
  t.equal(refused.length, 44)
  t.match(refused[0], { reason: { code: 'ABZU_OVERLOADED' } })
  t.equal(await serial.run(async () => 2), 2)
})
