import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { openMemory } from '../../../src/base/store/level-database.ts'
import { memorySegments } from '../../../src/base/store/segment-memory.ts'
import { wrapSegments } from '../../../src/base/store/segments.ts'
import type { StoreMedia } from '../../../src/base/store/store.ts'
import { toHex } from '../../../src/base/util/bytes.ts'
import { AbzuError } from '../../../src/base/util/errors.ts'
import { mailboxNamed, openTestStore } from '../../support/store-content.ts'
import {
  goneNumbers,
  keptNumbers,
  openSwept,
  sweptMail as mail,
} from '../../support/swept-store.ts'
import { tempHome } from '../../support/temp-home.ts'
import { watchWrites } from '../../support/watched-media.ts'

const mailbox = mailboxNamed('m')
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)

/** A gate that holds up whoever comes by while it is shut. */
function gate() {
  let opening: PromiseWithResolvers<void> | undefined
  let held = 0
  return {
    shut: () => void (opening = Promise.withResolvers()),
    open: () => {
      opening?.resolve()
      opening = undefined
    },
    get held() {
      return held
    },
    async pass() {
      if (!opening) return
      held++
      await opening.promise
    },
  }
}

t.test('segments of which nothing is needed go, and no others', async (t) => {
  const { store, bodies, settle, fill, remove, sweep } = await openSwept(t)
  await fill(0, 40)
  const before = await bodies.numbers()
  await remove(upTo(20))
  await sweep()
  const after = await bodies.numbers()
  t.ok(after.length < before.length - 3, `${before.length} before, ${after.length} after`)
  t.strictSame(after, before.slice(-after.length), 'the oldest have gone')
  for (let n = 20; n < 40; n++) t.ok(await store.items.get(mailbox, mail(n).id))
  t.match(await settle(store.verify()), { isSound: true, items: 20 })
})

t.test('what is left of segments that are mostly empty moves together', async (t) => {
  const { store, bodies, settle, fill, remove, sweep } = await openSwept(t)
  await fill(0, 60)
  const before = await bodies.numbers()
  await remove(goneNumbers)
  await sweep()
  const after = await bodies.numbers()
  t.ok(after.length < 0.9 * before.length, `${before.length} before, ${after.length} after`)
  const kept = keptNumbers
  const { items } = await store.items.list(mailbox, { kind: 'mail', limit: 100 })
  t.strictSame(
    items.map(({ id }) => toHex(id)),
    kept.map((n) => toHex(mail(n).id)),
    'in the same order',
  )
  for (const n of kept) t.ok(await store.items.get(mailbox, mail(n).id))
  t.match(await settle(store.verify()), { isSound: true, items: kept.length })
})

t.test('a crash at any write of a sweep loses nothing', async (t) => {
  const kept = keptNumbers
  let cuts = 0
  for (let cut = 0; cut < 12; cut++) {
    const media: StoreMedia = { database: await openMemory(), segments: memorySegments() }
    let left = Infinity
    const swept = await openSwept(t, () =>
      watchWrites(media, () => {
        if (left-- <= 0) throw new Error('cut off')
      }),
    )
    await swept.fill(0, 60)
    await swept.remove(goneNumbers)
    left = cut
    await swept.sweep()
    if (left < 0) cuts++
    await swept.store.close()
    const again = await openTestStore({ dir: undefined, decorate: () => media })
    for (const n of kept) {
      if (!(await again.items.get(mailbox, mail(n).id))) t.fail(`mail ${n}, cut at write ${cut}`)
    }
    t.match(await again.verify(), { isSound: true, items: kept.length })
    await again.close()
  }
  t.ok(cuts >= 6, `${cuts} sweeps were cut off`)
})

t.test('a segment with a damaged body that is needed stays', async (t) => {
  const { store, bodies, fill, remove, sweep } = await openSwept(t)
  await fill(0, 40)
  const at = await bodies.find(mail(1).body)
  await bodies.flip(at)
  await remove(upTo(40).filter((n) => n !== 1 && n !== 6))
  await sweep()
  t.ok((await bodies.numbers()).includes(at.segment))
  await t.rejects(store.items.get(mailbox, mail(1).id), { code: 'ABZU_STORE_DAMAGED' })
  t.ok(await store.items.get(mailbox, mail(6).id), 'what lay beside it is there')
})

t.test('I1: a check takes nothing for lost that is swept away under it', async (t) => {
  for (const isRemoved of [false, true]) {
    const reads = gate()
    const { store, bodies, time, settle, fill, remove, sweep } = await openSwept(t, (media) => ({
      ...media,
      segments: wrapSegments(media.segments, {
        async read(at, bytes) {
          if (at.offset > 0) await reads.pass()
          return media.segments.read(at, bytes)
        },
      }),
    }))
    await fill(0, 60)
    if (!isRemoved) await remove(goneNumbers)
    const epoch = toHex(store.epoch)
    const before = await bodies.numbers()
    reads.shut()
    const checking = store.verify()
    await time.settle()
    if (isRemoved) await remove(upTo(30))
    await sweep()
    t.ok(reads.held > 0, 'the check is in the middle')
    t.ok((await bodies.numbers()).length < before.length, 'segments went meanwhile')
    reads.open()
    t.match(await settle(checking), { isSound: true, lost: 0 })
    t.equal(toHex(store.epoch), epoch)
    const kept = isRemoved ? upTo(60).slice(30) : keptNumbers
    for (const n of kept) t.ok(await store.items.get(mailbox, mail(n).id), `mail ${n}`)
    t.match(await settle(store.verify()), { isSound: true, items: kept.length })
  }
})

t.test('a head is mended to where its body is, not to where it was', async (t) => {
  const counts = gate()
  const { store, raw, time, settle, fill, remove, sweep } = await openSwept(t, (media) => ({
    ...media,
    database: {
      ...media.database,
      async page(range, options) {
        const rows = await media.database.page(range, options)
        // The check reads the counts of a mailbox behind its bodies.
        if (options.snapshot && range.gte[0] === 0x60 && range.gte.length > 10) await counts.pass()
        return rows
      },
    },
  }))
  await fill(0, 60)
  await remove(goneNumbers)
  for (const row of await raw.family(0x20)) await raw.flip(row)
  counts.shut()
  const checking = store.verify()
  await time.settle(60)
  await sweep()
  t.ok(counts.held > 0)
  counts.open()
  t.match(await settle(checking), { isSound: false })
  for (const n of keptNumbers) t.ok(await store.items.get(mailbox, mail(n).id), `mail ${n}`)
  t.match(await settle(store.verify()), { isSound: true, items: keptNumbers.length })
})

t.test('what goes while it moves is counted once', async (t) => {
  for (let step = 0; step < 24; step++) {
    const writes = gate()
    const { store, time, settle, fill, remove } = await openSwept(t, (media) =>
      watchWrites(media, () => writes.pass()),
    )
    await fill(0, 60)
    await remove(goneNumbers)
    let dropping: Promise<void> | undefined
    writes.shut()
    for (let turn = 0; turn < 3; turn++) await time.advance(1000)
    for (let turn = 0; turn < 40; turn++) {
      if (turn === step) dropping = store.items.drop(mailbox)
      await time.settle(5)
      writes.open()
      writes.shut()
      await time.settle(5)
    }
    writes.open()
    await settle(dropping ?? Promise.resolve())
    for (let turn = 0; turn < 5; turn++) await time.advance(1000)
    t.match(await settle(store.verify()), { isSound: true, items: 0 }, `dropped at step ${step}`)
  }
})

t.test('a check that cannot open a file ends, and mends nothing', async (t) => {
  let isShort = false
  const { store, settle, fill } = await openSwept(t, (media) => ({
    ...media,
    segments: wrapSegments(media.segments, {
      async read(at, bytes) {
        if (isShort) throw new AbzuError('ABZU_IO', 'too many open files')
        return media.segments.read(at, bytes)
      },
    }),
  }))
  await fill(0, 10)
  isShort = true
  await t.rejects(settle(store.verify()), { code: 'ABZU_IO' })
  isShort = false
  t.match(await settle(store.verify()), { isSound: true, items: 10 })
})

t.test('where space is scarce, segments that give back more than they take go too', async (t) => {
  const dir = join(tempHome(t).ABZU_HOME, 'store')
  const limits = { segmentBytesMax: 1000, journaledItemsMax: 4 }
  const before = await openTestStore({ dir, limits })
  for (let n = 0; n < 60; n++) await before.items.append([mail(n)])
  await before.close()
  const segments = () => readdirSync(dir).filter((name) => name.startsWith('segment-')).length
  const full = segments()
  const store = await openTestStore({ dir, limits: { ...limits, reserveBytes: 1e15 } })
  t.equal(store.report.isDiskFull, true)
  await store.items.remove(
    mailbox,
    goneNumbers.map((n) => mail(n).id),
  )
  for (let turn = 0; turn < 1000 && segments() > full / 2; turn++) await pause(10)
  t.ok(segments() <= full / 2, `${full} before, ${segments()} after`)
  for (const n of keptNumbers) t.ok(await store.items.get(mailbox, mail(n).id), `mail ${n}`)
  t.match(await store.verify(), { isSound: true, items: keptNumbers.length })
  await store.close()
})
