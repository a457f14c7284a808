import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Store, StoreMedia } from '../../../src/base/store/store.ts'
import { fromUtf8, toHex, utf8 } from '../../../src/base/util/bytes.ts'
import type { Log, LogFields } from '../../../src/base/util/log.ts'
import { openRawStore } from '../../support/raw-store.ts'
import { itemOf, mailboxNamed, openTestStore } from '../../support/store-content.ts'
import { crashImage } from '../../support/crash-image.ts'
import { tempHome } from '../../support/temp-home.ts'
import { watchWrites } from '../../support/watched-media.ts'

const mailbox = mailboxNamed('m')
const mail = (n: number) => itemOf(mailbox, `mail ${n} `.repeat(400))

class Events implements Log {
  readonly seen: { readonly event: string; readonly fields: LogFields }[] = []
  readonly debug = (event: string, fields: LogFields = {}) => void this.seen.push({ event, fields })
  readonly info = this.debug
  readonly warn = this.debug
  readonly error = this.debug

  async until(event: string): Promise<LogFields> {
    const find = () => this.seen.find((entry) => entry.event === event)
    await until(() => find() !== undefined)
    return find()?.fields ?? {}
  }
}

/** Waits for something, 10 s at most. */
async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000 && !isSo(); turn++) await pause(10)
  if (!isSo()) throw new Error('it never came')
}

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)

/** Fills a store, one commit a mail. */
async function fill(store: Store, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n++) await store.items.append([mail(n)])
}

/** Rows enough that LevelDB writes tables, with a write buffer of 64 KiB. */
async function fillTables(store: Store): Promise<void> {
  const table = store.table('peers')
  for (let n = 0; n < 40; n++) await table.put(utf8(`${n}`), new Uint8Array(4000).fill(n))
}

async function expectAll(t: Test, store: Store, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const item = await store.items.get(mailbox, mail(n).id)
    if (toHex(item?.body ?? utf8('')) !== toHex(mail(n).body)) t.fail(`mail ${n}`)
  }
}

t.test('a directory and files that others cannot read, new tables too', async (t) => {
  const umask = process.umask(0o022)
  t.teardown(() => process.umask(umask))
  const dir = join(tempHome(t).ABZU_HOME, 'deep', 'store')
  const store = await openTestStore({
    dir,
    limits: { writeBufferBytes: 64 * 1024, ballastBytes: 100_000 },
  })
  await fill(store, 0, 3)
  await fillTables(store)
  await until(() => statSync(join(dir, 'ballast')).size === 100_000)
  await store.close()
  const names = readdirSync(dir)
  t.ok(
    names.some((name) => name.endsWith('.ldb')),
    'LevelDB has written tables',
  )
  t.ok(names.includes('ballast'))
  t.ok(names.includes('segment-00000001'))
  t.equal(statSync(join(dir, 'ballast')).size, 100_000)
  t.ok(statSync(join(dir, 'ballast')).blocks * 512 >= 100_000, 'of real bytes')
  t.equal(modeOf(dir), '700')
  t.strictSame(
    names.filter((name) => modeOf(join(dir, name)) !== '600'),
    [],
  )
})

t.test('wide modes are refused', async (t) => {
  const dir = join(tempHome(t).ABZU_HOME, 'store')
  await (await openTestStore({ dir })).close()
  chmodSync(dir, 0o750)
  await t.rejects(openTestStore({ dir }), { code: 'ABZU_INSECURE_MODE' })
  chmodSync(dir, 0o700)
  chmodSync(join(dir, 'CURRENT'), 0o604)
  await t.rejects(openTestStore({ dir }), { code: 'ABZU_INSECURE_MODE' })
  chmodSync(join(dir, 'CURRENT'), 0o600)
  await (await openTestStore({ dir })).close()
})

t.test('a store has one owner, in this process or another', async (t) => {
  const dir = join(tempHome(t).ABZU_HOME, 'store')
  const store = await openTestStore({ dir })
  await fill(store, 0, 3)
  await t.rejects(openTestStore({ dir }), { code: 'ABZU_HOME_IN_USE' })
  const content = join(import.meta.dirname, '../../support/store-content.ts')
  const script = `import { openTestStore } from ${JSON.stringify(content)}
    openTestStore({ dir: ${JSON.stringify(dir)} }).catch((error) => console.log(error.code))`
  const other = spawnSync(process.execPath, ['--input-type=module', '-e', script])
  t.equal(String(other.stdout).trim(), 'ABZU_HOME_IN_USE')
  await fill(store, 3, 6)
  const both = await Promise.allSettled([openTestStore({ dir }), openTestStore({ dir })])
  t.ok(both.every(({ status }) => status === 'rejected'))
  await store.close()
  const again = await openTestStore({ dir })
  t.match(again.report, { wasClosed: true, lostCommits: 0 }, 'they have disturbed nothing')
  await expectAll(t, again, 6)
  await again.close()
})

t.test('of two that open a closed store at once, one gets it', async (t) => {
  const dir = join(tempHome(t).ABZU_HOME, 'store')
  await (await openTestStore({ dir })).close()
  const results = await Promise.allSettled(
    Array.from({ length: 4 }, async () => openTestStore({ dir })),
  )
  const open = results.filter((result) => result.status === 'fulfilled')
  t.equal(open.length, 1)
  for (const result of results) {
    if (result.status === 'rejected') t.match(result.reason, { code: 'ABZU_HOME_IN_USE' })
  }
  await open[0]?.value.close()
})

t.test('closed and opened again: everything is there, the epoch too', async (t) => {
  const dir = join(tempHome(t).ABZU_HOME, 'store')
  const store = await openTestStore({ dir })
  t.match(store.report, { isNew: true, wasClosed: true, lostCommits: 0, isDiskFull: false })
  await fill(store, 0, 10)
  await store.close()
  const log = new Events()
  const again = await openTestStore({ dir, log })
  t.match(again.report, { isNew: false, wasClosed: true, lostCommits: 0 })
  t.equal(toHex(again.epoch), toHex(store.epoch))
  await expectAll(t, again, 10)
  const next = await again.items.list(mailbox, { kind: 'mail', limit: 100 })
  await again.items.append([mail(10)])
  const last = (await again.items.list(mailbox, { kind: 'mail', limit: 100 })).items.at(-1)
  t.ok(last && last.arrival > (next.items.at(-1)?.arrival ?? 0), 'arrivals go on')
  await again.close()
  t.strictSame(log.seen, [], 'nothing to report')
})

t.test('after a crash everything is there, and a check runs by itself', async (t) => {
  const home = tempHome(t).ABZU_HOME
  const store = await openTestStore({ dir: join(home, 'store') })
  await fill(store, 0, 10)
  const image = crashImage(join(home, 'store'), join(home, 'image'))
  await store.close()
  const log = new Events()
  const again = await openTestStore({ dir: image, log })
  t.match(again.report, { isNew: false, wasClosed: false, lostCommits: 0 })
  t.equal(toHex(again.epoch), toHex(store.epoch), 'nothing is lost: the same epoch')
  t.match(await log.until('store-checked'), { isSound: true, items: 10, lost: 0 })
  await expectAll(t, again, 10)
  await again.close()
})

t.test('commits that went missing at the end are reported', async (t) => {
  const home = tempHome(t).ABZU_HOME
  const dir = join(home, 'store')
  const store = await openTestStore({ dir })
  await fill(store, 0, 10)
  const image = crashImage(dir, join(home, 'image'))
  await fill(store, 10, 14)
  cpSync(join(dir, 'commits'), join(image, 'commits'))
  await store.close()
  const log = new Events()
  const behind = await openTestStore({ dir: image, log })
  t.match(behind.report, { lostCommits: 4, wasClosed: false })
  t.not(toHex(behind.epoch), toHex(store.epoch), 'a new epoch')
  await expectAll(t, behind, 10)
  await log.until('store-checked')
  await fill(behind, 10, 12)
  await behind.close()
  const again = await openTestStore({ dir: image })
  t.match(again.report, { lostCommits: 0, wasClosed: true }, 'reported once')
  t.equal(toHex(again.epoch), toHex(behind.epoch))
  await again.close()
})

t.test('a commit that LevelDB drops from the middle of its log is found', async (t) => {
  const home = tempHome(t).ABZU_HOME
  const store = await openTestStore({ dir: join(home, 'store') })
  const table = store.table('peers')
  for (let n = 0; n < 60; n++) {
    await store.items.append([mail(n)])
    await table.put(utf8(`${n}`), utf8('x'.repeat(1000)))
  }
  const image = crashImage(join(home, 'store'), join(home, 'image'))
  await store.close()
  const logFile = readdirSync(image).find((name) => /^\d+\.log$/.test(name)) ?? ''
  const bytes = readFileSync(join(image, logFile))
  bytes[40_000] = (bytes[40_000] as number) ^ 1
  writeFileSync(join(image, logFile), bytes)

  const log = new Events()
  const again = await openTestStore({ dir: image, log })
  t.equal(again.report.lostCommits, 0, 'the last commit is there: nothing to see at first sight')
  const report = await log.until('store-checked')
  t.equal(report['isSound'], false)
  t.ok(Number(report['lost']) > 10, `${report['lost']} rows and items`)
  t.not(toHex(again.epoch), toHex(store.epoch), 'a new epoch')
  const present = Array.from({ length: 60 }, (_, n) => n).filter((n) =>
    again.items.has(mailbox, mail(n).id),
  )
  t.ok(present.length > 20 && present.length < 60)
  t.equal(again.items.digest(mailbox).count, present.length, 'the digest says what is there')
  t.equal((await again.verify()).isSound, true)
  await fill(again, 0, 60)
  await expectAll(t, again, 60)
  await again.close()
})

t.test(
  'a commit file that is gone or unreadable is reported by a new epoch and a check',
  async (t) => {
    const dir = join(tempHome(t).ABZU_HOME, 'store')
    const store = await openTestStore({ dir })
    await fill(store, 0, 3)
    await store.close()
    let epoch = toHex(store.epoch)
    for (const damage of ['delete', 'zero'] as const) {
      const path = join(dir, 'commits')
      if (damage === 'delete') rmSync(path)
      else writeFileSync(path, new Uint8Array(1000))
      const log = new Events()
      const again = await openTestStore({ dir, log })
      t.equal(again.report.wasClosed, false, damage)
      t.not(toHex(again.epoch), epoch)
      epoch = toHex(again.epoch)
      t.match(await log.until('store-checked'), { isSound: true })
      await expectAll(t, again, 3)
      await again.close()
    }
  },
)

t.test('files that LevelDB cannot do without: refused, and left as they are', async (t) => {
  const home = tempHome(t).ABZU_HOME
  const dir = join(home, 'store')
  const store = await openTestStore({ dir, limits: { writeBufferBytes: 64 * 1024 } })
  await fillTables(store)
  await store.close()
  const damages: Record<string, (name: string) => void> = {
    delete: (path) => rmSync(path),
    truncate: (path) => writeFileSync(path, readFileSync(path).subarray(0, -1)),
  }
  const names = readdirSync(dir).filter((name) => /^(CURRENT|MANIFEST-.*|.*\.ldb)$/.test(name))
  t.ok(names.length > 3)
  for (const name of names) {
    for (const [how, damage] of Object.entries(damages)) {
      const image = join(home, `${how} ${name}`)
      cpSync(dir, image, { recursive: true })
      damage(join(image, name))
      await t.rejects(
        openTestStore({ dir: image }),
        { code: 'ABZU_STORE_DAMAGED' },
        `${how} ${name}`,
      )
      const left = readdirSync(image).filter((file) => file.endsWith('.ldb'))
      const before = readdirSync(dir).filter((file) => file.endsWith('.ldb') && file !== name)
      t.strictSame(
        before.filter((file) => !left.includes(file)),
        [],
        'no table is deleted',
      )
      rmSync(image, { recursive: true })
    }
  }
})

t.test('a newer store is refused and not touched', async (t) => {
  const dir = join(tempHome(t).ABZU_HOME, 'store')
  const { store, raw } = await openRawStore({ dir })
  await fill(store, 0, 2)
  const [, format] =
    (await raw.family(0x00)).find(([key]) => toHex(key).endsWith(toHex(utf8('format')))) ?? []
  t.equal(toHex(format?.subarray(4) ?? utf8('')), '00000002', 'version 2 on disk')
  await store.close()

  const future = await openRawStore({ dir })
  const { putFormat } = await import('../../../src/base/store/format.ts')
  const batchOf = async (version: number) => {
    let row: [Uint8Array, Uint8Array] | undefined
    putFormat({ put: (key, value) => (row = [key, value]) }, version)
    if (row) await future.raw.put(...row)
  }
  await batchOf(3)
  await future.store.close()
  await t.rejects(openTestStore({ dir }), { code: 'ABZU_STORE_NEWER' })
  await t.rejects(openTestStore({ dir }), { code: 'ABZU_STORE_NEWER' }, 'again')
})

t.test('with little space left no items are taken, and the rest goes on', async (t) => {
  const dir = join(tempHome(t).ABZU_HOME, 'store')
  const before = await openTestStore({ dir })
  await fill(before, 0, 3)
  await before.close()
  const store = await openTestStore({ dir, limits: { reserveBytes: 1e15 } })
  t.equal(store.report.isDiskFull, true)
  await t.rejects(store.items.append([mail(3)]), { code: 'ABZU_DISK_FULL' })
  await store.items.append([mail(2)])
  await store.table('peers').put(utf8('k'), utf8('v'))
  await t.rejects(store.table('peers').put(utf8('k'), new Uint8Array(20_000)), {
    code: 'ABZU_DISK_FULL',
  })
  await store.items.remove(mailbox, [mail(0).id])
  t.equal(store.items.has(mailbox, mail(0).id), false)
  await store.close()
  const again = await openTestStore({ dir })
  t.match(again.report, { isDiskFull: false, wasClosed: true })
  await again.items.append([mail(3)])
  await again.close()
})

t.test('a failed write ends the store until it is opened again', async (t) => {
  const dir = join(tempHome(t).ABZU_HOME, 'store')
  let isBroken = false
  let writes = 0
  const decorate = (media: StoreMedia) =>
    watchWrites(media, () => {
      writes++
      if (isBroken) throw new Error('EIO')
    })
  const store = await openTestStore({ dir, decorate })
  await fill(store, 0, 3)
  isBroken = true
  await t.rejects(store.items.append([mail(3)]), { code: 'ABZU_STORE_FAILED' })
  isBroken = false
  const before = writes
  await t.rejects(store.items.append([mail(4)]), { code: 'ABZU_STORE_FAILED' })
  await t.rejects(store.items.append([mail(3)]), { code: 'ABZU_STORE_FAILED' })
  await t.rejects(store.table('peers').put(utf8('k'), utf8('v')), { code: 'ABZU_STORE_FAILED' })
  await t.rejects(store.items.remove(mailbox, [mail(0).id]), { code: 'ABZU_STORE_FAILED' })
  t.equal(writes, before, 'no write is even tried')
  t.equal((await store.failure).code, 'ABZU_STORE_FAILED')
  t.equal(toHex((await store.items.get(mailbox, mail(0).id))?.id ?? utf8('')), toHex(mail(0).id))
  await store.close()
  const again = await openTestStore({ dir })
  t.equal(again.report.wasClosed, false)
  await fill(again, 3, 5)
  await expectAll(t, again, 5)
  await again.close()
  t.equal(fromUtf8(utf8('x')), 'x')
})
