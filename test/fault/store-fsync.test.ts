import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { CommitFile } from '../../src/base/store/commit-file.ts'
import { emptySum } from '../../src/base/store/id-sum.ts'
import { ManualTime } from '../support/manual-time.ts'
import { lookAfter, nothingLost, runLoad } from '../support/store-load-runner.ts'
import { tempHome } from '../support/temp-home.ts'

const tracer = 'strace'

t.before(() => {
  const { status } = spawnSync(tracer, ['-V'])
  if (status !== 0) throw new Error(`${tracer} is needed: apt-get install ${tracer}`)
})

t.test(
  'I10: after an fsync that failed nothing is acknowledged until the store is opened again',
  async (t) => {
    const home = tempHome(t).ABZU_HOME
    let failedUnderLoad = 0
    for (let nth = 1; nth <= 12; nth++) {
      const dir = join(home, `${nth}`)
      const inject = `inject=fdatasync:error=EIO:when=${nth}`
      const { lines, acked, gone, errors, late } = await runLoad({
        load: { dir, first: 0, calls: 120 },
        under: [tracer, '-f', '-qq', '-o', '/dev/null', '-e', 'trace=fdatasync', '-e', inject],
      })
      t.equal(errors.length, 1, `sync ${nth} failed`)
      if (!lines.includes('open')) {
        t.match(errors[0], /^ABZU_(IO|STORE_FAILED)$/, 'at opening')
        t.strictSame(acked, [])
      } else {
        failedUnderLoad++
        t.equal(errors[0], 'ABZU_STORE_FAILED')
        t.strictSame(
          late,
          Array.from({ length: 5 }, () => 'ABZU_STORE_FAILED'),
        )
        const failedAt = lines.findIndex((line) => line.startsWith('error'))
        const afterwards = lines.slice(failedAt).filter((line) => /^(ack|gone)/.test(line))
        t.strictSame(afterwards, [])
      }
      t.strictSame(await lookAfter(dir, { acked, gone }), nothingLost)
    }
    t.ok(failedUnderLoad >= 8, `${failedUnderLoad} of 12 under load`)
  },
)

t.test('every commit is synced', async (t) => {
  const home = tempHome(t).ABZU_HOME
  const trace = join(home, 'trace')
  const calls = 100
  const { acked } = await runLoad({
    load: { dir: join(home, 'store'), first: 0, calls },
    under: [tracer, '-f', '-qq', '-y', '-o', trace, '-e', 'trace=fdatasync'],
  })
  t.ok(acked.length > calls)
  const syncs = readFileSync(trace, 'utf8').match(/fdatasync\(\d+<[^>]*/g) ?? []
  // The load makes five calls at once at most, and waits for them.
  t.ok(syncs.length >= calls / 5, `${syncs.length} syncs`)
  const ofSegments = syncs.filter((call) => call.includes('/segment-')).length
  t.ok(ofSegments >= calls / 8, `${ofSegments} of them of segments: most calls append`)
})

t.test('I10: a commit file that cannot be synced says so', async (t) => {
  const time = new ManualTime()
  // What is written to it vanishes, and it knows no fdatasync.
  const file = new CommitFile('/dev/null', time)
  file.write({ commit: 1, ids: emptySum(), rows: 0, rowSum: 0 })
  await time.advance(1000)
  t.match(await file.failure, { code: 'ABZU_IO' })
  t.throws(() => file.close(), { code: 'ABZU_IO' })
})

t.test('a commit file on a full disk says so', async (t) => {
  const time = new ManualTime()
  const file = new CommitFile('/dev/full', time)
  const record = { commit: 1, ids: emptySum(), rows: 0, rowSum: 0 }
  t.throws(() => file.write(record), { code: 'ABZU_DISK_FULL' })
  t.throws(() => file.close(), { code: 'ABZU_IO' })
})
