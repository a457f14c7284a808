import { cpSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openMemory } from '../../../src/base/store/level-database.ts'
import { memorySegments } from '../../../src/base/store/segment-memory.ts'
import { wrapSegments } from '../../../src/base/store/segments.ts'
import type { Store, StoreMedia } from '../../../src/base/store/store.ts'
import { toHex, utf8 } from '../../../src/base/util/bytes.ts'
import { openRawStore } from '../../support/raw-store.ts'
import { itemOf, mailboxNamed, openTestStore, slotOf } from '../../support/store-content.ts'
import { crashImage } from '../../support/crash-image.ts'
import { tempHome } from '../../support/temp-home.ts'

const mailbox = mailboxNamed('m')
const mail = (n: number) => itemOf(mailbox, `mail ${n} `.repeat(20), { expiresAtHours: 500_000 })
const first = 'segment-00000001'

async function fill(store: Store, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n++) await store.items.append([mail(n)])
}

/** The numbers of the mails that are there, as the list has them; each has its body. */
async function present(t: Test, store: Store, count: number): Promise<number[]> {
  const { items } = await store.items.list(mailbox, { kind: 'mail', limit: 1000 })
  const found = Array.from({ length: count }, (_, n) => n).filter((n) =>
    store.items.has(mailbox, mail(n).id),
  )
  t.strictSame(
    items.map(({ id }) => toHex(id)).toSorted(),
    found.map((n) => toHex(mail(n).id)).toSorted(),
    'found by id and in the list alike',
  )
  for (const n of found) t.ok((await store.items.get(mailbox, mail(n).id))?.body.length)
  t.equal(store.items.digest(mailbox).count, found.length, 'and counted')
  t.equal(store.items.usage(mailbox)[1]?.items, found.length)
  return found
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)

t.test('items reach the database many commits at once', async (t) => {
  let databaseWrites = 0
  const decorate = ({ database, segments }: StoreMedia): StoreMedia => ({
    segments,
    database: {
      ...database,
      async write(batch) {
        databaseWrites++
        await database.write(batch)
      },
    },
  })
  const store = await openTestStore({ dir: undefined, decorate, limits: { journaledItemsMax: 16 } })
  t.teardown(async () => store.close())
  databaseWrites = 0
  await fill(store, 0, 15)
  t.equal(databaseWrites, 0)
  t.strictSame(await present(t, store, 40), upTo(15))
  await fill(store, 15, 32)
  t.equal(databaseWrites, 2)
  t.strictSame(await present(t, store, 40), upTo(32))
})

t.test('what comes and goes before that never reaches it', async (t) => {
  const { store, raw } = await openRawStore()
  t.teardown(async () => store.close())
  await fill(store, 0, 5)
  for (let n = 0; n < 4; n++) await store.items.remove(mailbox, [mail(n).id])
  t.equal((await raw.family(0x10)).length, 1)
  t.equal((await raw.family(0x20)).length, 1)
  t.match(await store.verify(), { isSound: true, items: 1 })
})

t.test('a page goes from what the database has to what it has not', async (t) => {
  const store = await openTestStore({ dir: undefined, limits: { journaledItemsMax: 8 } })
  t.teardown(async () => store.close())
  await fill(store, 0, 14)
  for (const limit of [1, 3, 8, 9, 13, 14, 15]) {
    const seen: string[] = []
    for (let after: number | undefined; ;) {
      const page = { kind: 'mail' as const, limit, ...(after !== undefined && { after }) }
      const { items, next } = await store.items.list(mailbox, page)
      seen.push(...items.map(({ id }) => toHex(id)))
      after = next
      if (next === undefined) break
    }
    t.strictSame(
      seen,
      upTo(14).map((n) => toHex(mail(n).id)),
    )
  }
})

t.test('I1: after a crash the journal says what the database does not know yet', async (t) => {
  const home = tempHome(t).ABZU_HOME
  const dir = join(home, 'store')
  const store = await openTestStore({ dir })
  await store.items.putSlots([slotOf(mailbox, { name: 's', version: 1, body: 'slot' })])
  await fill(store, 0, 6)
  await store.items.remove(mailbox, [mail(2).id, mail(3).id])
  await fill(store, 6, 9)
  const image = crashImage(dir, join(home, 'image'))
  await store.close()
  const again = await openTestStore({ dir: image })
  t.match(again.report, { wasClosed: false, lostCommits: 0 })
  t.equal(toHex(again.epoch), toHex(store.epoch), 'the same epoch')
  const { items } = await again.items.list(mailbox, { kind: 'mail', limit: 100 })
  t.strictSame(
    items.map(({ id }) => toHex(id)),
    [0, 1, 4, 5, 6, 7, 8].map((n) => toHex(mail(n).id)),
  )
  t.match(await again.verify(), { isSound: true, items: 8 })
  await fill(again, 9, 11)
  t.equal(await again.items.expire(500_000, 100), 9, 'expiry knows of them')
  await again.close()
})

t.test(
  'I1: nothing is hidden while the database takes over, nor lost by a crash then',
  async (t) => {
    const home = tempHome(t).ABZU_HOME
    const dir = join(home, 'store')
    let gate: PromiseWithResolvers<void> | undefined
    const decorate = ({ database, segments }: StoreMedia): StoreMedia => ({
      segments,
      database: {
        ...database,
        async write(batch) {
          await gate?.promise
          await database.write(batch)
        },
      },
    })
    const limits = { journaledItemsMax: 8 }
    const store = await openTestStore({ dir, decorate, limits })
    gate = Promise.withResolvers()
    await fill(store, 0, 20)
    t.strictSame(await present(t, store, 30), upTo(20), 'twice what makes it due')
    let isRemoved = false
    const removal = store.items.remove(mailbox, [mail(1).id, mail(15).id])
    void removal.then(() => (isRemoved = true))
    const late = store.items.append([mail(20)])
    t.equal(store.items.has(mailbox, mail(1).id), false)
    const image = crashImage(dir, join(home, 'image'))
    t.equal(isRemoved, false, 'rows wait for their turn')
    const crashed = await openTestStore({ dir: image, limits })
    t.equal(crashed.report.lostCommits, 0)
    t.strictSame(await present(t, crashed, 30), upTo(20))
    t.match(await crashed.verify(), { isSound: true, items: 20 })
    await crashed.close()
    gate.resolve()
    await Promise.all([removal, late])
    const kept = upTo(21).filter((n) => n !== 1 && n !== 15)
    t.strictSame(await present(t, store, 30), kept)
    t.match(await store.verify(), { isSound: true, items: 19 })
    await store.close()
  },
)

t.test('a crash in the middle of a record: that record never was', async (t) => {
  const home = tempHome(t).ABZU_HOME
  const dir = join(home, 'store')
  const store = await openTestStore({ dir })
  await fill(store, 0, 3)
  const image = crashImage(dir, join(home, 'image'))
  const whole = readFileSync(join(image, first)).length
  await fill(store, 3, 4)
  cpSync(join(dir, first), join(image, first))
  await store.close()
  const length = readFileSync(join(image, first)).length
  for (const end of [whole + 1, whole + 27, whole + 100, length - 1]) {
    const torn = crashImage(image, join(home, `torn ${end}`))
    truncateSync(join(torn, first), end)
    const again = await openTestStore({ dir: torn })
    t.equal(again.report.lostCommits, 0, `cut off at ${end}`)
    t.strictSame(await present(t, again, 5), upTo(3))
    await fill(again, 3, 5)
    t.strictSame(await present(t, again, 6), upTo(5))
    const next = crashImage(torn, join(home, `next ${end}`))
    await again.close()
    const last = await openTestStore({ dir: next })
    t.equal(last.report.lostCommits, 0)
    t.strictSame(await present(t, last, 6), upTo(5), 'nor does it disturb what follows')
    await last.close()
  }
})

t.test('I12: damage in the journal is reported, and what follows it is found', async (t) => {
  const home = tempHome(t).ABZU_HOME
  const dir = join(home, 'store')
  const store = await openTestStore({ dir })
  await fill(store, 0, 6)
  const image = crashImage(dir, join(home, 'image'))
  await store.close()
  const bytes = readFileSync(join(image, first))
  const bodyAt = (n: number) => bytes.indexOf(mail(n).body)
  for (const [what, at, lost] of [
    ['a body', bodyAt(2) + 5, [2]],
    ['a record', bodyAt(2) - 30, [2]],
    ['the last record', bodyAt(5) - 30, [5]],
    ['the head of the segment', 10, upTo(6)],
  ] as const) {
    const damaged = crashImage(image, join(home, what))
    const flipped = Buffer.from(bytes)
    flipped[at] = (flipped[at] as number) ^ 4
    writeFileSync(join(damaged, first), flipped)
    const again = await openTestStore({ dir: damaged })
    t.not(toHex(again.epoch), toHex(store.epoch), `${what}: a new epoch`)
    const left = upTo(6).filter((n) => !(lost as readonly number[]).includes(n))
    t.strictSame(await present(t, again, 7), left)
    t.match(await again.verify(), { isSound: true })
    await fill(again, 0, 7)
    t.equal((await present(t, again, 7)).length, 7, 'it may come again')
    await again.close()
    const last = await openTestStore({ dir: damaged })
    t.equal((await present(t, last, 7)).length, 7)
    t.match(last.report, { wasClosed: true, lostCommits: 0 })
    await last.close()
  }
})

t.test('items whose rows never reached the database never were', async (t) => {
  const home = tempHome(t).ABZU_HOME
  const dir = join(home, 'store')
  let isBroken = false
  const decorate = ({ database, segments }: StoreMedia): StoreMedia => ({
    segments,
    database: {
      ...database,
      async write(batch) {
        if (isBroken) throw new Error('EIO')
        await database.write(batch)
      },
    },
  })
  const store = await openTestStore({ dir, decorate })
  await fill(store, 0, 2)
  isBroken = true
  const row = { table: 'peers' as const, key: utf8('k'), value: utf8('v') }
  await t.rejects(store.items.append([mail(2)], [row]), { code: 'ABZU_STORE_FAILED' })
  await store.close()
  t.ok(
    readFileSync(join(dir, first)).includes(Buffer.from(mail(2).body)),
    'its body is in the journal',
  )
  const again = await openTestStore({ dir })
  t.strictSame(await present(t, again, 4), [0, 1])
  t.equal(again.table('peers').get(utf8('k')), undefined)
  await fill(again, 3, 4)
  const image = crashImage(dir, join(home, 'image'))
  await again.close()
  const last = await openTestStore({ dir: image })
  t.strictSame(await present(t, last, 4), [0, 1, 3])
  await last.close()
})

t.test('a segment that is full is followed by the next', async (t) => {
  const dir = join(tempHome(t).ABZU_HOME, 'store')
  const limits = { segmentBytesMax: 1000 }
  const store = await openTestStore({ dir, limits })
  await fill(store, 0, 12)
  await store.items.append([itemOf(mailbox, new Uint8Array(5000))])
  await fill(store, 12, 14)
  t.ok(readdirSync(dir).filter((name) => name.startsWith('segment-')).length >= 6)
  await store.close()
  const again = await openTestStore({ dir, limits })
  for (let n = 0; n < 14; n++) t.ok(await again.items.get(mailbox, mail(n).id))
  t.match(await again.verify(), { isSound: true, items: 15 })
  await again.close()
})

/** Segments with a page cache: what was not synced goes with the power. */
function cachedSegments() {
  const disk = memorySegments()
  const cache = memorySegments()
  let isCutOff = false
  const segments = wrapSegments(cache, {
    async create(segment) {
      await Promise.all([cache.create(segment), disk.create(segment)])
    },
    async append(at, parts) {
      await cache.append(at, parts)
      if (isCutOff) throw new Error('killed before the fsync')
      await disk.append(at, parts)
    },
  })
  return { segments, disk, cutOff: (is: boolean) => (isCutOff = is) }
}

t.test('I1: what is taken up from the page cache is synced before it counts', async (t) => {
  const { segments, disk, cutOff } = cachedSegments()
  const database = await openMemory()
  const cached: StoreMedia = { database, segments }
  const store = await openTestStore({ dir: undefined, decorate: () => cached })
  await store.items.append([mail(0)])
  cutOff(true)
  await t.rejects(store.items.append([mail(1)]), { code: 'ABZU_STORE_FAILED' })
  await store.close()
  cutOff(false)
  const again = await openTestStore({ dir: undefined, decorate: () => cached })
  await again.items.append([mail(1)])
  t.ok(again.items.has(mailbox, mail(1).id), 'acknowledged, be it again')
  const afterPowerCut = { database, segments: disk }
  const last = await openTestStore({ dir: undefined, decorate: () => afterPowerCut })
  t.strictSame(await present(t, last, 3), [0, 1])
  await last.close()
  await again.close()
})

t.test('a record of which the disk has the heads alone never was', async (t) => {
  const home = tempHome(t).ABZU_HOME
  const dir = join(home, 'store')
  const store = await openTestStore({ dir })
  await fill(store, 0, 2)
  const image = crashImage(dir, join(home, 'image'))
  await store.items.append([mail(2), mail(3)])
  cpSync(join(dir, first), join(image, first))
  await store.close()
  const bytes = readFileSync(join(image, first))
  bytes.fill(0, bytes.indexOf(mail(3).body) + 4)
  writeFileSync(join(image, first), bytes)
  const again = await openTestStore({ dir: image })
  t.equal(toHex(again.epoch), toHex(store.epoch), 'nothing is lost')
  t.strictSame(await present(t, again, 4), [0, 1], 'all of a commit or nothing')
  await again.close()
})

t.test('counts that are damaged do not keep a store shut after a crash', async (t) => {
  for (const family of [0x30, 0x60, 0x70]) {
    const home = tempHome(t).ABZU_HOME
    const dir = join(home, 'store')
    const { store, raw } = await openRawStore({ dir })
    await fill(store, 0, 300)
    await store.verify()
    for (const row of await raw.family(family)) await raw.flip(row)
    await fill(store, 300, 303).catch(() => {})
    const image = crashImage(dir, join(home, 'image'))
    await store.close()
    const again = await openTestStore({ dir: image })
    await again.verify()
    t.match(await again.verify(), { isSound: true }, `family ${family}`)
    for (let n = 0; n < 300; n++) if (!again.items.has(mailbox, mail(n).id)) t.fail(`mail ${n}`)
    await again.close()
  }
})
