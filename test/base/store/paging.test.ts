import fc from 'fast-check'
import t from 'tap'
import type { NewItem } from '../../../src/base/store/item-store.ts'
import type { Store } from '../../../src/base/store/store.ts'
import type { ItemId } from '../../../src/base/util/brand.ts'
import { toHex } from '../../../src/base/util/bytes.ts'
import { holdsInTime } from '../../support/property.ts'
import {
  collect,
  itemOf,
  mailboxNamed,
  openTestStore,
  slotKeyNamed,
  slotOf,
} from '../../support/store-content.ts'
import { tempHome } from '../../support/temp-home.ts'

const mailbox = mailboxNamed('reader')

type Write =
  | { readonly kind: 'append'; readonly count: number }
  | { readonly kind: 'remove'; readonly places: readonly number[] }
  | { readonly kind: 'elsewhere' }

const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 5 }) }),
  fc.record({
    kind: fc.constant('remove' as const),
    places: fc.array(fc.nat({ max: 200 }), { minLength: 1, maxLength: 4 }),
  }),
  fc.record({ kind: fc.constant('elsewhere' as const) }),
)

/** What a reader of pages saw while `writes` were being done, and what it must have seen once. */
async function readWhileWriting(
  store: Store,
  { before, writes, limit }: { before: number; writes: readonly Write[]; limit: number },
): Promise<{ seen: string[]; stable: string[] }> {
  let made = 0
  const make = (count: number): NewItem[] =>
    Array.from({ length: count }, () => itemOf(mailbox, `item ${made++}`))
  const items: NewItem[] = make(before)
  await store.items.append(items)
  const stable = new Set(items.map(({ id }) => toHex(id)))

  const pending: Promise<unknown>[] = []
  const seen: string[] = []
  let after: number | undefined
  const queue = [...writes]
  do {
    for (const write of queue.splice(0, 2)) {
      if (write.kind === 'append') {
        const fresh = make(write.count)
        items.push(...fresh)
        pending.push(store.items.append(fresh))
      } else if (write.kind === 'elsewhere') {
        pending.push(store.items.append([itemOf(mailboxNamed('other'), `${made++}`)]))
      } else if (items.length > 0) {
        const ids = write.places.map((place) => items[place % items.length]?.id as ItemId)
        for (const id of ids) stable.delete(toHex(id))
        pending.push(store.items.remove(mailbox, ids))
      }
    }
    const page = await store.items.list(mailbox, {
      kind: 'mail',
      limit,
      ...(after !== undefined && { after }),
    })
    seen.push(...page.items.map(({ id }) => toHex(id)))
    after = page.next
    if (seen.length > 2 * items.length) throw new Error('pages without end')
  } while (after !== undefined)
  await Promise.all(pending)
  return { seen, stable: [...stable] }
}

for (const medium of ['memory', 'disk']) {
  t.test(`I9: pages list each item that stays exactly once, in ${medium}`, async (t) => {
    const home = tempHome(t).ABZU_HOME
    let stores = 0
    const history = fc.asyncProperty(
      fc.record({
        before: fc.integer({ min: 0, max: 60 }),
        writes: fc.array(write, { maxLength: 30 }),
        limit: fc.integer({ min: 1, max: 10 }),
      }),
      async (plan) => {
        const dir = medium === 'disk' ? `${home}/${stores++}` : undefined
        const store = await openTestStore({ dir })
        try {
          const { seen, stable } = await readWhileWriting(store, plan)
          const times = new Map<string, number>()
          for (const id of seen) times.set(id, (times.get(id) ?? 0) + 1)
          if ([...times.values()].some((count) => count > 1)) throw new Error('listed twice')
          const missed = stable.filter((id) => !times.has(id))
          if (missed.length > 0) throw new Error(`${missed.length} missed`)
        } finally {
          await store.close()
        }
      },
    )
    await holdsInTime(t, history, { seed: 9, runs: medium === 'disk' ? 40 : 150 })
  })
}

t.test('I9: a cursor goes on to see everything that came later, in order', async (t) => {
  const store = await openTestStore({ dir: tempHome(t).ABZU_HOME })
  t.teardown(async () => store.close())
  const items = Array.from({ length: 400 }, (_, n) => itemOf(mailbox, `${n}`))
  const writing = (async () => {
    for (const item of items) void store.items.append([item])
    await Promise.all(items.map(async (item) => store.items.append([item])))
  })()
  const seen: string[] = []
  let after = 0
  for (let polls = 0; seen.length < items.length && polls < 10_000; polls++) {
    const page = await store.items.list(mailbox, { kind: 'mail', after, limit: 7 })
    seen.push(...page.items.map(({ id }) => toHex(id)))
    after = page.items.at(-1)?.arrival ?? after
  }
  await writing
  t.strictSame(
    seen,
    items.map(({ id }) => toHex(id)),
  )
})

t.test('I9: slots that stay are read once while others are replaced', async (t) => {
  const store = await openTestStore({ dir: undefined })
  t.teardown(async () => store.close())
  const slot = (n: number, version: number) =>
    slotOf(mailbox, { name: `${n}`, version, body: `${n}` })
  await store.items.putSlots(Array.from({ length: 200 }, (_, n) => slot(n, 1)))
  const seen: string[] = []
  for await (const { signed } of store.items.slots(mailbox)) {
    seen.push(toHex(signed.subarray(34, 54)))
    if (seen.length % 3 === 0) {
      await store.items.putSlots([
        slot(seen.length % 200, seen.length),
        slot(1000 + seen.length, 1),
      ])
    }
  }
  const stable = Array.from({ length: 200 }, (_, n) => toHex(slotKeyNamed(`${n}`)))
  t.strictSame(
    stable.filter((key) => !seen.includes(key)),
    [],
  )
  t.equal(new Set(seen).size, seen.length, 'none twice')
  t.ok((await collect(store.items.slots(mailbox))).length > 200)
})
