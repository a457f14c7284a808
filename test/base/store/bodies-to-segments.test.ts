import t from 'tap'
import type { Database } from '../../../src/base/store/database.ts'
import { putFormat } from '../../../src/base/store/format.ts'
import { openMemory } from '../../../src/base/store/level-database.ts'
import { bodyChecksum, checksumBytes, newValue, seal } from '../../../src/base/store/row.ts'
import { memorySegments } from '../../../src/base/store/segment-memory.ts'
import type { StoreMedia } from '../../../src/base/store/store.ts'
import { toHex, utf8 } from '../../../src/base/util/bytes.ts'
import {
  itemOf,
  mailboxNamed,
  openTestStore,
  slotKeyNamed,
  slotOf,
} from '../../support/store-content.ts'
import { watchWrites } from '../../support/watched-media.ts'

const mailboxes = ['a', 'b'].map(mailboxNamed)
const items = Array.from({ length: 100 }, (_, n) =>
  itemOf(mailboxes[n % 2] as (typeof mailboxes)[0], `item ${n} `.repeat(n), {
    kind: n % 7 === 0 ? 'chunk' : 'mail',
    expiresAtHours: 500_000,
  }),
)
const slot = slotOf(mailboxes[0] as (typeof mailboxes)[0], { name: 's', version: 1, body: 'slot' })

/** What a store of today writes, as format 1 had it: rows without their newest fields, bodies beside them. */
async function oldDatabase(): Promise<Database> {
  const media: StoreMedia = { database: await openMemory(), segments: memorySegments() }
  const store = await openTestStore({ dir: undefined, decorate: () => media })
  await store.items.append(items)
  await store.items.putSlots([slot])
  await store.commit([{ table: 'peers', key: utf8('k'), value: utf8('v') }])
  const { database } = media
  const batch = database.batch()
  const everything = { gte: new Uint8Array([0]), lt: new Uint8Array([0xff]) }
  for (const [key, value] of await database.page(everything, { limit: 10_000 })) {
    const isHead = (key[0] === 0x10 || key[0] === 0x20) && value[4] !== 3
    const isState = toHex(key).endsWith(toHex(utf8('state')))
    if (key[0] === 0x30) batch.delete(key)
    if (!isHead && !isState) continue
    const older = newValue(value.length - checksumBytes - 8)
    older.set(value.subarray(checksumBytes, -8), checksumBytes)
    const item = items.find(({ id }) => toHex(older).includes(toHex(id)))
    if (item) {
      const arrival = older.subarray(38, 46)
      const kind = Buffer.of(older[4] as number)
      const bodyKey = Buffer.concat([Buffer.of(0xf0), arrival, item.mailbox, kind])
      older.writeUInt32BE(bodyChecksum(bodyKey, item.body), 60)
      batch.put(bodyKey, item.body)
    }
    batch.put(key, seal(key, older))
  }
  putFormat(batch, 1)
  await database.write(batch)
  return database
}

t.test('I13: a store of format 1 opens, cut off at any write and opened again', async (t) => {
  for (let cut = 0; cut < 6; cut++) {
    const media: StoreMedia = { database: await oldDatabase(), segments: memorySegments() }
    let left = cut
    const cutOff = (given: StoreMedia) =>
      watchWrites(given, () => {
        if (left-- <= 0) throw new Error('cut off')
      })
    await t.rejects(openTestStore({ dir: undefined, decorate: () => cutOff(media) }))
    const store = await openTestStore({ dir: undefined, decorate: () => media })
    for (const { mailbox, id, body } of items) {
      const item = await store.items.get(mailbox, id)
      if (toHex(item?.body ?? utf8('?')) !== toHex(body)) t.fail(`an item, cut at write ${cut}`)
    }
    t.ok(await store.items.slot(mailboxes[0] as (typeof mailboxes)[0], slotKeyNamed('s')))
    t.match(await store.verify(), { isSound: true, items: 101, rows: 1 })
    t.equal(await store.items.expire(500_000, 1000), 100)
    await store.close()
  }
})

t.test('a damaged body of format 1 is lost and said to be', async (t) => {
  const database = await oldDatabase()
  const [row] = await database.page(
    { gte: Uint8Array.of(0xf0), lt: Uint8Array.of(0xff) },
    { limit: 1 },
  )
  const batch = database.batch()
  batch.put(row?.[0] ?? utf8(''), utf8('something else'))
  await database.write(batch)
  const media = { database, segments: memorySegments() }
  const store = await openTestStore({ dir: undefined, decorate: () => media })
  const { isSound, items: left } = await store.verify()
  t.equal(isSound, false)
  t.equal(left, 100)
  await store.close()
})
