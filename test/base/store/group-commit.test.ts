import t from 'tap'
import type { WriteBatch } from '../../../src/base/store/database.ts'
import { GroupCommit, type CommitUnit } from '../../../src/base/store/group-commit.ts'
import type { LaidRecord } from '../../../src/base/store/journal.ts'
import type { StoreMedia } from '../../../src/base/store/store.ts'
import { AbzuError } from '../../../src/base/util/errors.ts'
import { systemScheduler } from '../../../src/base/util/system-time.ts'
import { ManualTime } from '../../support/manual-time.ts'
import { itemOf, mailboxNamed, openTestStore } from '../../support/store-content.ts'
import { watchWrites } from '../../support/watched-media.ts'

class CountedBatch implements WriteBatch {
  bytes = 0
  length = 0
  put(key: Uint8Array, value: Uint8Array): void {
    this.bytes += key.length + value.length
    this.length++
  }
  delete(): void {
    this.length++
  }
}

/** A disk whose every write waits until the test ends it. */
class SlowDisk {
  /** Of a record `rows` is the number of its parts. */
  readonly writes: { readonly rows: number; end: (error?: Error) => void }[] = []
  readonly journal = { write: async ({ parts }: LaidRecord) => this.#write(parts.length) }

  batch(): WriteBatch {
    return new CountedBatch()
  }

  async write(batch: WriteBatch): Promise<void> {
    await this.#write(batch.length)
  }

  async #write(rows: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const end = (error?: Error) => (error ? reject(error) : resolve())
    this.writes.push({ rows, end })
    await promise
  }
}

const row = (unit: CommitUnit) => unit.put(new Uint8Array(1), new Uint8Array(99))
const item = itemOf(mailboxNamed('m'), 'item')
const entry = (unit: CommitUnit) =>
  unit.keep({ ...item, head: { ...item, arrival: 1, sizeBytes: 4, bodyChecksum: 0 } })
const place = { segment: 1, offset: 0 }

function setUp({ bytesMax = 10_000, durable = () => {}, isIndexDue = (): boolean => false } = {}) {
  const time = new ManualTime()
  const disk = new SlowDisk()
  const seals: number[] = []
  const indexed = { times: 0 }
  const commit = new GroupCommit(
    {
      database: disk,
      journal: disk.journal,
      scheduler: time,
      seal({ entries, batch }) {
        seals.push(batch?.length ?? 0)
        const parts = entries.map(({ body }) => body)
        return parts.length > 0 ? { at: place, isFirst: false, parts } : undefined
      },
      isIndexDue,
      durable,
      indexed: () => void indexed.times++,
    },
    { bytesMax },
  )
  /** Queues a unit and returns what became of it. */
  const unit = (add = row) => {
    const outcome = { state: 'waiting' }
    commit.queue(add).then(
      () => (outcome.state = 'durable'),
      (error: AbzuError) => (outcome.state = error.code),
    )
    return outcome
  }
  return { time, disk, seals, indexed, commit, unit }
}

t.test('what comes in one turn of the loop joins one write', async (t) => {
  const { time, disk, seals, unit } = setUp()
  const units = Array.from({ length: 50 }, () => unit())
  await time.settle()
  t.strictSame(
    disk.writes.map(({ rows }) => rows),
    [50],
  )
  t.strictSame(seals, [50], 'sealed once')
  t.ok(
    units.every(({ state }) => state === 'waiting'),
    'nobody is told before the write has ended',
  )
  disk.writes[0]?.end()
  await time.settle()
  t.ok(units.every(({ state }) => state === 'durable'))
})

t.test('what queues while a write runs is the next write, and one runs at a time', async (t) => {
  const { time, disk, unit } = setUp()
  const first = unit()
  await time.settle()
  const second = [unit()]
  await time.settle()
  second.push(unit(), unit())
  await time.settle()
  t.equal(disk.writes.length, 1)
  disk.writes[0]?.end()
  await time.settle()
  t.equal(first.state, 'durable')
  t.strictSame(
    disk.writes.map(({ rows }) => rows),
    [1, 3],
  )
  t.ok(second.every(({ state }) => state === 'waiting'))
  disk.writes[1]?.end()
  await time.settle()
  t.ok(second.every(({ state }) => state === 'durable'))
  t.equal(time.pending, 0, 'no timer')
})

t.test('items alone are written to the journal alone', async (t) => {
  const { time, disk, seals, unit } = setUp()
  const units = [unit(entry), unit(entry)]
  await time.settle()
  t.strictSame(
    disk.writes.map(({ rows }) => rows),
    [2],
    'one record',
  )
  disk.writes[0]?.end()
  await time.settle()
  t.ok(units.every(({ state }) => state === 'durable'))
  t.equal(disk.writes.length, 1, 'no write of the database')
  t.strictSame(seals, [0])
})

t.test('items with rows: first the journal, then the database, then the answer', async (t) => {
  const { time, disk, unit } = setUp()
  const units = [unit(entry), unit(), unit()]
  await time.settle()
  t.strictSame(
    disk.writes.map(({ rows }) => rows),
    [1],
    'the record',
  )
  disk.writes[0]?.end()
  await time.settle()
  t.strictSame(
    disk.writes.map(({ rows }) => rows),
    [1, 2],
    'the rows',
  )
  t.ok(units.every(({ state }) => state === 'waiting'))
  disk.writes[1]?.end()
  await time.settle()
  t.ok(units.every(({ state }) => state === 'durable'))
})

t.test('a record that cannot be written: the database is left alone', async (t) => {
  const { time, disk, unit } = setUp()
  const units = [unit(entry), unit()]
  await time.settle()
  disk.writes[0]?.end(new AbzuError('ABZU_DISK_FULL', 'full'))
  await time.settle()
  t.strictSame(
    units.map(({ state }) => state),
    ['ABZU_DISK_FULL', 'ABZU_DISK_FULL'],
  )
  t.equal(disk.writes.length, 1)
})

t.test('what is in the journal alone reaches the database when asked', async (t) => {
  const { time, disk, indexed, commit, unit } = setUp()
  unit(entry)
  await time.settle()
  disk.writes[0]?.end()
  await time.settle()
  t.equal(disk.writes.length, 1)
  let isThere = false
  const asked = commit.index().then(() => (isThere = true))
  await time.settle()
  t.strictSame([disk.writes.length, isThere, indexed.times], [2, false, 0])
  disk.writes[1]?.end()
  await asked
  t.equal(indexed.times, 1)
})

/** One item is durable, and its batch is on its way to the database as `disk.writes[1]`. */
async function takingOver() {
  let isDue = true
  const all = setUp({ isIndexDue: () => isDue })
  const first = all.unit(entry)
  await all.time.settle()
  all.disk.writes[0]?.end()
  await all.time.settle()
  isDue = false
  return { ...all, first, due: (is: boolean) => (isDue = is) }
}

t.test('when it is due, items are durable before the database has them', async (t) => {
  const { time, disk, indexed, unit, first, due } = await takingOver()
  t.strictSame([first.state, disk.writes.length, indexed.times], ['durable', 2, 0])
  due(true)
  const second = unit(entry)
  await time.settle()
  t.equal(disk.writes.length, 3, 'the journal goes on meanwhile')
  disk.writes[2]?.end()
  await time.settle()
  t.equal(second.state, 'durable')
  t.equal(disk.writes.length, 3, 'one batch at a time')
  disk.writes[1]?.end()
  await time.settle()
  t.equal(indexed.times, 1)
  unit(entry)
  await time.settle()
  disk.writes[3]?.end()
  await time.settle()
  t.equal(disk.writes.length, 5, 'the next batch')
})

t.test('rows wait for the batch that is being written, and items with them', async (t) => {
  const { time, disk, seals, indexed, unit } = await takingOver()
  const units = [unit(row), unit(entry)]
  await time.settle()
  t.strictSame([disk.writes.length, seals.length], [2, 1], 'not even sealed')
  const joined = unit(row)
  disk.writes[1]?.end()
  await time.settle()
  t.strictSame([disk.writes.length, seals], [3, [0, 2]])
  disk.writes[2]?.end()
  await time.settle()
  disk.writes[3]?.end()
  await time.settle()
  t.ok([...units, joined].every(({ state }) => state === 'durable'))
  t.equal(indexed.times, 2)
})

t.test('I10: a batch that nobody waits for and that fails ends everything', async (t) => {
  const { time, disk, indexed, commit, unit } = await takingOver()
  const items = unit(entry)
  await time.settle()
  const rows = unit(row)
  disk.writes[1]?.end(new Error('EIO'))
  await time.settle()
  t.strictSame([items.state, rows.state], ['ABZU_STORE_FAILED', 'ABZU_STORE_FAILED'])
  t.equal(indexed.times, 0)
  t.equal((await commit.failure).code, 'ABZU_STORE_FAILED')
  disk.writes[2]?.end()
  await time.settle()
  t.equal(items.state, 'ABZU_STORE_FAILED', 'nobody is told otherwise later')
  t.equal(disk.writes.length, 3)
})

t.test('closing waits for a batch that is being written', async (t) => {
  const { time, disk, commit } = await takingOver()
  let isClosed = false
  const closing = commit.close().then(() => (isClosed = true))
  await time.settle()
  t.equal(isClosed, false)
  disk.writes[1]?.end()
  await closing
})

t.test('settled waits for what was queued before it', async (t) => {
  const { time, disk, commit, unit } = setUp()
  await commit.settled()
  unit()
  let isSettled = false
  const settling = commit.settled().then(() => (isSettled = true))
  await time.settle()
  t.equal(isSettled, false)
  disk.writes[0]?.end()
  await settling
})

t.test('the queue is bounded', async (t) => {
  const { time, disk, unit, commit } = setUp({ bytesMax: 1000 })
  const first = unit()
  await time.settle()
  const queued = Array.from({ length: 10 }, () => unit())
  const over = unit()
  await time.settle()
  t.equal(over.state, 'ABZU_OVERLOADED', 'the write that runs counts too')
  t.throws(() => commit.expectReady(), { code: 'ABZU_OVERLOADED' })
  disk.writes[0]?.end()
  await time.settle()
  disk.writes[1]?.end()
  await time.settle()
  t.ok([first, ...queued].every(({ state }) => state === 'durable'))
  commit.expectReady()
})

for (const [name, error, code] of [
  ['an error of the disk', new Error('EIO'), 'ABZU_STORE_FAILED'],
  ['a full disk', new AbzuError('ABZU_DISK_FULL', 'full'), 'ABZU_DISK_FULL'],
] as const) {
  t.test(`I10: ${name} ends everything, and no write is tried again`, async (t) => {
    const { time, disk, commit, unit } = setUp()
    const writing = unit()
    await time.settle()
    const queued = unit()
    disk.writes[0]?.end(error)
    await time.settle()
    t.strictSame([writing.state, queued.state], [code, code])
    const later = unit()
    await time.settle()
    t.equal(later.state, code)
    t.equal(disk.writes.length, 1, 'one write in all')
    t.match(await commit.failure, { code })
    await t.rejects(commit.settled(), { code })
    t.equal(commit.isFailed, true)
    await commit.close()
  })
}

t.test('a failure from elsewhere: the write that runs is told to nobody', async (t) => {
  const { time, disk, commit, unit } = setUp()
  const writing = unit()
  await time.settle()
  commit.fail(new Error('the commit file could not be synced'))
  disk.writes[0]?.end()
  await time.settle()
  t.equal(writing.state, 'ABZU_STORE_FAILED')
  t.equal((await commit.failure).code, 'ABZU_STORE_FAILED')
})

t.test('what must follow the write fails: nobody is told that it is durable', async (t) => {
  const { time, disk, unit } = setUp({
    durable() {
      throw new Error('no side file')
    },
  })
  const writing = unit()
  await time.settle()
  disk.writes[0]?.end()
  await time.settle()
  t.equal(writing.state, 'ABZU_STORE_FAILED')
})

t.test('closing waits for what was queued', async (t) => {
  const { time, disk, commit, unit } = setUp()
  const first = unit()
  await time.settle()
  const second = unit()
  let isClosed = false
  const closing = commit.close().then(() => (isClosed = true))
  const late = unit()
  await time.settle()
  t.equal(late.state, 'ABZU_CLOSED')
  disk.writes[0]?.end()
  await time.settle()
  t.equal(isClosed, false)
  disk.writes[1]?.end()
  await closing
  t.strictSame([first.state, second.state], ['durable', 'durable'])
})

t.test('one synchronous write carries what 256 callers append', async (t) => {
  let writes = 0
  const decorate = (media: StoreMedia) => watchWrites(media, () => void writes++)
  const store = await openTestStore({ dir: undefined, decorate, scheduler: systemScheduler })
  t.teardown(async () => store.close())
  writes = 0
  const mailbox = mailboxNamed('m')
  const append = async (_: unknown, n: number) => store.items.append([itemOf(mailbox, `${n}`)])
  await Promise.all(Array.from({ length: 256 }, append))
  t.equal(writes, 1)
})
