import t, { type Test } from 'tap'
import type { ListedItem } from '../../../src/base/store/item-store.ts'
import type { MailboxId, PeerId } from '../../../src/base/util/brand.ts'
import { toHex } from '../../../src/base/util/bytes.ts'
import { systemScheduler } from '../../../src/base/util/system-time.ts'
import { plainSlotKey } from '../../../src/base/crypto/slot-header.ts'
import { plainSlotName } from '../../../src/base/wire/plain-slot.ts'
import { Feed } from '../../../src/machine/sync/feed.ts'
import { Origins } from '../../../src/machine/sync/origins.ts'
import {
  itemOf,
  mailboxNamed,
  openTestStore,
  slotOf,
  storePlatform,
} from '../../support/store-content.ts'

const peer = 'the puller' as PeerId
const [alice, bob] = [mailboxNamed('alice'), mailboxNamed('bob')]

async function feedOf(t: Test) {
  const { items, close } = await openTestStore({ dir: undefined })
  t.teardown(close)
  const offered: string[] = []
  const desk = {
    offer: async (_: MailboxId, some: readonly ListedItem[]) =>
      void offered.push(...some.map(({ id }) => toHex(id))),
    settled: async () => {},
  }
  const origins = new Origins()
  const deps = { items, origins, platform: storePlatform, scheduler: systemScheduler }
  return { items, origins, offered, feed: new Feed(deps, desk, peer) }
}

t.test('a mailbox of which is said a moment later is not overlooked', async (t) => {
  const { items, offered, feed } = await feedOf(t)
  feed.begin(
    [alice, bob].map((mailbox) => ({ mailbox, isKnown: true })),
    items.newest,
  )
  await feed.offerNews()
  const letters = [bob, alice].map((mailbox) => itemOf(mailbox, 'in one commit'))
  await items.append(letters)
  feed.notice(alice)
  const round = feed.offerNews()
  await Promise.resolve()
  feed.notice(bob)
  t.equal(await round, items.newest)
  while (feed.hasNews) await feed.offerNews()
  t.same(offered.toSorted(), letters.map(({ id }) => toHex(id)).toSorted())
})

t.test('what comes during a round is offered in the next one, and once', async (t) => {
  const { items, offered, feed } = await feedOf(t)
  feed.begin([{ mailbox: alice, isKnown: false }], 0)
  const letters = Array.from({ length: 30 }, (_, n) => itemOf(alice, `letter ${n}`))
  for (const letter of letters) {
    const stored = items.append([letter])
    const round = feed.offerNews()
    await stored
    feed.notice(alice)
    await round
  }
  while (feed.hasNews) await feed.offerNews()
  t.same(
    offered,
    letters.map(({ id }) => toHex(id)),
  )
  t.equal(feed.isUrgent, false)
})

t.test('who may sign comes before what is judged by it, after a rotation too', async (t) => {
  const { items, offered, feed } = await feedOf(t)
  const slot = (name: string, version: number, key?: Uint8Array) =>
    slotOf(alice, { name, version, body: `${name} ${version}`, ...(key && { key }) })
  const plain = (name: string, version: number) =>
    slot(name, version, plainSlotKey(storePlatform, alice, name))
  const { identity, record } = plainSlotName
  const introduction = (version: number) => [plain(identity, version), plain(record, version)]
  await items.putSlots([slot('door', 1), ...introduction(1)])
  for (const isKnown of [false, true]) {
    offered.length = 0
    feed.begin([{ mailbox: alice, isKnown }], isKnown ? items.newest : 0)
    if (isKnown) {
      await items.putSlots([slot('door', 2), slot('vault', 2)])
      await items.append([itemOf(alice, 'a letter')])
      await items.putSlots(introduction(2))
    }
    await feed.offerNews()
    const first = introduction(isKnown ? 2 : 1).map(({ signed }) =>
      toHex(storePlatform.sha256(signed)),
    )
    t.same(offered.slice(0, 2), first)
    t.equal(offered.length, isKnown ? 5 : 3)
    t.equal(new Set(offered).size, offered.length, 'each once')
  }
})

t.test('what the puller has sent is its own, and costs it no look', async (t) => {
  const { items, origins, offered, feed } = await feedOf(t)
  feed.begin([{ mailbox: alice, isKnown: true }], items.newest)
  await feed.offerNews()
  const note = (first: number, last: number) => origins.note(peer, first, last)
  await items.append([itemOf(alice, 'a'), itemOf(alice, 'b')], [], note)
  t.equal(feed.notice(alice), 'own')
  t.equal(feed.notice(bob), 'none')
  t.equal(feed.isUrgent, false)
  t.equal(await feed.offerNews(), items.newest)
  t.same(offered, [])
  await items.append([itemOf(alice, 'c')], [], note)
  const other = itemOf(alice, 'd')
  await items.append([other])
  t.equal(feed.notice(alice), 'news')
  await feed.offerNews()
  t.same(offered, [toHex(other.id)], 'among others of its own')
})
