/** A copy of a mailbox goes when its holder's work is done, and never before. */

import t from 'tap'
import { plainSlotKey } from '../../../src/base/crypto/slot-header.ts'
import type { PeerId } from '../../../src/base/util/brand.ts'
import { parsePlainSlot } from '../../../src/base/wire/plain-slot.ts'
import { heldCopy, platform } from '../../support/sync-house.ts'

t.test('a copy in use bothers nobody', async (t) => {
  const { home, friend, network, look, asked, isHere } = await heldCopy(t)
  for (let n = 0; n < 4; n++) t.equal(await look(30), 0)
  t.equal(asked.count, 0)
  network.disconnect(home, friend)
  await look()
  t.equal(asked.count, 1)
  t.ok(isHere())
})

t.test('who is a holder again in between has its month anew', async (t) => {
  const { home, friend, sign, look, isHere } = await heldCopy(t)
  await sign([home.as('home'), friend.as('former')])
  t.equal(await look(), 0)
  await sign([home.as('home'), friend.as('replica')])
  t.equal(await look(20), 0)
  await sign([home.as('home'), friend.as('former')])
  t.equal(await look(1), 0)
  t.equal(await look(29), 0)
  t.ok(isHere())
  t.equal(await look(1), 1)
})

t.test('who is left out hands over, keeps the copy for a month, and gets it no more', async (t) => {
  const { home, friend, network, sign, rest, look, isHere, items, deliver, dropped, mailbox } =
    await heldCopy(t)
  await deliver(home)
  await rest()
  t.equal(items(friend), items(home))
  const before = items(friend)
  await sign([home.as('home'), friend.as('former')])
  t.strictSame((await friend.mailboxes.hostsOf(mailbox)).at(1)?.role, 'former', 'it is told')
  await deliver(home)
  await rest()
  t.equal(items(friend), before, 'and given nothing new')
  const held = await deliver(friend)
  t.equal(held.kind, 'durable', 'it takes mail still')
  await rest()
  t.ok(home.store.items.has(mailbox, held.id), 'and hands it over')

  t.equal(await look(), 0)
  t.equal(await look(29), 0)
  t.ok(isHere())
  t.ok((await friend.room.used(home.peerId)) > 0)
  t.equal(await look(1), 1)
  t.notOk(isHere())
  t.strictSame(dropped, ['gone'])
  await rest()
  t.equal(items(friend), 0)
  t.equal(friend.store.items.usage(mailbox)[1]?.items ?? 0, 0)
  t.equal(
    await friend.store.items.slot(mailbox, plainSlotKey(platform, mailbox, 'record')),
    undefined,
  )
  t.equal(friend.shared.with(home.peerId).size, 0)
  network.disconnect(home, friend)
  network.connect(home, friend)
  await deliver(home)
  await rest()
  t.notOk(isHere(), 'and does not come back')
  t.strictSame((await deliver(friend)).kind, 'refused')
})

t.test('who is named still asks the home, which may have lost what it had', async (t) => {
  const { home, friend, network, sign, rest, look, isHere } = await heldCopy(t)
  await sign([home.as('home'), friend.as('former')])
  t.equal(await look(), 0)
  network.disconnect(home, friend)
  for (let n = 0; n < 3; n++) t.equal(await look(31), 0)
  t.ok(isHere())
  network.connect(home, friend)
  await rest()
  t.equal(await look(), 1)
})

t.test('a letter that is only here is not lost while the home is off', async (t) => {
  const { home, friend, network, sign, rest, look, isHere, deliver, mailbox, time } =
    await heldCopy(t)
  await sign([home.as('home'), friend.as('former')])
  await look()
  time.jump(20 * 86_400_000)
  network.disconnect(home, friend)
  const { id, kind } = await deliver(friend, 49 * 24)
  t.equal(kind, 'durable')
  t.equal(await look(9.5), 0)
  t.equal(await look(0.5), 0, 'the month is over, and the letter is not')
  t.ok(isHere())
  network.connect(home, friend)
  await rest()
  t.ok(home.store.items.has(mailbox, id))
  t.equal(await look(), 1)
})

t.test(
  'named no more: by what the home was seen to have, and not with anything newer',
  async (t) => {
    const { home, friend, network, others, sign, rest, look, isHere, deliver } = await heldCopy(t)
    await look()
    network.disconnect(home, friend)
    others.record = await sign([home.as('home')])
    await deliver(friend)
    t.equal(await look(), 0)
    t.equal(await look(28), 0)
    t.equal(await look(1), 0)
    t.ok(isHere(), 'a letter came in that was not handed over')
    t.equal(await look(2), 1, 'its own time is over')
    await rest()
    t.notOk(isHere())
  },
)

t.test('named no more, and never seen to be handed over: it stays', async (t) => {
  const { home, friend, network, others, sign, look, isHere } = await heldCopy(t)
  network.disconnect(home, friend)
  others.record = await sign([home.as('home')])
  for (let n = 0; n < 4; n++) t.equal(await look(30), 0)
  t.ok(isHere())
})

t.test('another home than the one that had it all proves nothing', async (t) => {
  const { home, friend, network, others, sign, look, isHere } = await heldCopy(t)
  await look()
  network.disconnect(home, friend)
  const elsewhere = { peerId: '12D3KooWanother' as PeerId, role: 'home', addresses: [] } as const
  others.record = await sign([elsewhere, home.as('former')])
  for (let n = 0; n < 4; n++) t.equal(await look(30), 0)
  t.ok(isHere())
})

t.test('30 days after the end of the newest record, and after others were asked', async (t) => {
  const { friend, home, network, others, doubt, sign, look, isHere } = await heldCopy(t)
  network.disconnect(home, friend)
  t.equal(await look(400), 0)
  t.equal(await look(29), 0)
  others.isThere = false
  t.equal(await look(5), 0, 'nobody can be asked')
  t.equal(await look(5), 0)
  others.isThere = true
  doubt.isOn = true
  t.equal(await look(), 0)
  t.equal(await look(3650), 0, 'the clock is doubted')
  doubt.isOn = false
  t.equal(await look(-3650), 0, 'seen for the first time')
  others.record = await sign([home.as('home'), friend.as('replica')])
  t.ok(isHere())
  others.record = undefined
  t.equal(await look(2), 1)
  t.notOk(isHere())
})

t.test('a newer record elsewhere keeps the copy', async (t) => {
  const { home, friend, network, others, owner, look, isHere } = await heldCopy(t)
  network.disconnect(home, friend)
  Object.assign(owner, { nowHours: owner.nowHours + 420 * 24 })
  others.record = parsePlainSlot(owner.record().body).content
  t.equal(await look(440), 0)
  t.equal(await look(10), 0)
  t.ok(isHere())
})

t.test('a home, and whoever lives here or did, keeps the mailbox', async (t) => {
  const { home, friend, living, others, sign, network, look, isHere } = await heldCopy(t)
  network.disconnect(home, friend)
  others.record = await sign([friend.as('home')])
  t.equal(await look(1000), 0)
  t.equal(await look(10), 0)
  others.record = await sign([])
  living.add('here')
  t.equal(await look(10), 0)
  t.equal(await look(10), 0)
  t.ok(isHere())
})

t.test(
  'an account that has closed its mailbox: gone a day later, undelivered or not',
  async (t) => {
    const { home, friend, network, others, sign, look, isHere, deliver } = await heldCopy(t)
    network.disconnect(home, friend)
    await deliver(friend)
    others.record = await sign([])
    t.equal(await look(), 0)
    t.equal(await look(0.5), 0)
    others.isThere = false
    t.equal(await look(1), 0)
    others.isThere = true
    t.equal(await look(), 1)
    t.notOk(isHere())
  },
)

t.test('cut off midway it is finished after a start, and may be held again, whole', async (t) => {
  const { home, friend, network, sign, rest, look, isHere, items, retirement } = await heldCopy(t)
  await sign([home.as('home'), friend.as('former')])
  t.equal(await look(), 0)
  const { items: store } = friend.store
  const own = store.drop.bind(store)
  store.drop = async () => {
    throw new Error('cut off')
  }
  await t.rejects(look(31), { message: 'cut off' })
  store.drop = own
  t.ok(items(friend) > 0)
  retirement.start()
  await rest()
  retirement.close()
  t.notOk(isHere())
  t.equal(items(friend), 0)

  await sign([home.as('home'), friend.as('replica')])
  network.disconnect(home, friend)
  network.connect(home, friend)
  await rest()
  t.ok(isHere())
  t.equal(items(friend), items(home))
})
