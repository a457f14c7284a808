import fc from 'fast-check'
import t from 'tap'
import type { PeerId } from '../../../src/base/util/brand.ts'
import { Origins } from '../../../src/machine/sync/origins.ts'

const [anna, bert] = ['anna', 'bert'] as [PeerId, PeerId]

t.test('what came from whom, as a list of all would say it', async () => {
  const step = fc.record({ peer: fc.constantFrom(anna, bert, undefined), count: fc.nat(4) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.nat(120), fc.nat(6), (steps, first, more) => {
      const origins = new Origins()
      const all: (PeerId | undefined)[] = [undefined]
      for (const { peer, count } of steps) {
        if (count === 0) continue
        if (peer) origins.note(peer, all.length, all.length + count - 1)
        for (let n = 0; n < count; n++) all.push(peer)
      }
      return [anna, bert].every((peer) => {
        const asked = Array.from({ length: more + 1 }, (_, n) => all[first + n])
        return origins.isFrom(peer, first, first + more) === asked.every((one) => one === peer)
      })
    }),
  )
})

t.test('what is past is forgotten, and never taken for what it is not', async (t) => {
  const origins = new Origins()
  for (let n = 1; n <= 5000; n++) origins.note(anna, 2 * n, 2 * n)
  t.equal(origins.isFrom(anna, 10_000), true)
  t.equal(origins.isFrom(anna, 9999), false)
  t.equal(origins.isFrom(anna, 2), false, 'too long ago')
  t.equal(origins.isFrom(bert, 10_000), false)
  origins.forget(anna)
  t.equal(origins.isFrom(anna, 10_000), false)
})
