import t from 'tap'
import { AbzuError } from '../../../src/base/util/errors.ts'
import { StreamSlots } from '../../../src/machine/transport/stream-slots.ts'

const slot = { max: 1, signal: undefined }

t.test('who comes first is served first, each key for itself', async (t) => {
  const slots = new StreamSlots({ waitingMax: 2 })
  const give = await slots.take('a', slot)
  await slots.take('b', slot)
  const order: number[] = []
  const waiting = [1, 2].map(async (n) => {
    const give = await slots.take('a', slot)
    order.push(n)
    give()
  })
  await t.rejects(slots.take('a', slot), { code: 'ABZU_OVERLOADED' })
  give()
  give()
  await Promise.all(waiting)
  t.same(order, [1, 2])
  ;(await slots.take('a', slot))()
})

t.test('who gives up waiting leaves the slot to the next', async (t) => {
  const slots = new StreamSlots({ waitingMax: 2 })
  const give = await slots.take('a', slot)
  const controller = new AbortController()
  const impatient = slots.take('a', { max: 1, signal: controller.signal })
  const patient = slots.take('a', slot)
  controller.abort(new AbzuError('ABZU_TIMEOUT', 'no patience'))
  await t.rejects(impatient, { code: 'ABZU_TIMEOUT' })
  await t.rejects(slots.take('c', { max: 1, signal: controller.signal }), { code: 'ABZU_TIMEOUT' })
  give()
  ;(await patient)()
  ;(await slots.take('a', slot))()
})
