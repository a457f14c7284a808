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
  const commit = new GroupCommit(
    {
      database: disk,
      journal: disk.journal,
      scheduler: time,
      seal(entries, batch) {
        seals.push(batch?.length ?? 0)
        const parts = entries.map(({ body }) => body)
        return parts.length > 0 ? { at: place, isFirst: false, parts } : undefined
      },
      isIndexDue,
      durable,
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
  return { time, disk, seals, commit, unit }
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

t.test(
  'what is in the journal alone reaches the database when it is due, and when asked',
  async (t) => {
    let isDue = false
    const { time, disk, commit, unit } = setUp({ isIndexDue: () => isDue })
    const both = async () => {
      for (let n = disk.writes.length - 1; n < disk.writes.length; n++) {
        disk.writes[n]?.end()
        await time.settle()
      }
    }
    unit(entry)
    await time.settle()
    await both()
    t.equal(disk.writes.length, 1)
    isDue = true
    unit(entry)
    await time.settle()
    await both()
    t.equal(disk.writes.length, 3)
    isDue = false
    const asked = commit.index()
    await time.settle()
    await both()
    await asked
    t.equal(disk.writes.length, 4)
  },
)

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
