/** Stamps are found in turn, within bounds, and given up when nobody wants them. */

import t, { type Test } from 'tap'
import { itemIdOf } from '../../../src/base/crypto/address.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { NodeStampSearch } from '../../../src/base/crypto/node-stamp-search.ts'
import { searchInTurns, StampMill, type StampSearch } from '../../../src/base/crypto/stamp-mill.ts'
import { isStamp, type StampOrder, type StampSlice } from '../../../src/base/crypto/stamp.ts'
import { utf8 } from '../../../src/base/util/bytes.ts'
import { systemScheduler } from '../../../src/base/util/system-time.ts'
import { ManualTime } from '../../support/manual-time.ts'
import { testPerson } from '../../support/persons.ts'
import { stampFor } from '../../support/stamps.ts'

const platform = nodePlatform()
const { mailbox } = testPerson(platform, 1)

function order(text: string, bits = 10): StampOrder {
  return { mailbox, item: itemIdOf(platform, utf8(text)), bits }
}

/** A search that answers when it is told to. */
class SlowSearch implements StampSearch {
  readonly slices: StampSlice[] = []
  #answer: ((stamp: Uint8Array | undefined) => void) | undefined
  #fail: ((error: unknown) => void) | undefined

  async search(slice: StampSlice): Promise<Uint8Array | undefined> {
    this.slices.push(slice)
    return new Promise((resolve, reject) => {
      this.#answer = resolve
      this.#fail = reject
    })
  }

  async answer(stamp?: Uint8Array): Promise<void> {
    this.#answer?.(stamp)
    await new Promise((resolve) => setImmediate(resolve))
  }

  async fail(error: unknown): Promise<void> {
    this.#fail?.(error)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function slow(t: Test) {
  const time = new ManualTime()
  const search = new SlowSearch()
  const mill = new StampMill({ search, scheduler: time })
  t.teardown(() => mill.close())
  return { time, search, mill }
}

const searches = {
  'on a thread': () => new NodeStampSearch(systemScheduler),
  'in turns': () => searchInTurns(platform, systemScheduler),
}
for (const [where, open] of Object.entries(searches)) {
  t.test(`stamps are found ${where}`, async (t) => {
    const mill = new StampMill({ search: open(), scheduler: systemScheduler })
    mill.prepare()
    const orders = Array.from({ length: 20 }, (_, n) => order(`letter ${n}`, 8 + (n % 7)))
    const stamps = await Promise.all(orders.map(async (one) => mill.stamp(one)))
    for (const [n, one] of orders.entries()) {
      t.ok(isStamp(platform, one, stamps[n] as Uint8Array))
      t.same(stamps[n], stampFor(platform, one), 'the same everywhere')
    }
    t.equal(mill.waiting, 0)
    await mill.close()
    await t.rejects(mill.stamp(order('late')), { code: 'ABZU_CLOSED' })
  })
}

t.test('the loop turns while a thread works', async (t) => {
  const mill = new StampMill({
    search: new NodeStampSearch(systemScheduler),
    scheduler: systemScheduler,
  })
  t.teardown(() => mill.close())
  const dear = Array.from({ length: 8 }, async (_, n) => mill.stamp(order(`dear ${n}`, 16)))
  let turns = 0
  while (mill.waiting > 0) {
    turns++
    await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all(dear)
  t.ok(turns > 50, `${turns} turns`)
})

t.test('a thread that ends is told of, and another takes its place', async (t) => {
  const search = new NodeStampSearch(systemScheduler)
  t.teardown(() => search.close())
  const slice = { ...order('interrupted', 60), from: 0, tries: 2 ** 30 }
  const interrupted = search.search(slice)
  const ended = t.rejects(interrupted, { code: 'ABZU_INTERNAL' })
  await search.close()
  await ended
  const found = await search.search({ ...order('after that'), from: 0, tries: 2 ** 16 })
  t.ok(found && isStamp(platform, order('after that'), found))
})

t.test('every order has its turn, whatever the others cost', async (t) => {
  const { search, mill } = slow(t)
  const found: string[] = []
  const dear = mill.stamp(order('dear', 20)).then(() => found.push('dear'))
  const cheap = mill.stamp(order('cheap', 1)).then(() => found.push('cheap'))
  await search.answer()
  await search.answer(new Uint8Array(8))
  t.same(found, ['cheap'])
  await search.answer()
  await search.answer(new Uint8Array(8))
  t.same(found, ['cheap', 'dear'])
  t.same(
    search.slices.map(({ bits, from }) => [bits, from]),
    [
      [20, 0],
      [1, 0],
      [20, 4096],
      [20, 8192],
    ],
    'no number is tried twice',
  )
  await Promise.all([dear, cheap])
})

t.test('orders are bounded', async (t) => {
  const { search, mill } = slow(t)
  const waiting = Array.from({ length: 64 }, async (_, n) => mill.stamp(order(`${n}`)))
  const all = Promise.allSettled(waiting)
  await t.rejects(mill.stamp(order('one more')), { code: 'ABZU_OVERLOADED' })
  await search.answer(new Uint8Array(8))
  const another = mill.stamp(order('one more'))
  t.equal(mill.waiting, 64)
  await mill.close()
  t.match((await all).slice(1), [{ status: 'rejected', reason: { code: 'ABZU_CLOSED' } }])
  await t.rejects(another, { code: 'ABZU_CLOSED' })
  t.equal(mill.waiting, 0)
})

t.test('work that nobody waits for is given up', async (t) => {
  const { time, search, mill } = slow(t)
  const left = new AbortController()
  const aborted = mill.stamp(order('aborted', 20), left.signal)
  const late = mill.stamp(order('too slow', 20))
  const refused = Promise.all([
    t.rejects(aborted, { message: 'left' }),
    t.rejects(late, { code: 'ABZU_TIMEOUT' }),
  ])
  left.abort(new Error('left'))
  t.equal(mill.waiting, 1)
  await search.answer()
  await time.advance(61_000)
  await refused
  await search.answer()
  t.equal(mill.waiting, 0)
  t.equal(search.slices.length, 2, 'one slice each')
  await t.rejects(mill.stamp(order('never'), left.signal), { message: 'left' })
})

t.test('a search that fails takes its order with it, and no other', async (t) => {
  const { search, mill } = slow(t)
  const first = t.rejects(mill.stamp(order('first')), { message: 'broken' })
  const second = mill.stamp(order('second'))
  await search.fail(new Error('broken'))
  await first
  await search.answer(new Uint8Array(8))
  t.same(await second, new Uint8Array(8))
})

t.test('what is too dear is refused at once', async (t) => {
  const { search, mill } = slow(t)
  await t.rejects(mill.stamp(order('absurd', 32)), { code: 'ABZU_STAMP_TOO_COSTLY' })
  await t.rejects(mill.stamp(order('closed', 0)), { code: 'ABZU_STRANGERS_REFUSED' })
  t.equal(search.slices.length, 0)
})
