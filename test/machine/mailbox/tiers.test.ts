/** What each mailbox may have and do: told while the node runs, and shared fairly. */

import t, { type Test } from 'tap'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { silentLog } from '../../../src/base/util/log.ts'
import type { ItemId, MailboxId, PeerId } from '../../../src/base/util/brand.ts'
import { mapKey } from '../../../src/base/util/bytes.ts'
import { HouseholdRoom } from '../../../src/machine/mailbox/household-room.ts'
import type { Letter } from '../../../src/machine/mailbox/lane.ts'
import { LetterQueue } from '../../../src/machine/mailbox/letter-queue.ts'
import { MailboxRates } from '../../../src/machine/mailbox/mailbox-rates.ts'
import { defaultMailboxLimits } from '../../../src/machine/mailbox/mailbox-limits.ts'
import { MailboxTiers } from '../../../src/machine/mailbox/mailbox-tiers.ts'
import { MailboxUses } from '../../../src/machine/mailbox/mailbox-use.ts'
import { fairShares, runFairLoad } from '../../support/fair-load.ts'
import { MailboxOwner } from '../../support/mailbox-owner.ts'
import { MailNetwork, MailNode } from '../../support/mail-node.ts'
import { ManualTime } from '../../support/manual-time.ts'

const platform = nodePlatform()
const peer = '12D3KooWpeer' as PeerId

async function setUp(t: Test) {
  const time = new ManualTime()
  const network = new MailNetwork()
  const node = await new MailNode(network, { platform, time }).start()
  t.teardown(async () => {
    await node.stop()
    await node.store.close()
  })
  const account = async () => {
    const owner = new MailboxOwner({ platform, nowMs: time.nowMs(), home: node.home })
    const door = owner.door()
    const slots = [owner.identity(), owner.record(), door.slot]
    const own = await node.mailboxes.host(owner.rootPk, slots)
    return { owner, door, own, mailbox: owner.mailbox }
  }
  const { tiers } = node.mailboxes
  const uses = new MailboxUses({
    mailboxes: node.mailboxes,
    outbox: node.outbox,
    items: node.store.items,
  })
  return { time, node, account, tiers, uses }
}

t.test('a tier holds from the next letter on, and lowering it takes nothing away', async (t) => {
  const { node, account, tiers, uses } = await setUp(t)
  const { owner, door, own, mailbox } = await account()
  const take = async () => {
    const [taken] = await node.mailboxes.take([await owner.letter(door)], peer)
    return taken?.kind === 'refused' ? taken.error : taken?.kind
  }
  t.equal(await take(), 'durable')
  t.equal(await take(), 'durable')
  tiers.tell(mailbox, { ...tiers.defaults, contactItemsMax: 1 })
  t.equal(await take(), 'ABZU_QUOTA_EXCEEDED')
  t.equal((await own.mail({ limit: 10 })).items.length, 2, 'what was there is there')
  t.match(uses.of(mailbox), { mailItems: 2, receiving: Number, outboxItems: 0 })
  tiers.tell(mailbox, { ...tiers.defaults, contactBytesMax: 1 })
  t.equal(await take(), 'ABZU_QUOTA_EXCEEDED')
  tiers.tell(mailbox, { ...tiers.defaults, accountInbound: { perSecond: 0.001, burst: 1 } })
  t.equal(await take(), 'ABZU_RATE_LIMITED', 'the two before count')
  tiers.forget(mailbox)
  t.equal(await take(), 'durable')

  tiers.tell(mailbox, { ...tiers.defaults, slotItemsMax: 1 })
  const more = owner.door()
  await t.rejects(own.putSlots([more.slot]), { code: 'ABZU_QUOTA_EXCEEDED' })
  tiers.tell(mailbox, { ...tiers.defaults, slotBytesMax: 1 })
  await t.rejects(own.putSlots([more.slot]), { code: 'ABZU_QUOTA_EXCEEDED' })
  tiers.forget(mailbox)
  await own.putSlots([more.slot])
})

t.test('posting is bounded by the tier of the sender, and by no other one', async (t) => {
  const { node, account, tiers, uses } = await setUp(t)
  const [{ owner, door, mailbox: to }, { mailbox: from }, { mailbox: other }] = [
    await account(),
    await account(),
    await account(),
  ]
  const post = async (by: MailboxId) => {
    const { mailbox: _, ...letter } = await owner.letter(door)
    await node.outbox.post({ from: by, to, hosts: [{ ...node.home, peerId: peer }], ...letter })
  }
  tiers.tell(from, { ...tiers.defaults, outboxItemsMax: 2 })
  await post(from)
  await post(from)
  await t.rejects(post(from), { code: 'ABZU_QUOTA_EXCEEDED' })
  t.equal(uses.of(from).outboxItems, 2)
  tiers.tell(from, { ...tiers.defaults, accountOutbound: { perSecond: 0.001, burst: 1 } })
  await t.rejects(post(from), { code: 'ABZU_RATE_LIMITED' })
  t.ok(uses.of(from).sending > 0)
  await post(other)
  tiers.forget(from)
  await post(from)
})

t.test('I34: one mailbox at full rate leaves the others their share, in and out', async (t) => {
  const clock = {
    now: 0,
    monotonicMs() {
      return this.now
    },
  }
  const tiers = new MailboxTiers(defaultMailboxLimits)
  const endless = { perSecond: 1e6, burst: 1e6 }
  const node = { ...defaultMailboxLimits, peerInbound: endless, peerOutbound: endless }
  const shared = { perSecond: 50, burst: 250 }
  tiers.tellNode({ ...node, nodeInbound: shared, nodeOutbound: shared })
  const limits = defaultMailboxLimits
  const [inbound, outbound] = [
    new MailboxRates('inbound', { tiers, limits, clock }),
    new MailboxRates('outbound', { tiers, limits, clock }),
  ]
  const wants = [1, 5, 10, 20, 10]
  const due = fairShares(shared.perSecond, wants)
  const seconds = 60
  for (const [name, take] of Object.entries({
    inbound: (key: string) => inbound.take(key, peer),
    outbound: (key: string) => outbound.pace(key, peer),
  })) {
    const { got, hot } = runFairLoad({ take, clock, wants, atOnce: 1, seconds })
    for (const [n, count] of got.entries()) {
      const share = (due[n] as number) * seconds
      t.ok(count + 1 >= 0.8 * share, `${name}: ${count} of ${Math.round(share)}`)
    }
    t.ok(hot > 0)
  }
})

t.test('a mailbox that takes all of the node refuses itself, and not its neighbour', async (t) => {
  const { time, node, account, tiers } = await setUp(t)
  const [hot, calm] = [await account(), await account()]
  tiers.tellNode({ ...tiers.defaults, nodeInbound: { perSecond: 1, burst: 4 } })
  const letters = await Promise.all(
    Array.from({ length: 30 }, async () => hot.owner.letter(hot.door)),
  )
  const taken = await node.mailboxes.take(letters, peer)
  t.ok(taken.some((one) => one.kind === 'refused' && one.error === 'ABZU_RATE_LIMITED'))
  const calmLetter = async () => {
    const [one] = await node.mailboxes.take([await calm.owner.letter(calm.door)], peer)
    return one?.kind
  }
  for (let n = 0; n < 8; n++) {
    t.equal(await calmLetter(), 'durable', `second ${2 * n}`)
    const again = await node.mailboxes.take(letters.slice(10), peer)
    t.ok(again.some(({ kind }) => kind === 'refused'))
    await time.advance(2000)
  }
})

t.test('letters for one host go in turns, one of each sender', async (t) => {
  const queue = new LetterQueue<Letter>()
  const letter = (seq: number, from: string) => {
    return { seq, from, id: new Uint8Array(32).fill(seq) as ItemId, expiresAtHours: 1 }
  }
  const many = Array.from({ length: 100 }, (_, n) => letter(n, 'hot'))
  for (const one of many) queue.add(one)
  const [a, b] = [letter(100, 'a'), letter(101, 'b')]
  queue.add(a)
  queue.add(b)
  t.equal(queue.size, 102)
  t.strictSame(queue.heads(), [many[0], a, b])
  const order: number[] = []
  for (let next = queue.first; next; next = queue.first) {
    order.push(next.seq)
    queue.pass()
    queue.delete(next)
    if (order.length === 1) queue.addFirst(next)
  }
  t.strictSame(order.slice(0, 5), [0, 100, 101, 0, 1], 'in turns, and what comes back is first')
  t.equal(order.length, 103)
  t.equal(queue.size, 0)
  queue.delete(a)
  t.equal(queue.size, 0)
})

t.test('of the room for all, four fifths of an even share are kept for each', async (t) => {
  const time = new ManualTime()
  const used = new Map<string, number>()
  const boxes = [1, 2, 3, 4].map((n) => new Uint8Array(32).fill(n) as MailboxId)
  const tiers = new MailboxTiers(defaultMailboxLimits)
  for (const mailbox of boxes) tiers.tell(mailbox, tiers.defaults)
  tiers.tellNode({ ...tiers.defaults, householdBytesMax: 1000 })
  const pools = (mailbox: MailboxId) => {
    const amount = { items: 0, bytes: used.get(mapKey(mailbox)) ?? 0 }
    return [{ ...amount, mail: amount, chunk: amount, slot: amount }]
  }
  const room = new HouseholdRoom({
    tiers,
    items: { usage: pools },
    hosted: async function* () {
      for (const mailbox of boxes) yield { mailbox }
      yield { mailbox: new Uint8Array(32).fill(9) as MailboxId }
    },
    clock: time,
    log: silentLog,
  })
  /** Adds what there is room for, ten bytes at a time. */
  const fill = async (mailbox: MailboxId): Promise<number> => {
    const place = { mailbox, key: mapKey(mailbox) }
    let added = 0
    await room.usedBytes()
    while (room.hasRoom(place, 10) && added < 5000) {
      room.added(place, 10)
      used.set(place.key, (used.get(place.key) ?? 0) + 10)
      added += 10
    }
    await time.advance(20_000)
    return added
  }
  const [hog, ...others] = boxes as [MailboxId, ...MailboxId[]]
  await fill(hog)
  await fill(hog)
  t.equal(used.get(mapKey(hog)), 400, 'its share, and what is kept for nobody')
  for (const other of others) t.equal(await fill(other), 200, 'four fifths of 250')
  t.equal(await room.usedBytes(), 1000)
  t.equal(await fill(hog), 0)
  used.set(mapKey(hog), 100)
  await time.advance(20_000)
  await room.usedBytes()
  t.equal(room.hasRoom({ mailbox: hog, key: mapKey(hog) }, 10), true, 'what went makes room')
  const guest = new Uint8Array(32).fill(9) as MailboxId
  t.equal(room.hasRoom({ mailbox: guest, key: mapKey(guest) }, 1e9), true, 'a copy for a peer')
})
