/** What every item store tells of what is new in it. @module */

import type { Test } from 'tap'
import type { ItemHead } from '../../src/base/store/item-store.ts'
import type { Store } from '../../src/base/store/store.ts'
import type { ItemId } from '../../src/base/util/brand.ts'
import { toHex } from '../../src/base/util/bytes.ts'
import { collect, itemOf, mailboxNamed, slotOf, storePlatform } from '../support/store-content.ts'

const alice = mailboxNamed('alice')
const bob = mailboxNamed('bob')

const hexIds = (heads: readonly Pick<ItemHead, 'id'>[]) => heads.map(({ id }) => toHex(id))

/** Runs the suite; `open` gives an empty store, closed by the suite. */
export function itemNewsConformance(t: Test, open: (t: Test) => Promise<Store>): void {
  const test = (name: string, run: (t: Test, store: Store) => Promise<void>) =>
    void t.test(name, async (t) => {
      const store = await open(t)
      t.teardown(async () => store.close())
      await run(t, store)
    })

  test('what is new comes with slots first, each once, and its body is found', async (t, {
    items,
  }) => {
    const newsOf = async (after: number, upTo = items.newest) =>
      (await collect(items.news(alice, { after, upTo }))).flat()
    t.same(await newsOf(0), [])
    const mail = Array.from({ length: 1100 }, (_, n) => itemOf(alice, `letter ${n}`))
    const chunk = itemOf(alice, 'chunk', { kind: 'chunk' })
    const slots = ['s', 't'].map((name) => slotOf(alice, { name, version: 1, body: name }))
    const slotIds = slots.map(({ signed }) => storePlatform.sha256(signed) as ItemId)
    await items.append([chunk, ...mail.slice(0, 20)])
    await items.append([itemOf(bob, 'for bob')])
    await items.putSlots(slots)
    const few = items.newest
    const expected = (letters: typeof mail) =>
      [...slotIds, ...letters.map(({ id }) => id), chunk.id].map(toHex)
    t.same(hexIds(await newsOf(0)), expected(mail.slice(0, 20)))
    await items.append(mail.slice(20, 600))
    await items.append(mail.slice(600))
    t.same(hexIds(await newsOf(0)), expected(mail), 'also of many')
    t.same(hexIds(await newsOf(0, few)), expected(mail.slice(0, 20)), 'up to there')
    t.same(
      hexIds(await newsOf(few)),
      mail.slice(20).map(({ id }) => toHex(id)),
    )
    await items.putSlots([slotOf(bob, { name: 's', version: 1, body: 'b' })])
    t.same(
      hexIds(await newsOf(few)),
      mail.slice(20).map(({ id }) => toHex(id)),
      'in the database',
    )
    t.same(await newsOf(items.newest), [])

    const listed = (await newsOf(0)).slice(0, 40)
    const gone = listed[5]?.id as ItemId
    await items.remove(alice, [gone])
    const [, ...others] = await items.bodies(alice, listed)
    for (const [n, one] of others.entries()) {
      const id = listed[n + 1]?.id as ItemId
      const item = await items.get(alice, id)
      if (item) t.same([one?.body, one?.signed], [item.body, item.signed])
      else t.equal(id, gone)
    }
    t.equal(items.listed(alice, chunk.id)?.arrival, 1)
    t.equal(items.listed(bob, chunk.id), undefined)
  })

  test('the newest arrival is of something that is there, and its writer is told', async (t, {
    items,
  }) => {
    const told: [number, number][] = []
    const taken = (first: number, last: number) => void told.push([first, last])
    const arrivalOf = async (id: ItemId) => (await items.get(alice, id))?.arrival
    await items.putSlots([slotOf(alice, { name: 's', version: 2, body: 'new' })], [], taken)
    t.same(told, [[items.newest, items.newest]])
    const [one, other] = [itemOf(alice, 'one'), itemOf(alice, 'other')]
    const old = slotOf(alice, { name: 's', version: 1, body: 'old' })
    const before = items.newest
    const writing = Promise.all([
      items.append([one, other], [], taken),
      items.putSlots([old], [], taken),
    ])
    t.equal(items.newest, before, 'not before it is durable')
    t.equal(told.length, 2, 'in the same turn')
    await writing
    t.same(told[1], [await arrivalOf(one.id), await arrivalOf(other.id)])
    t.equal(items.newest, await arrivalOf(other.id), 'not what an older version took up')
    await items.append([one], [], taken)
    t.equal(told.length, 2, 'nothing is new')
  })
}
