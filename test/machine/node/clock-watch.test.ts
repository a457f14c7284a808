import t, { type Test } from 'tap'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { openStore, type Store } from '../../../src/base/store/store.ts'
import type { MailboxId, PeerId } from '../../../src/base/util/brand.ts'
import { silentLog } from '../../../src/base/util/log.ts'
import { startJanitor } from '../../../src/machine/mailbox/janitor.ts'
import { defaultMailboxLimits } from '../../../src/machine/mailbox/mailbox-limits.ts'
import { Mailboxes } from '../../../src/machine/mailbox/mailboxes.ts'
import { Outbox } from '../../../src/machine/mailbox/outbox.ts'
import { ClockWatch } from '../../../src/machine/node/clock-watch.ts'
import { MailboxOwner, testHome } from '../../support/mailbox-owner.ts'
import { ManualTime } from '../../support/manual-time.ts'
import { MemoryLog } from '../../support/transports.ts'

const platform = nodePlatform()
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const yearMs = 365 * 24 * hourMs
const [peer, other, third] = ['peer', 'other', 'third'] as [PeerId, PeerId, PeerId]

async function openTestStore(t: Test, time: ManualTime): Promise<Store> {
  const parts = { platform, clock: time, scheduler: time, log: silentLog }
  const store = await openStore({ dir: undefined, ...parts })
  t.teardown(async () => store.close())
  return store
}

function watchOf(store: Store, time: ManualTime) {
  const log = new MemoryLog()
  const table = store.table('clock')
  return { watch: ClockWatch.open({ clock: time, scheduler: time, table, log }), log }
}

/** A mailbox with one letter of a day, swept by a janitor; and a letter in an outbox whose home is away. */
async function household(t: Test) {
  const time = new ManualTime()
  const store = await openTestStore(t, time)
  const { watch, log } = watchOf(store, time)
  const parts = { platform, store, limits: defaultMailboxLimits, scheduler: time, log: silentLog }
  const mailboxes = new Mailboxes({ ...parts, clock: watch, self: testHome })
  const owner = new MailboxOwner({ platform, nowMs: time.nowMs() })
  const mailbox = await mailboxes.host(owner.rootPk, [owner.identity(), owner.record()])
  const door = owner.door()
  await mailbox.putSlots([door.slot])
  const [taken] = await mailboxes.take([await owner.letter(door)], peer)
  t.equal(taken?.kind, 'durable')
  const janitor = startJanitor({ mailboxes, scheduler: time, log: silentLog })
  const outbox = new Outbox({
    ...parts,
    clock: watch,
    mailboxes,
    transport: {
      peerId: other,
      open: async () => Promise.reject(new Error('away')),
      watch: () => () => undefined,
    },
  })
  t.teardown(async () => {
    await janitor.close()
    await outbox.close()
    await watch.close()
  })
  const { mailbox: to, ...rest } = await owner.letter(door)
  const hosts = [{ peerId: third, role: 'home' as const, addresses: [] }]
  await outbox.post({ from: new Uint8Array(32) as MailboxId, to: to as MailboxId, hosts, ...rest })
  const kept = async () => ({
    mail: (await mailbox.mail({ limit: 10 })).items.length,
    letters: outbox.depth,
  })
  return { time, store, watch, log, mailboxes, owner, door, kept }
}

t.test('I14: ten years ahead, nothing expires until somebody confirms', async (t) => {
  const { time, watch, kept, log } = await household(t)
  await time.advance(hourMs)
  time.jump(10 * yearMs)
  await time.advance(5 * hourMs)
  t.strictSame(await kept(), { mail: 1, letters: 1 })
  t.match(watch.state, { since: 'running', witnesses: 0 })
  t.ok(Math.abs((watch.state?.jumpMs ?? 0) - 10 * yearMs) < minuteMs)
  t.strictSame(log.events('warn'), ['clock-doubted'], 'said once')
  watch.witness(peer, time.nowMs())
  watch.witness(peer, time.nowMs())
  watch.witness(other, time.nowMs() - 10 * yearMs)
  await time.advance(5 * hourMs)
  t.match(watch.state, { witnesses: 1 }, 'one peer twice is one; another time is no agreement')
  t.strictSame(await kept(), { mail: 1, letters: 1 })
  watch.witness(third, time.nowMs() + minuteMs)
  t.equal(watch.state, undefined)
  await time.advance(5 * hourMs)
  t.strictSame(await kept(), { mail: 0, letters: 0 }, 'it is ten years later')
})

t.test('I14: while it is doubted, what would have ended without the jump still ends', async (t) => {
  const { time, kept } = await household(t)
  time.jump(10 * yearMs)
  await time.advance(22 * hourMs)
  t.strictSame(await kept(), { mail: 1, letters: 1 })
  await time.advance(3 * hourMs)
  t.strictSame(await kept(), { mail: 0, letters: 0 })
})

t.test('I14: the owner confirms, and a clock that comes back confirms itself', async (t) => {
  const first = await household(t)
  first.time.jump(2 * yearMs)
  await first.time.advance(hourMs)
  await first.watch.confirm()
  await first.time.advance(hourMs)
  t.strictSame(await first.kept(), { mail: 0, letters: 0 })

  const second = await household(t)
  second.time.jump(10 * yearMs)
  await second.time.advance(hourMs)
  t.ok(second.watch.state)
  second.time.jump(-10 * yearMs + hourMs)
  await second.time.advance(hourMs)
  t.equal(second.watch.state, undefined)
  t.strictSame(await second.kept(), { mail: 1, letters: 1 })
})

t.test('I14: ten years back, mail is taken and kept as ever', async (t) => {
  const { time, watch, mailboxes, owner, door, kept } = await household(t)
  time.jump(-10 * yearMs)
  await time.advance(hourMs)
  t.match(watch.state, { since: 'running' })
  const [taken] = await mailboxes.take([await owner.letter(door)], peer)
  t.equal(taken?.kind, 'durable', 'what others date today is not too far ahead')
  time.jump(20 * yearMs)
  await time.advance(5 * hourMs)
  t.match(await kept(), { mail: 2, letters: 1 })
  const [again] = await mailboxes.take([await owner.letter(door)], peer)
  t.equal(again?.kind, 'durable', 'nor over')
})

t.test('I14: a restart neither believes nor forgets', async (t) => {
  for (const jumpMs of [10 * yearMs, -10 * yearMs, 25 * hourMs]) {
    const time = new ManualTime()
    const store = await openTestStore(t, time)
    const first = watchOf(store, time).watch
    t.equal(first.state, undefined, 'a new node has nothing to compare with')
    await first.close()
    time.jump(jumpMs)
    const second = watchOf(store, time).watch
    t.match(second.state, { since: 'restart' })
    await time.advance(hourMs)
    await second.close()
    const third = watchOf(store, time).watch
    t.match(third.state, { since: 'restart' }, 'only a trusted time is written down')
    await third.confirm()
    await third.close()
    const fourth = watchOf(store, time).watch
    t.equal(fourth.state, undefined)
    await fourth.close()
    t.equal(time.pending, 0)
  }
})

t.test('a crash, a night off and a slow drift are no jump', async (t) => {
  const time = new ManualTime()
  const store = await openTestStore(t, time)
  watchOf(store, time)
  await time.advance(9 * hourMs)
  time.jump(14 * hourMs)
  const { watch } = watchOf(store, time)
  t.equal(watch.state, undefined)
  for (let week = 0; week < 52; week++) {
    time.jump(hourMs)
    await time.advance(2 * minuteMs)
  }
  t.equal(watch.state, undefined)
})

t.test('a clock that was never set may be set', async (t) => {
  const time = new ManualTime()
  time.jump(-56 * yearMs)
  const store = await openTestStore(t, time)
  const { watch, log } = watchOf(store, time)
  time.jump(56 * yearMs)
  await time.advance(hourMs)
  t.equal(watch.state, undefined)
  t.strictSame(log.events('warn'), [])
  await watch.close()
})
