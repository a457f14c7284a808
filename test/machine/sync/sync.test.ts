import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { machineKeyOf } from '../../../src/base/crypto/address.ts'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { plainSlotKey } from '../../../src/base/crypto/slot-header.ts'
import type { PeerId } from '../../../src/base/util/brand.ts'
import { AbzuError } from '../../../src/base/util/errors.ts'
import { toHex } from '../../../src/base/util/bytes.ts'
import { MailboxOwner } from '../../support/mailbox-owner.ts'
import { ManualTime } from '../../support/manual-time.ts'
import { SyncNetwork, SyncNode, type SyncNodeInit } from '../../support/sync-node.ts'
import { tempHome } from '../../support/temp-home.ts'

const platform = nodePlatform()
const gigabyte = 1024 ** 3
/** A list that grows, and a mark of what the puller itself has sent, wait so long for others. */
const companyMs = 250
const stranger = '12D3KooWsender' as PeerId

/** A home, and a friend's node that has agreed to keep what the home's people have; the account names both. */
async function house(
  t: Test,
  {
    friends = 1,
    isNamed = true,
    onDisk = false,
    streams = {},
  }: {
    friends?: number
    isNamed?: boolean
    onDisk?: boolean
    streams?: SyncNodeInit['streams']
  } = {},
) {
  const time = new ManualTime()
  const network = new SyncNetwork()
  const nodes: SyncNode[] = []
  for (let n = 0; n <= friends; n++) {
    const dir = onDisk ? join(tempHome(t).ABZU_HOME, 'store') : undefined
    nodes.push(await new SyncNode(network, { platform, time, streams, dir }).start())
  }
  const [home, friend, ...more] = nodes as [SyncNode, SyncNode, ...SyncNode[]]
  const others = [friend, ...more]
  for (const other of others) {
    other.trust.set(home.peerId, gigabyte)
    home.trust.set(other.peerId, gigabyte)
  }
  t.teardown(async () => {
    for (const node of nodes) await node.stop()
  })
  const holders = others.map((other) => other.as('replica'))
  const account = async () => {
    const owner = new MailboxOwner({
      platform,
      nowMs: time.nowMs(),
      home: home.as('home'),
      holders: isNamed ? holders : [],
    })
    const port = await home.mailboxes.host(owner.rootPk, [owner.identity(), owner.record()])
    const door = owner.door()
    await port.putSlots([door.slot])
    return { owner, port, door, mailbox: owner.mailbox }
  }
  /** Lets what was begun come to rest, and what waits for company set out. */
  const rest = async () => {
    for (let n = 0; n < 12; n++) await time.settle()
    await time.advance(companyMs)
    for (let n = 0; n < 12; n++) await time.settle()
  }
  return { time, network, home, friend, others, account, rest }
}

async function slotNamed(node: SyncNode, { mailbox }: Account, name: string) {
  const slot = await node.store.items.slot(mailbox, plainSlotKey(platform, mailbox, name))
  if (!slot) throw new Error(`no slot ${name}`)
  return slot
}

type Account = Awaited<ReturnType<Awaited<ReturnType<typeof house>>['account']>>

async function deliver(node: SyncNode, { owner, door }: Account, count: number) {
  const letters = await Promise.all(
    Array.from({ length: count }, async (_, n) => owner.letter(door, { text: `letter ${n}` })),
  )
  const taken = await node.mailboxes.take(letters, stranger)
  return { letters, states: taken.map(({ kind }) => kind) }
}

function sameCopies(t: Test, nodes: readonly SyncNode[], { mailbox }: Account, count: number) {
  for (const node of nodes) {
    const { count: items, sum } = node.store.items.digest(mailbox)
    t.equal(items, count, 'items')
    t.equal(toHex(sum), toHex((nodes[0] as SyncNode).store.items.digest(mailbox).sum), 'the same')
  }
}

t.test('a friend gets everything, and then what is new, at once', async (t) => {
  const { network, home, friend, account, rest } = await house(t)
  const anna = await account()
  await deliver(home, anna, 40)
  network.connect(home, friend)
  await rest()
  sameCopies(t, [home, friend], anna, 43)
  await deliver(home, anna, 3)
  await rest()
  sameCopies(t, [home, friend], anna, 46)
  t.equal(friend.mailboxes.rootOf(anna.mailbox)?.length, 32)
  const other = await account()
  await rest()
  sameCopies(t, [home, friend], other, 3)
})

t.test('what a holder took in while the home was away comes home, once', async (t) => {
  const { network, home, friend, account, rest } = await house(t)
  const anna = await account()
  network.connect(home, friend)
  await rest()
  network.disconnect(home, friend)
  const { states } = await deliver(friend, anna, 20)
  t.ok(states.every((state) => state === 'durable'))
  await deliver(home, anna, 5)
  network.connect(home, friend)
  await rest()
  sameCopies(t, [home, friend], anna, 28)
})

t.test('acknowledged mail goes everywhere, and does not come back', async (t) => {
  const { network, home, friend, account, rest } = await house(t)
  const anna = await account()
  const { letters } = await deliver(home, anna, 4)
  network.connect(home, friend)
  await rest()
  network.disconnect(home, friend)
  await anna.port.putSlots([anna.owner.acknowledge(letters.slice(0, 3).map(({ id }) => id))])
  network.connect(home, friend)
  await rest()
  sameCopies(t, [home, friend], anna, 5)
  t.equal(friend.store.items.usage(anna.mailbox)[1]?.mail.items, 1)
})

t.test('nothing new costs the same for one mailbox and for fifty', async (t) => {
  for (const count of [1, 50]) {
    const { network, home, friend, account, rest } = await house(t)
    for (let n = 0; n < count; n++) await account()
    network.connect(home, friend)
    await rest()
    await rest()
    network.disconnect(home, friend)
    network.sent.clear()
    network.connect(home, friend)
    await rest()
    const bytes = [...network.sent.values()].reduce((sum, one) => sum + one, 0)
    t.ok(bytes > 0 && bytes < 600, `${bytes} bytes both ways, twice`)
  }
})

t.test('more mailboxes than a stream takes at once are all shared', async (t) => {
  const streams = { sendQueueBytesMax: 65_536, sendQueueBytesLow: 16_384 }
  const { home, friend, network, account, rest } = await house(t, { streams })
  const accounts: Account[] = []
  for (let n = 0; n < 40; n++) accounts.push(await account())
  network.connect(home, friend)
  for (let n = 0; n < 10; n++) await rest()
  for (const one of accounts) sameCopies(t, [home, friend], one, 3)
  for (const [one, other] of [
    [home, friend],
    [friend, home],
  ] as const) {
    t.type(one.syncer.state(other.peerId).verifiedMsAgo, 'number', 'each has seen that')
  }
})

t.test('one mailbox more is told alone, however many there are', async (t) => {
  const { network, home, friend, account, rest } = await house(t)
  for (let n = 0; n < 60; n++) await account()
  network.connect(home, friend)
  await rest()
  await rest()
  network.sent.clear()
  const anna = await account()
  await rest()
  sameCopies(t, [home, friend], anna, 3)
  const bytes = [...network.sent.values()].reduce((sum, one) => sum + one, 0)
  t.ok(bytes < 5500, `${bytes} bytes both ways, where a list of all has 1900 each`)
  anna.owner.hosts = [home.as('home')]
  await anna.port.putSlots([anna.owner.record()])
  await rest()
  await deliver(home, anna, 2)
  await rest()
  t.equal(friend.store.items.digest(anna.mailbox).count, 3, 'it has left the set')
})

t.test('a node that the account does not name gets nothing', async (t) => {
  const { network, home, friend, account, rest } = await house(t, { isNamed: false })
  const anna = await account()
  network.connect(home, friend)
  await rest()
  t.equal(friend.mailboxes.rootOf(anna.mailbox), undefined)
  anna.owner.hosts = [home.as('home'), friend.as('replica')]
  await anna.port.putSlots([anna.owner.record()])
  await rest()
  sameCopies(t, [home, friend], anna, 3)
})

t.test('two friends and a home, each told by whoever is there', async (t) => {
  const { network, home, friend, others, account, rest } = await house(t, { friends: 2 })
  const [, third] = others as [SyncNode, SyncNode]
  const anna = await account()
  network.connect(home, friend)
  network.connect(home, third)
  network.connect(friend, third)
  await rest()
  await deliver(home, anna, 10)
  await rest()
  sameCopies(t, [home, friend, third], anna, 13)
  network.disconnect(home, friend)
  network.disconnect(home, third)
  await deliver(friend, anna, 7)
  await rest()
  network.connect(home, third)
  await rest()
  sameCopies(t, [home, friend, third], anna, 20)
})

t.test('nothing is sent back to where it came from', async (t) => {
  const { network, home, friend, account, rest } = await house(t)
  const anna = await account()
  network.connect(home, friend)
  await rest()
  network.sent.clear()
  await deliver(home, anna, 50)
  await rest()
  const back = network.sent.get(friend.peerId) ?? 0
  t.ok(back < 200, `${back} bytes, though 50 ids are 800`)
})

t.test('a cursor that cannot be read costs another look, and no copy', async (t) => {
  const { network, home, friend, account, rest } = await house(t)
  const anna = await account()
  network.connect(home, friend)
  await rest()
  network.disconnect(home, friend)
  const cursors = friend.store.table('sync-cursors')
  const key = machineKeyOf(home.peerId)
  await cursors.put(key, Uint8Array.of(0x80))
  await deliver(home, anna, 3)
  network.connect(home, friend)
  await rest()
  sameCopies(t, [home, friend], anna, 6)
  t.not(cursors.get(key)?.length, 1, 'another one is written')
})

t.test('what was cut off goes on where it stopped', async (t) => {
  const { network, home, friend, account, rest } = await house(t)
  const anna = await account()
  await deliver(home, anna, 400)
  for (let n = 0; n < 40; n++) {
    network.connect(home, friend)
    for (let turn = 0; turn < n; turn++) await new Promise((resolve) => setImmediate(resolve))
    network.disconnect(home, friend)
  }
  await rest()
  network.connect(home, friend)
  await rest()
  sameCopies(t, [home, friend], anna, 403)
  t.match(await friend.store.verify(), { isSound: true })
})

t.test(
  'a source with a new store is asked for all of it, and sends what is not there',
  async (t) => {
    const { network, home, friend, account, rest } = await house(t)
    const anna = await account()
    await deliver(home, anna, 30)
    network.connect(home, friend)
    await rest()
    network.disconnect(home, friend)
    Object.defineProperty(home.store, 'epoch', { value: platform.random(16) })
    await deliver(home, anna, 2)
    network.sent.clear()
    network.connect(home, friend)
    await rest()
    sameCopies(t, [home, friend], anna, 35)
    t.ok((network.sent.get(home.peerId) ?? 0) < 10_000, 'ids, and two letters')
  },
)

t.test('no more is kept than was agreed', async (t) => {
  const { network, home, friend, account, rest, time } = await house(t)
  friend.trust.set(home.peerId, 60_000)
  const anna = await account()
  await deliver(home, anna, 100)
  network.connect(home, friend)
  await rest()
  await time.advance(5000)
  t.ok((await friend.room.used(home.peerId)) <= 60_000)
  t.equal(home.store.items.digest(anna.mailbox).count, 103)
  friend.trust.set(home.peerId, gigabyte)
  await time.advance(120_000)
  await rest()
  sameCopies(t, [home, friend], anna, 103)
})

t.test('a stranger is refused everything', async (t) => {
  const { network, home, account, rest, time } = await house(t)
  const anna = await account()
  const other = await new SyncNode(network, { platform, time }).start()
  t.teardown(async () => other.stop())
  other.trust.set(home.peerId, gigabyte)
  network.connect(home, other)
  await rest()
  t.equal(other.mailboxes.rootOf(anna.mailbox), undefined)
  t.equal(other.syncer.state(home.peerId).pulledMsAgo, undefined)
  t.equal(home.syncer.state(other.peerId).pulledMsAgo, undefined, 'and nothing is asked of it')
})

t.test('a node that is named and never agreed holds nothing', async (t) => {
  const { network, home, friend, account, rest } = await house(t)
  friend.trust.clear()
  const anna = await account()
  network.connect(home, friend)
  await rest()
  t.equal(friend.mailboxes.rootOf(anna.mailbox), undefined)
})

t.test('damage and forgery in what a source sends', async (t) => {
  const { network, home, friend, account, rest } = await house(t)
  const anna = await account()
  network.connect(home, friend)
  await rest()
  const forger = new MailboxOwner({ platform, nowMs: Date.UTC(2026, 0, 1, 12) })
  const { envelope } = await anna.owner.letter(anna.door)
  const mail = {
    kind: 'mail',
    expiresAtHours: 2 ** 32 - 1,
    pool: 1,
    signed: new Uint8Array(),
  } as const
  const before = friend.store.items.digest(anna.mailbox).count
  await friend.mailboxes.takeCopies(anna.mailbox, [
    { ...forger.identity(), kind: 'slot', expiresAtHours: 0, pool: 0 },
    { ...forger.record(), kind: 'slot', expiresAtHours: 0, pool: 0 },
    { ...mail, body: new Uint8Array(300) },
    { ...mail, body: envelope.subarray(0, 5) },
    { ...mail, body: envelope },
  ])
  t.equal(friend.store.items.digest(anna.mailbox).count, before + 1, 'the letter alone')
  await rest()
  sameCopies(t, [home, friend], anna, before + 1)
})

t.test('what one copy has lost comes back from the other, and costs little', async (t) => {
  const { network, home, friend, account, rest, time } = await house(t)
  const anna = await account()
  const others = [await account(), await account()]
  const { letters } = await deliver(home, anna, 900)
  network.connect(home, friend)
  await rest()
  sameCopies(t, [home, friend], anna, 903)
  const ids = letters.map(({ id }) => id)
  await friend.store.items.remove(anna.mailbox, ids.slice(0, 5))
  await home.store.items.remove(anna.mailbox, ids.slice(5, 8))
  network.sent.clear()
  await deliver(home, anna, 1)
  for (let n = 0; n < 8; n++) {
    await time.advance(2000)
    await rest()
  }
  sameCopies(t, [home, friend, home], anna, 904)
  for (const other of others) sameCopies(t, [home, friend], other, 3)
  const bytes = [...network.sent.values()].reduce((sum, one) => sum + one, 0)
  t.ok(
    bytes < 110_000,
    `${bytes} bytes for 9 letters of 2.7 KB, one of them new, where all ids are 14 KB`,
  )
  t.ok((home.syncer.state(friend.peerId).verifiedMsAgo ?? Infinity) < 20_000)
})

t.test('a difference that nobody can mend is looked at ever more seldom', async (t) => {
  const { network, home, friend, account, rest, time } = await house(t)
  const anna = await account()
  network.connect(home, friend)
  await rest()
  const takes = friend.mailboxes.wants.bind(friend.mailboxes)
  let isBlind = true
  Object.assign(friend.mailboxes, {
    wants: (mailbox: typeof anna.mailbox, id: Uint8Array) => !isBlind && takes(mailbox, id),
  })
  await deliver(home, anna, 3)
  await rest()
  network.sent.clear()
  await time.advance(3_600_000)
  const bytes = network.sent.get(friend.peerId) ?? 0
  t.ok(bytes > 0 && bytes < 20_000, `${bytes} bytes in an hour`)
  isBlind = false
  await time.advance(3_600_000)
  sameCopies(t, [home, friend], anna, 6)
})

t.test('a source that breaks off after each mark is asked ever more seldom', async (t) => {
  const { network, home, friend, account, rest, time } = await house(t)
  const anna = await account()
  network.connect(home, friend)
  await rest()
  const { items } = home.store
  const digest = items.digest.bind(items)
  let breaks = 0
  Object.assign(items, {
    digest: (mailbox: typeof anna.mailbox) => ({
      ...digest(mailbox),
      buckets: () => {
        breaks++
        throw new AbzuError('ABZU_STORE_DAMAGED', 'as the test wants it')
      },
    }),
  })
  friend.mailboxes.wants = () => false
  await deliver(home, anna, 1)
  await rest()
  await time.advance(3_600_000)
  t.ok(breaks > 2 && breaks < 100, `${breaks} times in an hour`)
})

t.test('a new home makes itself known to those who hold the old copies', async (t) => {
  const { network, time, home, friend, account, rest } = await house(t)
  const anna = await account()
  await deliver(home, anna, 5)
  network.connect(home, friend)
  await rest()
  network.disconnect(home, friend)
  const fresh = await new SyncNode(network, { platform, time }).start()
  t.teardown(async () => fresh.stop())
  anna.owner.hosts = [fresh.as('home'), friend.as('replica'), home.as('former')]
  const slots = await Promise.all(
    ['identity', 'record'].map(async (name) => slotNamed(friend, anna, name)),
  )
  const port = await fresh.mailboxes.host(anna.owner.rootPk, slots)
  await port.putSlots([anna.owner.record()])
  network.connect(fresh, friend)
  await rest()
  await time.advance(5000)
  await rest()
  sameCopies(t, [friend, fresh], anna, 8)
  await deliver(friend, anna, 2)
  await rest()
  sameCopies(t, [friend, fresh], anna, 10)
  network.connect(home, friend)
  await rest()
  sameCopies(t, [friend, fresh], anna, 10)
  const told = await home.mailboxes.hostsOf(anna.mailbox)
  t.equal(told.find(({ peerId }) => peerId === home.peerId)?.role, 'former', 'it knows')
  t.equal(home.store.items.digest(anna.mailbox).count, 8, 'and is given nothing more')
  await deliver(home, anna, 1)
  await rest()
  sameCopies(t, [friend, fresh], anna, 11)
})

t.test(
  'I12: what the disk has damaged is noticed by a check, and fetched from the other copy',
  async (t) => {
    const { network, home, friend, account, rest, time } = await house(t, { onDisk: true })
    const anna = await account()
    const { letters } = await deliver(home, anna, 40)
    network.connect(home, friend)
    await eventually(rest, () => friend.store.items.digest(anna.mailbox).count === 43)
    await eventually(rest, () => (friend.syncer.state(home.peerId).verifiedMsAgo ?? -1) >= 0)
    const file = join(friend.dir ?? '', 'segment-00000001')
    const bytes = readFileSync(file)
    for (const { envelope } of letters.slice(0, 3)) {
      const at = bytes.indexOf(envelope)
      bytes.writeUInt8(bytes.readUInt8(at + 500) ^ 1, at + 500)
    }
    writeFileSync(file, bytes)
    t.match(await friend.store.verify(), { isSound: false })
    t.equal(friend.store.items.digest(anna.mailbox).count, 40, 'they are gone here')
    friend.syncer.compare()
    await time.advance(1000)
    await eventually(rest, () => friend.store.items.digest(anna.mailbox).count === 43)
    sameCopies(t, [home, friend], anna, 43)
    t.match(await friend.store.verify(), { isSound: true })
    for (const { id } of letters) t.ok(await friend.store.items.get(anna.mailbox, id))
  },
)

async function eventually(rest: () => Promise<void>, isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries++) {
    if (tries > 200) throw new Error('never so')
    await rest()
  }
}
