import t from 'tap'
import type { MailboxId } from '../../../src/base/util/brand.ts'
import { toHex } from '../../../src/base/util/bytes.ts'
import { silentLog } from '../../../src/base/util/log.ts'
import { defaultDirectoryLimits } from '../../../src/machine/node/directory-limits.ts'
import { RecordPublisher } from '../../../src/machine/node/record-publisher.ts'
import { ManualTime } from '../../support/manual-time.ts'

const hourMs = 3_600_000

function mailbox(n: number): MailboxId {
  return new Uint8Array(32).fill(n) as MailboxId
}

/** A publisher of two hosted mailboxes, or those that are named; `held` nodes take what it offers. */
async function publishing(init: {
  held: number
  neglected?: readonly MailboxId[]
  hosted?: readonly MailboxId[]
}) {
  const time = new ManualTime()
  const state = { held: init.held, isBroken: false }
  const published: string[] = []
  const listeners = new Set<(mailbox: MailboxId) => void>()
  const publisher = new RecordPublisher({
    directory: {
      async publish(one) {
        published.push(toHex(one.subarray(0, 1)))
        if (state.isBroken) throw new Error('a bug')
        return { held: state.held, refused: 0, stale: 0, forks: 0 }
      },
    },
    held: { neglected: () => [...(init.neglected ?? [])], sweep: async () => 0 },
    hosted: {
      async *hosted() {
        for (const one of init.hosted ?? [mailbox(1), mailbox(2)]) yield { mailbox: one }
      },
      watchRecords(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
    limits: defaultDirectoryLimits,
    clock: time,
    scheduler: time,
    random: (length) => new Uint8Array(length).fill(128),
    log: silentLog,
  })
  await publisher.start()
  const tell = (one: MailboxId) => {
    for (const listener of listeners) listener(one)
  }
  /** What was published since the last call. */
  const taken = () => published.splice(0)
  return { time, state, publisher, tell, taken }
}

t.test('at the start, on a change, and every half day', async (t) => {
  const { time, tell, taken, publisher } = await publishing({ held: 3 })
  await time.advance(10)
  t.same(taken(), ['01', '02'])
  await time.advance(hourMs)
  t.same(taken(), [])
  tell(mailbox(2))
  await time.advance(10)
  t.same(taken(), ['02'])
  await time.advance(14 * hourMs)
  t.same(taken().toSorted(), ['01', '02'])
  publisher.close()
  tell(mailbox(1))
  await time.advance(48 * hourMs)
  t.same(taken(), [])
  t.equal(time.pending, 0)
})

t.test('what reaches nobody is offered again, and at once when the mesh is there', async (t) => {
  const { time, state, taken, publisher } = await publishing({ held: 0 })
  await time.advance(60_000)
  const tries = taken().length
  t.ok(tries >= 8 && tries <= 14, `${tries} in the first minute`)
  await time.advance(hourMs)
  t.ok(taken().length <= 30, 'then ever more seldom')
  state.held = 1
  publisher.retry()
  await time.advance(10)
  t.same(taken().toSorted(), ['01', '02'])
  publisher.retry()
  await time.advance(hourMs)
  t.same(taken(), [], 'what is held is left in peace')
})

t.test('it is known how long no other node has taken a record', async (t) => {
  const { time, state, tell, publisher } = await publishing({ held: 0 })
  t.equal(publisher.hoursSincePublished(mailbox(9)), undefined, 'not hosted here')
  await time.advance(50 * hourMs)
  t.equal(publisher.hoursSincePublished(mailbox(1)), 50, 'since the start')
  tell(mailbox(1))
  await time.advance(10)
  t.ok((publisher.hoursSincePublished(mailbox(1)) ?? 0) >= 50, 'a change that nobody took')
  state.held = 1
  publisher.retry()
  await time.advance(10)
  t.ok((publisher.hoursSincePublished(mailbox(1)) ?? 1) < 0.01, 'taken now')
  await time.advance(3 * hourMs)
  t.equal(Math.round(publisher.hoursSincePublished(mailbox(1)) ?? 0), 3)
})

t.test('a failure ends nothing', async (t) => {
  const { time, state, taken } = await publishing({ held: 1 })
  state.isBroken = true
  await time.advance(10)
  t.same(taken(), ['01', '02'])
  state.isBroken = false
  await time.advance(5000)
  t.same(taken().toSorted(), ['01', '02'])
})

t.test('neglected records of others are offered', async (t) => {
  const { time, taken } = await publishing({ held: 1, neglected: [mailbox(9)] })
  await time.advance(10)
  taken()
  await time.advance(700_000)
  t.same(taken(), ['09'])
})

t.test(
  'where nobody is there, a hundred mailboxes cost what a few do, and each has its turn',
  async (t) => {
    const hosted = Array.from({ length: 100 }, (_, n) => mailbox(n))
    const { time, state, taken, publisher } = await publishing({ held: 0, hosted })
    await time.advance(10)
    const first = taken()
    t.ok(first.length > 0 && first.length <= 10, `${first.length} of 100 tried`)
    await time.advance(4000)
    const second = taken()
    t.ok(second.length > 0 && second.length <= 20)
    t.notOk(
      second.some((one) => first.includes(one)),
      'others than before',
    )
    state.held = 1
    publisher.retry()
    await time.advance(10)
    t.equal(new Set(taken()).size, 100, 'all, once somebody is there')
    publisher.close()
  },
)
