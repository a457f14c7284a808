import t, { type Test } from 'tap'
import type { Store } from '../../../src/base/store/store.ts'
import type { ItemId } from '../../../src/base/util/brand.ts'
import { fromUtf8, toHex, utf8 } from '../../../src/base/util/bytes.ts'
import { openRawStore, type RawBodies, type RawRows } from '../../support/raw-store.ts'
import {
  collect,
  itemOf,
  mailboxNamed,
  openTestStore,
  slotKeyNamed,
  slotOf,
} from '../../support/store-content.ts'

/** The families as the head of keys.ts describes them. */
const [index, arrival, segment, slot, expiry, digest, mailboxRow, table] = [
  0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80,
] as const

const mailbox = mailboxNamed('m')
const mail = itemOf(mailbox, 'the mail', { expiresAtHours: 500_000 })
const other = itemOf(mailboxNamed('other'), 'of another mailbox')
const slotKey = slotKeyNamed('n')

async function setUp(t: Test): Promise<{ store: Store; raw: RawRows; bodies: RawBodies }> {
  const { store, raw, bodies } = await openRawStore()
  t.teardown(async () => store.close())
  await store.items.append(
    [mail, other],
    [
      { table: 'peers', key: utf8('k'), value: utf8('v') },
      { table: 'peers', key: utf8('l'), value: utf8('w') },
    ],
  )
  await store.items.putSlots([slotOf(mailbox, { name: 'n', version: 1, body: 'the slot' })])
  return { store, raw, bodies }
}

/** The row of the mail in `mailbox`: not of its slot, nor of the other mailbox. */
async function rowOf(raw: RawRows, family: number) {
  const rows = await raw.family(family)
  const hex = toHex(mailbox)
  const isSlot = (value: Uint8Array) => [index, arrival].includes(family as 16) && value[4] === 3
  const row = rows.find(([key, value]) => toHex(key).includes(hex) && !isSlot(value))
  if (!row) throw new Error('no such row')
  return row
}

/** A second check finds nothing, and the counts say what is there. */
async function expectMended(t: Test, store: Store, items: number): Promise<void> {
  const again = await store.verify()
  t.equal(again.isSound, true, 'the second check finds nothing')
  t.equal(again.items, items)
  const { items: heads } = await store.items.list(mailbox, { kind: 'mail', limit: 10 })
  for (const { id } of heads) t.ok(await store.items.get(mailbox, id))
  const slots = await collect(store.items.slots(mailbox))
  t.equal(store.items.digest(mailbox).count, heads.length + slots.length)
  t.equal(store.items.usage(mailbox)[1]?.items, heads.length)
}

t.test('a sound store is said to be sound', async (t) => {
  const { store } = await setUp(t)
  const epoch = toHex(store.epoch)
  t.strictSame(await store.verify(), {
    items: 3,
    rows: 2,
    damaged: 0,
    lost: 0,
    returned: 0,
    isSound: true,
  })
  t.equal(toHex(store.epoch), epoch)
})

t.test('a flipped bit in any byte of any row is never passed off as data', async (t) => {
  const { store, raw, bodies } = await setUp(t)
  for (const family of [index, slot, table]) {
    const row = family === table ? await raw.row(table) : await rowOf(raw, family)
    for (let at = 0; at < row[1].length; at++) {
      await raw.flip(row, at)
      const read = async (): Promise<unknown> => {
        if (family === table) return store.table('peers').get(utf8('k'))
        if (family === slot) return store.items.slot(mailbox, slotKey)
        return store.items.get(mailbox, mail.id)
      }
      const error = await read().then(
        () => undefined,
        (error: unknown) => error as { code?: string },
      )
      if (error?.code !== 'ABZU_STORE_DAMAGED') t.fail(`family ${family}, byte ${at}`)
    }
    await raw.put(...row)
  }
  const at = await bodies.find(mail.body)
  for (let n = 0; n < mail.body.length; n++) {
    const place = { ...at, offset: at.offset + n }
    await bodies.flip(place)
    await t.rejects(store.items.get(mailbox, mail.id), { code: 'ABZU_STORE_DAMAGED' })
    await bodies.flip(place)
  }
  t.ok(await store.items.get(mailbox, mail.id))
  const row = await rowOf(raw, arrival)
  await raw.flip(row)
  await t.rejects(store.items.list(mailbox, { kind: 'mail', limit: 1 }), {
    code: 'ABZU_STORE_DAMAGED',
  })
})

t.test('a row under another key is not that row', async (t) => {
  const { store, raw } = await setUp(t)
  const [key, value] = await raw.row(table)
  await raw.put(Buffer.concat([key, Buffer.from('x')]), value)
  t.throws(() => store.table('peers').get(utf8('kx')), { code: 'ABZU_STORE_DAMAGED' })
  const report = await store.verify()
  t.equal(report.damaged, 1)
  t.equal(store.table('peers').get(utf8('kx')), undefined)
  t.equal(fromUtf8(store.table('peers').get(utf8('k')) ?? utf8('')), 'v')
})

for (const [name, family] of [
  ['id', index],
  ['place in the order of arrival', arrival],
] as const) {
  for (const damage of ['flip', 'delete'] as const) {
    t.test(`${damage} of the head under the ${name}: made anew from the other`, async (t) => {
      const { store, raw } = await setUp(t)
      const epoch = toHex(store.epoch)
      const row = await rowOf(raw, family)
      await (damage === 'flip' ? raw.flip(row) : raw.delete(row[0]))
      const report = await store.verify()
      t.equal(report.isSound, false)
      t.equal(report.damaged, damage === 'flip' ? 1 : 0)
      t.equal(report.lost, 0)
      t.not(toHex(store.epoch), epoch, 'a new epoch')
      t.ok(store.items.has(mailbox, mail.id))
      t.equal(fromUtf8((await store.items.get(mailbox, mail.id))?.body ?? utf8('')), 'the mail')
      await expectMended(t, store, 3)
    })
  }
}

t.test('both heads gone: the item is lost, and may come again', async (t) => {
  const { store, raw } = await setUp(t)
  for (const family of [index, arrival]) await raw.delete((await rowOf(raw, family))[0])
  const report = await store.verify()
  t.match(report, { isSound: false, lost: 1, damaged: 0 })
  await expectMended(t, store, 2)
  await store.items.append([mail])
  await expectMended(t, store, 3)
})

t.test('flip of a body: the item is lost, and may come again', async (t) => {
  const { store, bodies } = await setUp(t)
  await bodies.flip(await bodies.find(mail.body))
  await t.rejects(store.items.get(mailbox, mail.id), { code: 'ABZU_STORE_DAMAGED' })
  const slotId = (await store.items.list(mailbox, { kind: 'slot', limit: 1 })).items[0]?.id
  const many = await store.items.getMany(mailbox, [mail.id, slotId as ItemId])
  t.equal(many[0], undefined, 'the others are read without it')
  t.equal(fromUtf8(many[1]?.body ?? utf8('')), 'the slot')
  t.match(await store.verify(), { isSound: false, lost: 1, damaged: 0 })
  t.equal(store.items.has(mailbox, mail.id), false)
  t.equal(await store.items.get(mailbox, mail.id), undefined)
  await expectMended(t, store, 2)
  await store.items.append([mail])
  t.ok(await store.items.get(mailbox, mail.id))
  await expectMended(t, store, 3)
})

t.test('a segment that is gone: all its items are lost, and may come again', async (t) => {
  const { store, bodies } = await setUp(t)
  const [first] = await bodies.numbers()
  await bodies.remove(first as number)
  await t.rejects(store.items.get(mailbox, mail.id), { code: 'ABZU_STORE_DAMAGED' })
  t.match(await store.verify(), { isSound: false, lost: 2, damaged: 0 })
  await expectMended(t, store, 1)
})

for (const damage of ['flip', 'delete'] as const) {
  t.test(`${damage} of the row of a segment: counted again`, async (t) => {
    const { store, raw } = await setUp(t)
    const row = await raw.row(segment)
    await (damage === 'flip' ? raw.flip(row) : raw.delete(row[0]))
    t.match(await store.verify(), { isSound: false, lost: 0 })
    await expectMended(t, store, 3)
  })

  t.test(`${damage} of a slot: it is lost, and may come again`, async (t) => {
    const { store, raw } = await setUp(t)
    const row = await raw.row(slot)
    await (damage === 'flip' ? raw.flip(row) : raw.delete(row[0]))
    t.match(await store.verify(), { isSound: false, lost: 1 })
    t.equal(await store.items.slot(mailbox, slotKey), undefined)
    await expectMended(t, store, 2)
    const again = slotOf(mailbox, { name: 'n', version: 1, body: 'the slot' })
    t.strictSame(await store.items.putSlots([again]), ['stored'])
    await expectMended(t, store, 3)
  })
}

t.test('a slot without heads is taken out', async (t) => {
  const { store, raw } = await setUp(t)
  for (const family of [index, arrival]) {
    for (const [key, value] of await raw.family(family)) {
      if (value[4] === 3) await raw.delete(key)
    }
  }
  t.match(await store.verify(), { isSound: false, lost: 1, damaged: 1 })
  await expectMended(t, store, 2)
})

for (const [name, family] of [
  ['bucket', digest],
  ['mailbox', mailboxRow],
] as const) {
  for (const damage of ['flip', 'delete'] as const) {
    t.test(`${damage} of the row of a ${name}: counted again`, async (t) => {
      const { store, raw } = await setUp(t)
      const sum = toHex(store.items.digest(mailbox).sum)
      const row = await rowOf(raw, family)
      await (damage === 'flip' ? raw.flip(row) : raw.delete(row[0]))
      t.match(await store.verify(), { isSound: false, lost: 0 })
      t.equal(toHex(store.items.digest(mailbox).sum), sum)
      await expectMended(t, store, 3)
    })
  }
}

t.test('rows of tables: a damaged one goes, a missing one is noticed', async (t) => {
  const { store, raw } = await setUp(t)
  await raw.flip(await raw.row(table, 0))
  t.throws(() => store.table('peers').get(utf8('k')), { code: 'ABZU_STORE_DAMAGED' })
  t.match(await store.verify(), { isSound: false, damaged: 1 })
  t.equal(store.table('peers').get(utf8('k')), undefined)
  await raw.delete((await raw.row(table, 0))[0])
  t.match(await store.verify(), { isSound: false, lost: 1, damaged: 0 })
  t.equal((await store.verify()).isSound, true)
  await store.table('peers').put(utf8('k'), utf8('again'))
  t.equal((await store.verify()).isSound, true)
})

t.test('a table row of the same key and another value is noticed', async (t) => {
  const { store, raw } = await setUp(t)
  const before = await raw.row(table)
  await store.table('peers').put(utf8('k'), utf8('newer'))
  await raw.put(...before)
  t.equal((await store.verify()).isSound, false, 'an old row came back')
  t.equal((await store.verify()).isSound, true)
})

t.test('what was removed and is back is counted in', async (t) => {
  const { store, raw } = await setUp(t)
  const rows = await Promise.all([index, arrival].map(async (family) => rowOf(raw, family)))
  await store.items.remove(mailbox, [mail.id])
  for (const row of rows) await raw.put(...row)
  t.match(await store.verify(), { isSound: false, returned: 1 })
  await expectMended(t, store, 3)
})

t.test('a second place in the order of arrival is taken out', async (t) => {
  const { store, raw } = await setUp(t)
  const old = await rowOf(raw, arrival)
  await store.items.remove(mailbox, [mail.id])
  await store.items.append([mail])
  await raw.put(...old)
  t.match(await store.verify(), { isSound: false, damaged: 1, lost: 0 })
  await expectMended(t, store, 3)
})

t.test('expiry goes on behind a damaged row, and the row is taken out', async (t) => {
  const { store, raw } = await setUp(t)
  await raw.flip(await raw.row(expiry))
  await store.items.append([itemOf(mailbox, 'expires too', { expiresAtHours: 500_001 })])
  t.equal(await store.items.expire(500_001, 10), 1)
  t.match(await store.verify(), { isSound: false, damaged: 1 })
  await expectMended(t, store, 3)
})

t.test('rows that have no place are taken out', async (t) => {
  const { store, raw } = await setUp(t)
  for (const first of [0x01, 0x11, 0x2f, 0x3f, 0x7f, 0x81, 0xfe]) {
    await raw.put(new Uint8Array([first, 1, 2, 3]), new Uint8Array(9))
  }
  t.match(await store.verify(), { isSound: false, damaged: 7 })
  await expectMended(t, store, 3)
})

t.test('a check while others write finds nothing wrong and spoils nothing', async (t) => {
  const { store } = await setUp(t)
  const written: ItemId[] = []
  const progress = { isDone: false }
  const writing = (async () => {
    for (let n = 0; n < 60; n++) {
      const items = Array.from({ length: 20 }, (_, k) => itemOf(mailbox, `${n} ${k}`))
      await store.items.append(items, [{ table: 'peers', key: utf8(`${n}`), value: utf8('x') }])
      written.push(...items.map(({ id }) => id))
      await store.items.remove(mailbox, written.splice(0, 10))
      await store.items.putSlots([slotOf(mailbox, { name: `${n % 5}`, version: n, body: `${n}` })])
    }
    progress.isDone = true
  })()
  let checks = 0
  while (!progress.isDone) {
    t.equal((await store.verify()).isSound, true)
    checks++
  }
  await writing
  t.ok(checks > 1, `${checks} checks meanwhile`)
  t.equal((await store.verify()).isSound, true)
})

t.test('mending while others write', async (t) => {
  const { store, raw, bodies } = await openRawStore()
  t.teardown(async () => store.close())
  const items = Array.from({ length: 300 }, (_, n) => itemOf(mailbox, `item ${n}.`))
  await store.items.append(items, [{ table: 'peers', key: utf8('k'), value: utf8('v') }])
  const heads = await raw.family(index)
  for (let n = 0; n < 300; n += 3) {
    await bodies.flip(await bodies.find((items[n] as (typeof items)[0]).body))
    if (n % 2) await raw.flip(heads[n] as (typeof heads)[0])
  }
  const checking = store.verify()
  for (let n = 0; n < 300; n += 5) {
    const id = (items[n] as (typeof items)[0]).id
    // An item whose head cannot be read refuses to be touched until it is mended.
    await store.items.remove(mailbox, [id]).catch(() => {})
    if (n % 2) await store.items.append([items[n] as (typeof items)[0]]).catch(() => {})
  }
  t.equal((await checking).isSound, false)
  let report = await store.verify()
  for (let n = 0; n < 3 && !report.isSound; n++) report = await store.verify()
  t.equal(report.isSound, true)
  const { items: left } = await store.items.list(mailbox, { kind: 'mail', limit: 1000 })
  t.equal(store.items.digest(mailbox).count, left.length)
  for (const { id } of left) t.ok(await store.items.get(mailbox, id))
})

t.test('one check at a time; closing ends it', async (t) => {
  const store = await openTestStore({ dir: undefined })
  await store.items.append(Array.from({ length: 500 }, (_, n) => itemOf(mailbox, `${n}`)))
  const [first, second] = [store.verify(), store.verify()]
  t.equal(await first, await second)
  const cutOff = store.verify()
  cutOff.catch(() => {})
  await store.close()
  await t.rejects(cutOff, { code: 'ABZU_CLOSED' })
})
