/** Mail with stamps: what lets it in, where it lies, and what it must never cost a contact. */

import t, { type Test } from 'tap'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { isStamp } from '../../../src/base/crypto/stamp.ts'
import { openStore } from '../../../src/base/store/store.ts'
import type { PeerId } from '../../../src/base/util/brand.ts'
import { concatBytes } from '../../../src/base/util/bytes.ts'
import { silentLog } from '../../../src/base/util/log.ts'
import { pool } from '../../../src/machine/mailbox/admission.ts'
import {
  defaultMailboxLimits,
  type MailboxLimits,
} from '../../../src/machine/mailbox/mailbox-limits.ts'
import { Mailboxes } from '../../../src/machine/mailbox/mailboxes.ts'
import type { Taken } from '../../../src/machine/mailbox/taken.ts'
import { MailboxOwner, testHome } from '../../support/mailbox-owner.ts'
import { ManualTime } from '../../support/manual-time.ts'
import { heldBytes } from '../../support/memory.ts'
import { falseStampFor } from '../../support/stamps.ts'
import { batchLetters, floodStrangers } from '../../support/stranger-flood.ts'

const platform = nodePlatform()
const peer = '12D3KooWpeer' as PeerId
const hourMs = 3_600_000

/** No rate in the way, for what is not about rates. */
const patient = Object.fromEntries(
  ['Account', 'Peer', 'Neighbour', 'Node'].map((whose) => [
    `stranger${whose}Inbound`,
    { perSecond: 1000, burst: 100_000 },
  ]),
) as Partial<MailboxLimits>

async function setUp(t: Test, limits: Partial<MailboxLimits> = patient) {
  const time = new ManualTime()
  const parts = { platform, clock: time, scheduler: time, log: silentLog }
  const store = await openStore({ dir: undefined, ...parts })
  t.teardown(() => store.close())
  const open = () =>
    new Mailboxes({
      ...parts,
      store,
      limits: { ...defaultMailboxLimits, ...limits },
      self: testHome,
    })
  const mailboxes = open()
  const owner = new MailboxOwner({ platform, nowMs: time.nowMs() })
  const mailbox = await mailboxes.host(owner.rootPk, [owner.identity(), owner.record()])
  const door = owner.door()
  await mailbox.putSlots([door.slot])
  const used = () => store.items.usage(owner.mailbox)[pool.stranger] ?? { items: -1, bytes: -1 }
  return { time, store, mailboxes, owner, mailbox, door, used, reopen: open }
}

function answers(taken: readonly Taken[]): string[] {
  return taken.map((one) => (one.kind === 'durable' ? one.kind : one.error))
}

t.test('a stamp lets a letter into the pool for strangers, and the owner knows', async (t) => {
  const { mailboxes, owner, mailbox, door, used, reopen } = await setUp(t)
  const letter = await owner.stamped()
  t.same(answers(await mailboxes.take([letter, letter], peer)), ['durable', 'durable'])
  t.equal(used().items, 1, 'once')
  await mailboxes.take([await owner.letter(door)], peer)
  const { items } = await mailbox.mail({ limit: 10 })
  t.same(
    items.map(({ isStrange }) => isStrange),
    [true, false],
  )
  t.same(answers(await reopen().take([letter], peer)), ['durable'], 'also after a restart')
  await mailbox.putSlots([owner.acknowledge([letter.id])])
  t.equal(used().items, 0)
  t.same(answers(await mailboxes.take([letter], peer)), ['durable'], 'known')
  t.equal(used().items, 0, 'and not stored again')
})

t.test('I24: a stamp of another letter or mailbox, or of less work, is void', async (t) => {
  const { time, mailboxes, owner, mailbox, used } = await setUp(t)
  owner.stampBits = 12
  const newest = owner.record()
  await mailbox.putSlots([newest])
  const other = new MailboxOwner({ platform, nowMs: time.nowMs() })
  other.stampBits = 12
  await mailboxes.host(other.rootPk, [other.identity(), other.record()])
  const [good, another] = [await owner.stamped(), await owner.stamped()]
  const envelope = concatBytes(good.envelope)
  envelope[1300] = (envelope[1300] as number) ^ 1
  const elsewhere = await other.stamped()
  const forgeries = {
    'of another letter': { ...good, stamp: another.stamp },
    'of the letter as it was': { ...good, envelope },
    'of another mailbox': { ...good, stamp: elsewhere.stamp },
    'of no work': { ...good, stamp: new Uint8Array(8) },
    'as a long one': { ...good, stamp: new Uint8Array(9) },
  }
  for (const [what, request] of Object.entries(forgeries)) {
    const [taken] = await mailboxes.take([request], peer)
    const record = newest.body.subarray(1)
    t.match(taken, { kind: 'refused', error: 'ABZU_STAMP_INVALID', record }, what)
  }
  const cheap = []
  while (cheap.length < 50) {
    const letter = await owner.stamped({ bits: 1 })
    const order = { mailbox: owner.mailbox, item: letter.id, bits: owner.stampBits }
    // one in 2,048 is worth the whole price by chance
    if (!isStamp(platform, order, letter.stamp)) cheap.push(letter)
  }
  const taken = answers(await mailboxes.take(cheap, peer))
  t.ok(
    taken.every((one) => one === 'ABZU_STAMP_INVALID'),
    'worth one bit',
  )
  t.equal(used().items, 0)
  t.same(answers(await mailboxes.take([good], peer)), ['durable'])
})

t.test('the other checks are those of a door', async (t) => {
  const { time, mailboxes, owner, mailbox, used } = await setUp(t)
  const expired = await owner.stamped({ expiresInHours: 1 })
  const early = await owner.stamped({ expiresInHours: 24 * 20 })
  time.jump(hourMs)
  const stranger = new MailboxOwner({ platform, nowMs: time.nowMs() })
  const good = await owner.stamped()
  const cases = {
    ABZU_NOT_HOSTED: await stranger.stamped(),
    ABZU_EXPIRED: expired,
    'ABZU_MALFORMED far future': await owner.stamped({ expiresInHours: 24 * 40 }),
    'ABZU_MALFORMED truncated': { ...good, envelope: good.envelope.subarray(0, 200) },
    ABZU_TOO_LARGE: { ...good, envelope: new Uint8Array(300_000).fill(1) },
  }
  for (const [name, request] of Object.entries(cases)) {
    t.same(answers(await mailboxes.take([request], peer)), [name.split(' ')[0]], name)
  }
  await mailbox.putSlots([owner.record({ rotate: true, priorHours: 2 })])
  time.jump(3 * hourMs)
  t.same(answers(await mailboxes.take([early], peer)), ['ABZU_STALE_KEY'])
  t.equal(used().items, 0)
})

t.test('a mailbox that takes no strangers refuses every stamp, and no door', async (t) => {
  const { mailboxes, owner, mailbox, door, used, reopen } = await setUp(t)
  owner.stampBits = 0
  await mailbox.putSlots([owner.record()])
  const letter = await owner.stamped({ bits: 20 })
  for (const node of [mailboxes, reopen()]) {
    t.same(answers(await node.take([letter], peer)), ['ABZU_STRANGERS_REFUSED'])
  }
  t.equal(used().items, 0)
  t.same(answers(await mailboxes.take([await owner.letter(door)], peer)), ['durable'])
})

t.test('a week is all, whatever the header says', async (t) => {
  const { time, mailboxes, owner, door, mailbox } = await setUp(t)
  const long = await owner.stamped({ expiresInHours: 24 * 29 })
  const short = await owner.stamped({ expiresInHours: 24 })
  const friend = await owner.letter(door, { expiresInHours: 24 * 29 })
  const taken = await mailboxes.take([long, short, friend], peer)
  t.match(taken, [
    { kind: 'durable', holdUntilHours: owner.nowHours + 7 * 24 },
    { kind: 'durable', holdUntilHours: owner.nowHours + 24 },
    { kind: 'durable', holdUntilHours: owner.nowHours + 29 * 24 },
  ])
  time.jump(6 * 24 * hourMs)
  while ((await mailboxes.sweep(100)) > 0);
  t.equal((await mailbox.mail({ limit: 10 })).items.length, 2)
  time.jump(24 * hourMs)
  while ((await mailboxes.sweep(100)) > 0);
  const { items } = await mailbox.mail({ limit: 10 })
  t.equal(items.length, 1)
  t.notOk(items[0]?.isStrange)
})

t.test('I30: the room is bounded by items and by bytes, and freed by the owner', async (t) => {
  for (const limits of [{ strangerItemsMax: 5 }, { strangerBytesMax: 9000 }]) {
    const { mailboxes, owner, mailbox, used } = await setUp(t, { ...patient, ...limits })
    const letters = []
    for (let n = 0; n < 12; n++) letters.push(await owner.stamped())
    const [first] = letters
    const together = answers(await mailboxes.take(letters, peer))
    const stored = together.filter((one) => one === 'durable').length
    t.equal(stored, 5)
    t.ok(used().bytes <= 9000)
    t.match(await mailboxes.take([letters[11] as (typeof letters)[0]], peer), [
      { error: 'ABZU_QUOTA_EXCEEDED', retryAfterMs: 600_000 },
    ])
    t.same(
      answers(await mailboxes.take([letters[0] as (typeof letters)[0]], peer)),
      ['durable'],
      'what is here has its receipt',
    )
    await mailbox.putSlots([owner.acknowledge(first ? [first.id] : [])])
    t.same(answers(await mailboxes.take([letters[11] as (typeof letters)[0]], peer)), ['durable'])
  }
})

t.test('junk costs where it comes from, and neither other strangers nor contacts', async (t) => {
  const { mailboxes, owner, door } = await setUp(t, {
    strangerAccountInbound: { perSecond: 1, burst: 10 },
    strangerPeerInbound: { perSecond: 1, burst: 5 },
    strangerNeighbourInbound: { perSecond: 1, burst: 8 },
    strangerNodeInbound: { perSecond: 1, burst: 12 },
    peerInbound: { perSecond: 1, burst: 3 },
  })
  const junk = []
  for (let n = 0; n < 9; n++) {
    const letter = await owner.stamped()
    const order = { mailbox: owner.mailbox, item: letter.id, bits: owner.stampBits }
    junk.push({ ...letter, stamp: falseStampFor(platform, order) })
  }
  const tried = answers(await mailboxes.take(junk, peer, '192.0.2.1'))
  t.equal(tried.filter((one) => one === 'ABZU_STAMP_INVALID').length, 5)
  t.equal(tried.filter((one) => one === 'ABZU_RATE_LIMITED').length, 4)
  const second = '12D3KooWsecond' as PeerId
  const again = answers(await mailboxes.take(junk, second, '192.0.2.1'))
  t.equal(
    again.filter((one) => one === 'ABZU_STAMP_INVALID').length,
    3,
    'a new key, the old address',
  )

  const [one, friend] = [await owner.stamped(), await owner.letter(door)]
  const other = '12D3KooWother' as PeerId
  t.same(answers(await mailboxes.take([one], other, '192.0.2.2')), ['durable'])
  t.same(answers(await mailboxes.take([friend], peer, '192.0.2.1')), ['durable'], 'a contact there')
})

t.test('what is stored costs the account and the node', async (t) => {
  const { time, mailboxes, owner, used } = await setUp(t, {
    ...patient,
    strangerAccountInbound: { perSecond: 1, burst: 3 },
    strangerNodeInbound: { perSecond: 1, burst: 4 },
  })
  const letters = []
  for (let n = 0; n < 5; n++) letters.push(await owner.stamped())
  const taken = await mailboxes.take(letters, peer)
  t.equal(answers(taken).join(' '), `${'durable '.repeat(3)}ABZU_RATE_LIMITED ABZU_RATE_LIMITED`)
  t.match(taken[3], { retryAfterMs: 1000 })
  await time.advance(1000)
  t.same(answers(await mailboxes.take([letters[3] as (typeof letters)[0]], peer)), ['durable'])
  t.equal(used().items, 4)
})

for (const [what, limits] of Object.entries({ 'with rates': {}, without: patient })) {
  t.test(`I30: 10,000 letters of strangers, ${what}: contacts are heard throughout`, async (t) => {
    const { time, mailboxes, owner, door, mailbox, used } = await setUp(t, limits)
    const heapBefore = heldBytes()
    let mostItems = 0
    let mostBytes = 0
    const report = await floodStrangers({
      platform,
      mailboxes,
      owner,
      door,
      letters: 10_000,
      peers: 40,
      neighbours: 20,
      between: async () => {
        mostItems = Math.max(mostItems, used().items)
        mostBytes = Math.max(mostBytes, used().bytes)
        await time.advance(100)
      },
    })
    const answered = [...report.strangers.values()].reduce((sum, count) => sum + count, 0)
    t.equal(answered, 10_000, JSON.stringify(Object.fromEntries(report.strangers)))
    t.equal(report.contact.length, 10_000 / batchLetters)
    t.ok(
      report.contact.every((kind) => kind === 'durable'),
      'every letter of the contact',
    )
    t.ok(mostItems <= defaultMailboxLimits.strangerItemsMax, `${mostItems} items`)
    t.ok(mostItems > 20, 'some were let in')
    t.ok(mostBytes <= defaultMailboxLimits.strangerBytesMax)
    const { items } = await mailbox.mail({ limit: 1000 })
    t.equal(items.filter(({ isStrange }) => !isStrange).length, report.contact.length)
    const grownMiB = (heldBytes() - heapBefore) / 2 ** 20
    t.ok(grownMiB < 16, `${grownMiB.toFixed(1)} MiB more in use`)
  })
}
