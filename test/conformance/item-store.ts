/**
 * What every item store does, whatever it keeps its rows in.
 * @module
 */

import type { Test } from 'tap'
import type { ItemHead, StoredSlot } from '../../src/base/store/item-store.ts'
import type { Store } from '../../src/base/store/store.ts'
import type { ItemId } from '../../src/base/util/brand.ts'
import { fromUtf8, toHex, utf8 } from '../../src/base/util/bytes.ts'
import { slotClass } from '../../src/base/wire/slot.ts'
import {
  collect,
  itemOf,
  mailboxNamed,
  slotKeyNamed,
  slotOf,
  storePlatform,
} from '../support/store-content.ts'
import { itemNewsConformance } from './item-news.ts'

const alice = mailboxNamed('alice')
const bob = mailboxNamed('bob')
const hour = 500_000

const texts = (slots: readonly StoredSlot[]) =>
  slots.map(({ body }) => fromUtf8(body) ?? '').toSorted()
const hexIds = (heads: readonly Pick<ItemHead, 'id'>[]) => heads.map(({ id }) => toHex(id))

/** Sum of ids mod 2^256 by other means than the store's. */
function sumOf(ids: readonly Uint8Array[]): string {
  const sum = ids.reduce((sum, id) => sum + BigInt(`0x${toHex(id)}`), 0n)
  return BigInt.asUintN(256, sum).toString(16).padStart(64, '0')
}

/** Runs the suite; `open` gives an empty store, closed by the suite. */
export function itemStoreConformance(t: Test, open: (t: Test) => Promise<Store>): void {
  itemNewsConformance(t, open)
  const test = (name: string, run: (t: Test, store: Store) => Promise<void>) =>
    void t.test(name, async (t) => {
      const store = await open(t)
      t.teardown(async () => store.close())
      await run(t, store)
    })

  test('the newest arrival of a mailbox, of whatever kind', async (t, { items }) => {
    t.equal(await items.last(alice), 0)
    const arrivalOf = async (id: ItemId) => (await items.get(alice, id))?.arrival
    const [mail, chunk] = [itemOf(alice, 'a'), itemOf(alice, 'b', { kind: 'chunk' })]
    await items.append([mail])
    t.equal(await items.last(alice), await arrivalOf(mail.id))
    await items.append([itemOf(bob, 'c'), chunk])
    t.equal(await items.last(alice), await arrivalOf(chunk.id))
    await items.putSlots([slotOf(bob, { name: 's', version: 1, body: 'x' })])
    t.equal(await items.last(alice), await arrivalOf(chunk.id), 'read from the database')
    await items.putSlots([slotOf(alice, { name: 's', version: 1, body: 'x' })])
    t.ok((await items.last(alice)) > ((await arrivalOf(chunk.id)) ?? Infinity))
    await items.drop(alice)
    t.ok(await items.last(bob))
  })

  test('an item that was appended is there, whole', async (t, { items }) => {
    const mail = itemOf(alice, 'hello', { pool: 2, expiresAtHours: hour })
    const chunk = itemOf(alice, new Uint8Array(256 * 1024).fill(7), { kind: 'chunk', pool: 0 })
    await items.append([mail, chunk])
    for (const item of [mail, chunk]) {
      const { mailbox: _, ...expected } = item
      const found = await items.get(alice, item.id)
      const { arrival, sizeBytes, ...rest } = found ?? { arrival: 0, sizeBytes: 0 }
      t.strictSame(
        { ...rest, id: toHex(item.id), body: toHex(found?.body ?? new Uint8Array()) },
        { ...expected, id: toHex(item.id), body: toHex(item.body) },
      )
      t.ok(arrival > 0)
      t.equal(sizeBytes, item.body.length)
    }
  })

  test('many items are read together, in the order of their ids', async (t, { items }) => {
    const mail = Array.from({ length: 40 }, (_, n) => itemOf(alice, `letter ${n}`.repeat(n + 1)))
    const large = itemOf(alice, new Uint8Array(200 * 1024).fill(3), { kind: 'chunk' })
    const slot = slotOf(alice, { name: 's', version: 1, body: 'the slot' })
    await items.append(mail.slice(0, 20))
    await items.append([itemOf(bob, 'for bob'), large])
    await items.putSlots([slot])
    await items.append(mail.slice(20))
    const gone = mail[7]?.id as ItemId
    await items.remove(alice, [gone])
    const slotId = storePlatform.sha256(slot.signed) as ItemId
    const ids = [large.id, slotId, ...mail.map(({ id }) => id).toReversed(), large.id]
    const found = await items.getMany(alice, ids)
    t.equal(found.length, ids.length)
    for (const [n, id] of ids.entries()) {
      t.strictSame(found[n], await items.get(alice, id), `item ${n} is as it is alone`)
    }
    t.equal(found[ids.indexOf(gone)], undefined)
    t.strictSame(await items.getMany(bob, [large.id]), [undefined])
    t.strictSame(await items.getMany(bob, []), [])
  })

  test('an item belongs to its mailbox alone', async (t, { items }) => {
    const item = itemOf(alice, 'for alice')
    await items.append([item])
    t.equal(items.has(bob, item.id), false)
    t.equal(items.find(bob, item.id.subarray(0, 16)), undefined)
    t.equal(await items.get(bob, item.id), undefined)
    t.strictSame((await items.list(bob, { kind: 'mail', limit: 10 })).items, [])
    await items.append([{ ...item, mailbox: bob }])
    await items.remove(alice, [item.id])
    t.equal(items.has(alice, item.id), false)
    t.equal(items.has(bob, item.id), true)
  })

  test('an empty body is a body', async (t, { items }) => {
    const item = itemOf(alice, '')
    await items.append([item])
    t.equal((await items.get(alice, item.id))?.body.length, 0)
  })

  test('what is queued is there for has and find, and not yet for get and list', async (t, {
    items,
  }) => {
    const item = itemOf(alice, 'soon')
    const append = items.append([item])
    t.equal(items.has(alice, item.id), true)
    t.equal(toHex(items.find(alice, item.id.subarray(0, 16)) ?? new Uint8Array()), toHex(item.id))
    t.equal(items.usage(alice)[1]?.items, 1, 'quotas see it')
    t.equal(await items.get(alice, item.id), undefined)
    await append
    t.ok(await items.get(alice, item.id))
  })

  test('an item is stored once, however often it is appended', async (t, { items }) => {
    const item = itemOf(alice, 'once')
    await Promise.all([items.append([item, item]), items.append([item])])
    await items.append([{ ...item, pool: 3, receivedAtMs: 5 }])
    const { items: heads } = await items.list(alice, { kind: 'mail', limit: 10 })
    t.equal(heads.length, 1)
    t.equal(heads[0]?.pool, 1, 'the first one stays')
    t.equal(items.digest(alice).count, 1)
    t.strictSame(items.usage(alice)[3]?.items, 0)
  })

  test('an id that shares its first half with another is refused', async (t, { items }) => {
    const item = itemOf(alice, 'first')
    const id = Uint8Array.from(item.id) as ItemId
    id[31] = (id[31] as number) ^ 1
    await items.append([item])
    await t.rejects(items.append([{ ...item, id }]), { code: 'ABZU_ALREADY_EXISTS' })
    t.equal(items.has(alice, id), false)
    const other = itemOf(alice, 'other')
    await t.rejects(items.append([other, { ...item, id }]), { code: 'ABZU_ALREADY_EXISTS' })
    t.equal(items.has(alice, other.id), false, 'a unit is refused whole')
  })

  test('pages follow the order of arrival, kind by kind', async (t, { items }) => {
    const mails = Array.from({ length: 7 }, (_, n) => itemOf(alice, `mail ${n}`))
    const chunks = Array.from({ length: 3 }, (_, n) => itemOf(alice, `c ${n}`, { kind: 'chunk' }))
    for (const item of [...mails, ...chunks]) await items.append([item])
    const seen: ItemHead[] = []
    let after: number | undefined
    do {
      const page = await items.list(alice, { kind: 'mail', limit: 3, ...(after && { after }) })
      seen.push(...page.items)
      after = page.next
    } while (after !== undefined)
    t.strictSame(hexIds(seen), hexIds(mails))
    t.strictSame(
      seen.map(({ arrival }) => arrival),
      seen.map(({ arrival }) => arrival).toSorted((a, b) => a - b),
    )
    const exact = await items.list(alice, { kind: 'chunk', limit: 3 })
    t.strictSame(hexIds(exact.items), hexIds(chunks))
    t.equal(exact.next, undefined, 'a last page that is full says so')
  })

  test('removal leaves nothing of an item, and nothing else', async (t, { items }) => {
    const [gone, stays] = [itemOf(alice, 'gone'), itemOf(alice, 'stays')]
    await items.append([gone, stays])
    await items.remove(alice, [gone.id, gone.id, itemOf(alice, 'never there').id])
    t.equal(items.has(alice, gone.id), false)
    t.equal(await items.get(alice, gone.id), undefined)
    t.strictSame(
      hexIds((await items.list(alice, { kind: 'mail', limit: 9 })).items),
      hexIds([stays]),
    )
    t.equal(items.usage(alice)[1]?.bytes, stays.body.length)
    await items.append([gone])
    t.ok(await items.get(alice, gone.id), 'it may come again')
  })

  test('removal of what is only queued', async (t, { items }) => {
    const item = itemOf(alice, 'short life')
    await Promise.all([items.append([item]), items.remove(alice, [item.id])])
    t.equal(items.has(alice, item.id), false)
    t.equal(await items.get(alice, item.id), undefined)
    t.equal(items.digest(alice).count, 0)
  })

  test('the newest version of a slot wins, a tie goes to the lower id', async (t, { items }) => {
    const slot = (version: number, body: string, variant = 0) =>
      slotOf(alice, { name: 'n', version, body, variant })
    t.strictSame(await items.putSlots([slot(5, 'five')]), ['stored'])
    t.strictSame(await items.putSlots([slot(4, 'four')]), ['older'])
    t.strictSame(await items.putSlots([slot(5, 'five')]), ['stored'], 'the same again')
    const rivals = [1, 2, 3, 4].map((variant) => slot(5, 'five', variant))
    const all = [slot(5, 'five'), ...rivals]
    await items.putSlots(rivals)
    const lowest = all.toSorted((a, b) =>
      Buffer.compare(storePlatform.sha256(a.signed), storePlatform.sha256(b.signed)),
    )[0]
    const winner = await items.slot(alice, slotKeyNamed('n'))
    t.equal(toHex(winner?.signed ?? new Uint8Array()), toHex(lowest?.signed ?? new Uint8Array()))
    t.strictSame(await items.putSlots([slot(6, 'six'), slot(5, 'x'), slot(7, 'seven')]), [
      'stored',
      'older',
      'stored',
    ])
    t.equal(fromUtf8((await items.slot(alice, slotKeyNamed('n')))?.body ?? utf8('')), 'seven')
    t.equal(items.digest(alice).count, 1, 'the replaced ids have left the digest')
    t.equal((await items.list(alice, { kind: 'slot', limit: 9 })).items.length, 1)
  })

  test('a slot is one whatever its class', async (t, { items }) => {
    const { sealed, plain } = slotClass
    await items.putSlots([slotOf(alice, { name: 'n', version: 1, body: 'a', class: sealed })])
    await items.putSlots([slotOf(alice, { name: 'n', version: 2, body: 'b', class: plain })])
    t.strictSame(texts(await collect(items.slots(alice))), ['b'])
    t.strictSame(texts(await collect(items.slots(alice, sealed))), [])
    t.equal(items.digest(alice).count, 1)
    t.strictSame(
      await items.putSlots([slotOf(alice, { name: 'n', version: 1, body: 'a', class: sealed })]),
      ['older'],
    )
  })

  test('an emptied slot keeps its header', async (t, { items }) => {
    await items.putSlots([slotOf(alice, { name: 'n', version: 1, body: 'secret' })])
    await items.putSlots([slotOf(alice, { name: 'n', version: 2, body: '' })])
    const slot = await items.slot(alice, slotKeyNamed('n'))
    t.equal(slot?.body.length, 0)
    t.equal(slot?.signed.length, 190)
    t.strictSame(await items.putSlots([slotOf(alice, { name: 'n', version: 1, body: 'secret' })]), [
      'older',
    ])
    t.strictSame(items.usage(alice)[0]?.slot, { items: 1, bytes: 190 })
    await items.erase(alice)
    t.ok(await items.slot(alice, slotKeyNamed('n')))
  })

  test('slots are read by class, each once, more than a page of them', async (t, { items }) => {
    const sealed = Array.from({ length: 150 }, (_, n) =>
      slotOf(alice, { name: `s${n}`, version: 1, body: `s${n}` }),
    )
    const plain = slotOf(alice, { name: 'p', version: 1, body: 'p', class: slotClass.plain })
    await items.putSlots([...sealed, plain])
    await items.putSlots([slotOf(bob, { name: 'p', version: 1, body: 'of bob' })])
    t.strictSame(texts(await collect(items.slots(alice, slotClass.plain))), ['p'])
    t.strictSame(texts(await collect(items.slots(alice, slotClass.sealed))), texts(sealed))
    t.equal((await collect(items.slots(alice))).length, 151)
  })

  test('a slot can be had by its id; removal leaves slots alone', async (t, { items }) => {
    const slot = slotOf(alice, { name: 'n', version: 1, body: 'b' })
    const id = storePlatform.sha256(slot.signed) as ItemId
    await items.putSlots([slot])
    await items.remove(alice, [id])
    const item = await items.get(alice, id)
    t.equal(item?.kind, 'slot')
    t.equal(toHex(item?.signed ?? new Uint8Array()), toHex(slot.signed))
  })

  test('a malformed slot is refused, and the call with it', async (t, { items }) => {
    const good = slotOf(alice, { name: 'n', version: 1, body: 'b' })
    const bad = { ...good, signed: good.signed.subarray(1) }
    await t.rejects(items.putSlots([good, bad]), { code: 'ABZU_MALFORMED' })
    t.equal(await items.slot(alice, slotKeyNamed('n')), undefined)
  })

  test('items expire at their hour, a bounded number a call', async (t, { items }) => {
    const at = (hours: number, n: number) =>
      itemOf(alice, `${hours} ${n}`, { expiresAtHours: hours })
    await items.append(Array.from({ length: 10 }, (_, n) => at(hour, n)))
    await items.append([at(hour + 1, 0), at(0, 0)])
    await items.append([itemOf(bob, 'bob', { expiresAtHours: hour })])
    await items.remove(alice, [at(hour, 0).id])
    t.equal(await items.expire(hour - 1, 100), 0)
    t.equal(await items.expire(hour, 4), 4)
    t.equal(await items.expire(hour, 4), 4)
    t.equal(await items.expire(hour, 4), 2, 'what was removed before does not count')
    t.equal(await items.expire(hour, 4), 0)
    t.strictSame(hexIds((await items.list(alice, { kind: 'mail', limit: 9 })).items), [
      ...hexIds([at(hour + 1, 0), at(0, 0)]),
    ])
    t.equal(await items.expire(2 ** 32 - 1, 100), 1, 'what expires never stays')
    t.equal(items.digest(alice).count, 1)
    t.equal(items.digest(bob).count, 0)
  })

  test('usage by pool and kind', async (t, { items }) => {
    await items.append([
      itemOf(alice, 'four', { pool: 1 }),
      itemOf(alice, 'fives', { pool: 2 }),
      itemOf(alice, 'chunk!', { pool: 2, kind: 'chunk' }),
    ])
    await items.putSlots([slotOf(alice, { name: 'n', version: 1, body: '0123456789' })])
    const usage = items.usage(alice).map(({ items, bytes }) => ({ items, bytes }))
    t.strictSame(usage, [
      { items: 1, bytes: 200 },
      { items: 1, bytes: 4 },
      { items: 2, bytes: 11 },
      { items: 0, bytes: 0 },
    ])
    t.strictSame(items.usage(alice)[2]?.chunk, { items: 1, bytes: 6 })
    t.strictSame(items.usage(bob)[0], {
      items: 0,
      bytes: 0,
      mail: { items: 0, bytes: 0 },
      chunk: { items: 0, bytes: 0 },
      slot: { items: 0, bytes: 0 },
    })
  })

  test('the digest is count and sum of the ids, in all and by bucket', async (t, { items }) => {
    const mails = Array.from({ length: 300 }, (_, n) => itemOf(alice, `${n}`))
    const slot = slotOf(alice, { name: 'n', version: 1, body: 'b' })
    await items.append(mails)
    await items.putSlots([slot])
    await items.remove(
      alice,
      mails.slice(0, 100).map(({ id }) => id),
    )
    const ids = [...mails.slice(100).map(({ id }) => id), storePlatform.sha256(slot.signed)]
    const digest = items.digest(alice)
    t.equal(digest.count, ids.length)
    t.equal(toHex(digest.sum), sumOf(ids))
    for (let prefix = 0; prefix < 4096; prefix++) {
      const inBucket = ids.filter((id) => Number.parseInt(toHex(id).slice(0, 3), 16) === prefix)
      const bucket = digest.buckets(prefix, 1)
      if (bucket.count !== inBucket.length || toHex(bucket.sum) !== sumOf(inBucket)) {
        t.fail(`bucket ${prefix}`)
      }
    }
    const halves = [digest.buckets(0, 2048), digest.buckets(2048, 2048)].map(({ count }) => count)
    t.equal((halves[0] as number) + (halves[1] as number), ids.length)
    t.equal(toHex(digest.buckets(0, 4096).sum), sumOf(ids))
    t.throws(() => digest.buckets(4000, 97), /a bucket/)
  })

  test('a mailbox can be dropped', async (t, store) => {
    const { items } = store
    await items.append(Array.from({ length: 600 }, (_, n) => itemOf(alice, `${n}`)))
    await items.append([itemOf(bob, 'bob')])
    await items.putSlots([slotOf(alice, { name: 'n', version: 9, body: 'b' })])
    await items.drop(alice)
    t.equal(items.digest(alice).count, 0)
    t.strictSame((await items.list(alice, { kind: 'mail', limit: 9 })).items, [])
    t.strictSame(await collect(items.slots(alice)), [])
    t.equal(items.digest(bob).count, 1)
    t.strictSame(await items.putSlots([slotOf(alice, { name: 'n', version: 1, body: 'b' })]), [
      'stored',
    ])
    t.equal((await store.verify()).isSound, true)
  })

  test('rows of tables', async (t, store) => {
    const outbox = store.table('outbox')
    const outcomes = store.table('outcomes')
    t.equal(outbox.name, 'outbox')
    t.equal(outbox.get(utf8('k')), undefined)
    await outbox.put(utf8('k'), utf8('v'))
    await outbox.put(utf8('k'), utf8('w'))
    t.equal(fromUtf8(outbox.get(utf8('k')) ?? utf8('')), 'w')
    t.equal(outcomes.get(utf8('k')), undefined, 'tables are apart')
    await outbox.delete(utf8('k'))
    await outbox.delete(utf8('k'))
    t.equal(outbox.get(utf8('k')), undefined)
    await outbox.put(new Uint8Array(), new Uint8Array())
    t.equal(outbox.get(new Uint8Array())?.length, 0)
    t.equal((await store.verify()).isSound, true)
  })

  test('ranges of tables', async (t, store) => {
    const table = store.table('outbox')
    const keys = Array.from({ length: 600 }, (_, n) => `${n % 2 ? 'a' : 'b'}${1000 + n}`)
    await store.commit(keys.map((key) => ({ table: 'outbox', key: utf8(key), value: utf8(key) })))
    await store.table('outcomes').put(utf8('a'), utf8('of another table'))
    const read = async (page: Parameters<typeof table.range>[0]) =>
      (await collect(table.range(page))).map(({ key }) => fromUtf8(key))
    const sorted = keys.toSorted()
    t.strictSame(await read({ limit: 1000 }), sorted)
    t.strictSame(await read({ limit: 300 }), sorted.slice(0, 300))
    t.strictSame(await read({ limit: 5, prefix: utf8('b') }), sorted.slice(300, 305))
    t.strictSame(await read({ limit: 3, prefix: utf8('b'), after: utf8('b1002') }), [
      'b1004',
      'b1006',
      'b1008',
    ])
    t.strictSame(
      await read({ limit: 3, prefix: utf8('b'), after: utf8('a') }),
      sorted.slice(300, 303),
    )
    t.strictSame(await read({ limit: 3, prefix: utf8('a'), after: utf8('b') }), [])
    t.strictSame(await read({ limit: 3, prefix: utf8('c') }), [])
    t.strictSame(await read({ limit: 2, after: utf8('b1596') }), ['b1598'])
  })

  test('rows go with items, or not at all', async (t, store) => {
    const { items } = store
    const table = store.table('door-uses')
    const row = (value: string) => [{ table: table.name, key: utf8('k'), value: utf8(value) }]
    const item = itemOf(alice, 'with a row')
    await items.append([item], row('append'))
    t.equal(fromUtf8(table.get(utf8('k')) ?? utf8('')), 'append')
    await items.append([item], row('again'))
    t.equal(fromUtf8(table.get(utf8('k')) ?? utf8('')), 'again', 'though the item was there')
    await items.putSlots([slotOf(alice, { name: 'n', version: 2, body: '' })], row('slots'))
    await items.putSlots([slotOf(alice, { name: 'n', version: 1, body: '' })], row('older'))
    t.equal(fromUtf8(table.get(utf8('k')) ?? utf8('')), 'older')
    await items.remove(alice, [], row('remove'))
    t.equal(fromUtf8(table.get(utf8('k')) ?? utf8('')), 'remove')
    const clash = Uint8Array.from(item.id) as ItemId
    clash[20] = (clash[20] as number) ^ 1
    await t.rejects(items.append([{ ...item, id: clash }], row('refused')))
    t.equal(fromUtf8(table.get(utf8('k')) ?? utf8('')), 'remove')
  })

  test('calls that write nothing resolve', async (t, store) => {
    await store.items.append([])
    await store.items.remove(alice, [])
    await store.commit([])
    t.strictSame(await store.items.putSlots([]), [])
    t.equal(await store.items.expire(hour, 10), 0)
    await store.items.drop(alice)
  })

  test('a closed store writes nothing more', async (t, store) => {
    const last = itemOf(alice, 'last')
    const append = store.items.append([last])
    const close = store.close()
    await t.rejects(store.items.append([itemOf(alice, 'late')]), { code: 'ABZU_CLOSED' })
    await t.rejects(store.commit([{ table: 'peers', key: last.id, value: last.id }]), {
      code: 'ABZU_CLOSED',
    })
    await append
    await close
    await t.rejects(store.items.get(alice, last.id), { code: 'ABZU_CLOSED' })
    await store.close()
  })

  test('an epoch is random and stays while the store is open', async (t, store) => {
    const epoch = toHex(store.epoch)
    t.match(epoch, /^[0-9a-f]{32}$/)
    await store.items.append([itemOf(alice, 'x')])
    t.equal(toHex(store.epoch), epoch)
    t.equal(store.report.isNew, true)
  })
}
