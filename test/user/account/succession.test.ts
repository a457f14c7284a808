/** There are never two living homes: the one that was left freezes, and nothing else makes it freeze. */

import t from 'tap'
import { openDeviceCertificate } from '../../../src/base/crypto/certificate.ts'
import {
  placeOf,
  signMailboxRecord,
  verifyMailboxRecord,
} from '../../../src/base/crypto/mailbox-record.ts'
import { rootKeysOf } from '../../../src/base/crypto/words.ts'
import { concatBytes } from '../../../src/base/util/bytes.ts'
import { AbzuError } from '../../../src/base/util/errors.ts'
import type { Host, MailboxRecord } from '../../../src/base/wire/records.ts'
import { newDevice } from '../../../src/user/account/device.ts'
import { withRecord, verifyRecord } from '../../../src/user/message/reach.ts'
import type { MemoryNode } from '../../support/memory-ports.ts'
import { befriended, password, textsOf, World, type Household } from '../../support/household.ts'
import {
  addressOf,
  mailboxOn,
  newPassword,
  recordOn,
  recovering,
} from '../../support/recovering.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const moved = { code: 'ABZU_ACCOUNT_MOVED' }

function findingWorld(): World {
  const world = new World()
  world.network.hasDirectory = true
  return world
}

/** A record of the account by a device of its own making, after the one in its mailbox. */
function recordByAnother(
  world: World,
  { node, words, member }: Household,
  init: { docSeq?: number; changes?: (last: MailboxRecord) => Partial<MailboxRecord> } = {},
): Uint8Array {
  const { platform } = world
  const { rootSeed } = rootKeysOf(platform, words)
  const device = newDevice(platform, { rootSeed, docSeq: init.docSeq ?? 2 })
  const last = recordOn(world, node, member)
  return signMailboxRecord(platform, device.signSeed, {
    ...last,
    seq: last.seq + 1,
    deviceCertificate: device.certificate,
    ...init.changes?.(last),
  })
}

/** A node to which Alice has gone, of which her old home has not heard. */
async function leftUnheard(world: World, alice: Household): Promise<MemoryNode> {
  const node = world.node()
  const manager = await world.manager(node)
  await manager.recover(recovering(alice, { peer: addressOf(alice.node) }))
  return node
}

/** What a mailbox has at one node comes to the other. */
function bring(from: MemoryNode, to: MemoryNode): void {
  const there = mailboxOn(to)
  for (const slot of mailboxOn(from).slotsOnDisk.values()) there.apply(there.checkAll([slot]))
}

const elsewhere = (world: World): Host => ({ peerId: world.node().peerId, role: 'home' })

t.test('a home that was left freezes within the hour, for good', async (t) => {
  const { world, alice, bob } = await befriended(findingWorld())
  const node = world.node()
  const manager = await world.manager(node)
  const member = await manager.recover(recovering(alice))
  t.equal(alice.manager.get('alice').movedTo, undefined)
  await world.time.advance(hourMs)
  t.match(alice.manager.list(), [{ name: 'alice', locked: true, movedTo: node.peerId }])
  await t.rejects(alice.manager.unlock('alice', password), {
    ...moved,
    message: new RegExp(node.peerId),
  })
  t.throws(() => alice.manager.member('alice'), { code: 'ABZU_LOCKED' })
  const left = recordOn(world, alice.node, alice.member)
  await world.time.advance(3 * dayMs)
  t.same(recordOn(world, alice.node, alice.member), left, 'it signs nothing any more')
  await alice.manager.close()

  alice.node.isOnline = false
  const again = await world.manager(alice.node)
  t.match(again.list(), [{ name: 'alice', locked: true, movedTo: node.peerId }])
  await t.rejects(again.unlock('alice', password), moved, 'after a restart, without a network')
  alice.node.isOnline = true
  t.ok(recordOn(world, node, member).seq > left.seq + 1, 'the new home goes on')
  await member.messages.send({ to: 'bob', text: 'hello' })
  await world.settle()
  t.equal((await textsOf(bob)).at(-1), 'hello')
})

t.test('a home that was left while it was locked does not open', async (t) => {
  const { world, alice } = await befriended(findingWorld())
  await alice.manager.lock('alice')
  const node = world.node()
  await (await world.manager(node)).recover(recovering(alice))
  const before = recordOn(world, alice.node, alice.member)
  const { writes } = alice.node.disk
  await t.rejects(alice.manager.unlock('alice', password), moved)
  await world.settle()
  t.equal(alice.manager.get('alice').movedTo, node.peerId)
  t.equal(alice.node.disk.writes, writes + 1, 'nothing is written but the row')
  t.same(recordOn(world, alice.node, alice.member), before)
  t.equal(alice.node.outbox.length, 0)
})

t.test('a row that could not be written: found again at the next unlocking', async (t) => {
  const { world, alice } = await befriended(findingWorld())
  const node = world.node()
  await (await world.manager(node)).recover(recovering(alice))
  await alice.manager.lock('alice')
  alice.node.disk.failAt(1, 'before')
  await t.rejects(alice.manager.unlock('alice', password), moved)
  await world.settle()
  await alice.manager.close()
  alice.node.revive()
  const again = await world.manager(alice.node)
  t.equal(again.get('alice').movedTo, undefined)
  await t.rejects(again.unlock('alice', password), moved)
  t.equal(again.get('alice').movedTo, node.peerId)
})

t.test('a directory that fails keeps nobody out', async (t) => {
  const { world, alice } = await befriended(findingWorld())
  await alice.manager.lock('alice')
  const { ahead } = alice.node.directory
  alice.node.directory.ahead = async () => {
    throw new AbzuError('ABZU_STORE_DAMAGED', 'a row that is none')
  }
  t.equal((await alice.manager.unlock('alice', password)).id, alice.member.id)
  const node = world.node()
  await (await world.manager(node)).recover(recovering(alice))
  alice.node.directory.ahead = ahead
  await world.time.advance(hourMs)
  t.equal(alice.manager.get('alice').movedTo, node.peerId, 'it is found out later')
})

t.test('what freezes nothing', async (t) => {
  const world = findingWorld()
  const stranger = await world.household('stranger')
  const cases: Record<string, (alice: Household) => Uint8Array> = {
    'another device has changed the prekey': (alice) => recordByAnother(world, alice),
    'another device, and the home has other addresses': (alice) =>
      recordByAnother(world, alice, {
        changes: ({ hosts: [home] }) => ({
          hosts: [{ ...home, addresses: ['/ip4/192.0.2.9/tcp/1'] } as Host, elsewhere(world)],
        }),
      }),
    'an older document, whatever its number': (alice) =>
      recordByAnother(world, alice, {
        docSeq: 0,
        changes: ({ seq }) => ({ seq: seq + 1000, hosts: [elsewhere(world)] }),
      }),
    'the same place': (alice) =>
      recordByAnother(world, alice, {
        docSeq: 1,
        changes: ({ seq }) => ({ seq, hosts: [elsewhere(world)] }),
      }),
    'a lower number': (alice) =>
      recordByAnother(world, alice, {
        docSeq: 1,
        changes: ({ seq }) => ({ seq: seq - 1, hosts: [elsewhere(world)] }),
      }),
    'no home at all': (alice) =>
      recordByAnother(world, alice, {
        changes: () => ({ hosts: [{ ...elsewhere(world), role: 'replica' }] }),
      }),
    'another account': (alice) => {
      const { account } = recordOn(world, alice.node, alice.member)
      t.notSame(account, recordOn(world, stranger.node, stranger.member).account)
      return recordByAnother(world, stranger, { changes: () => ({ hosts: [elsewhere(world)] }) })
    },
    'another account that claims this one': (alice) =>
      recordByAnother(world, stranger, {
        changes: () => ({
          account: recordOn(world, alice.node, alice.member).account,
          hosts: [elsewhere(world)],
        }),
      }),
    'a broken signature': (alice) => {
      const signed = recordByAnother(world, alice, {
        changes: () => ({ hosts: [elsewhere(world)] }),
      })
      const forged = concatBytes(signed)
      forged[signed.length - 1] = (forged.at(-1) as number) ^ 1
      return forged
    },
    'no record': () => new Uint8Array(100),
  }
  for (const [what, makeAhead] of Object.entries(cases)) {
    const name = `a${Object.keys(cases).indexOf(what)}`
    const alice = await world.household(name)
    alice.node.recordAhead = makeAhead(alice)
    await world.time.advance(2 * hourMs)
    t.match(alice.manager.list(), [{ locked: false, movedTo: undefined }], what)
    await alice.manager.lock(name)
    const member = await alice.manager.unlock(name, password)
    t.equal(member.id, alice.member.id, what)
    const { hosts } = recordOn(world, alice.node, alice.member)
    t.match(hosts[0], { peerId: alice.node.peerId, role: 'home' }, what)
    alice.node.recordAhead = undefined
    await world.time.advance(dayMs + hourMs)
    t.ok(recordOn(world, alice.node, alice.member).seq >= 2, `${what}: it goes on to rotate`)
    await alice.manager.close()
  }
})

t.test('a record that was brought into the mailbox counts as one that is shown', async (t) => {
  for (const isLocked of [true, false]) {
    const world = new World()
    const alice = await world.household('alice')
    const node = await leftUnheard(world, alice)
    if (isLocked) await alice.manager.lock('alice')
    bring(node, alice.node)
    const before = recordOn(world, alice.node, alice.member)
    t.match(before.hosts[0], { peerId: node.peerId })
    await (isLocked
      ? t.rejects(alice.manager.unlock('alice', password), moved)
      : t.rejects(alice.member.contacts.letStrangersBe('refused'), moved))
    await world.settle()
    t.match(alice.manager.list(), [{ locked: true, movedTo: node.peerId }])
    t.same(recordOn(world, alice.node, alice.member), before, 'nobody has signed over it')
  }
})

t.test('one that was brought before the home stopped freezes it at the next start', async (t) => {
  const world = new World()
  const alice = await world.household('alice')
  const node = await leftUnheard(world, alice)
  await alice.manager.close()
  t.match((await world.manager(alice.node)).list(), [{ movedTo: undefined }])
  bring(node, alice.node)
  t.match((await world.manager(alice.node)).list(), [{ locked: true, movedTo: node.peerId }])
})

t.test('a machine with another key is no other home', async (t) => {
  const world = new World()
  const alice = await world.household('alice')
  await alice.manager.close()
  const other = world.node()
  for (const [key, row] of alice.node.tables.onDisk('accounts'))
    other.tables.onDisk('accounts').set(key, row)
  for (const [key, mailbox] of alice.node.mailboxes) other.mailboxes.set(key, mailbox)
  const manager = await world.manager(other)
  const member = await manager.unlock('alice', password)
  await world.time.advance(hourMs)
  t.match(recordOn(world, other, member).hosts, [{ peerId: other.peerId, role: 'home' }])
})

t.test('whoever was left can be come back to', async (t) => {
  const { world, alice, bob } = await befriended(findingWorld())
  const node = world.node()
  const manager = await world.manager(node)
  await manager.recover(recovering(alice))
  await world.time.advance(hourMs)
  t.equal(alice.manager.get('alice').movedTo, node.peerId)
  const member = await alice.manager.recover(recovering(alice))
  t.match(alice.manager.list(), [{ name: 'alice', locked: false, movedTo: undefined }])
  await world.time.advance(hourMs)
  t.equal(manager.get('alice').movedTo, alice.node.peerId)
  t.match(recordOn(world, alice.node, member).hosts, [
    { peerId: alice.node.peerId, role: 'home' },
    { peerId: node.peerId, role: 'former' },
  ])
  await member.messages.send({ to: 'bob', text: 'back again' })
  await world.settle()
  t.equal((await textsOf(bob)).at(-1), 'back again')
  await alice.manager.lock('alice')
  t.equal((await alice.manager.unlock('alice', newPassword)).id, member.id)
})

t.test('I8, I26: numbers never fall, and what the old home signs undoes nothing', async (t) => {
  const { world, alice } = await befriended(findingWorld())
  const { platform } = world
  const seen: { docSeq: number; seq: number }[] = []
  const look = (signed: Uint8Array | undefined): void => {
    if (signed) seen.push(placeOf(verifyMailboxRecord(platform, signed)))
  }
  for (let day = 0; day < 4; day++) {
    look(mailboxOn(alice.node).record)
    await world.time.advance(dayMs + hourMs)
  }
  const highest = mailboxOn(alice.node).record as Uint8Array
  const node = world.node()
  const manager = await world.manager(node)
  const member = await manager.recover(recovering(alice))
  // the old home goes on alone, and signs more than anybody has seen
  alice.node.isOnline = false
  look(highest)
  const recovered = mailboxOn(node).record as Uint8Array
  look(recovered)
  await world.time.advance(5 * dayMs)
  look(mailboxOn(node).record)
  for (const [n, { docSeq, seq }] of seen.entries()) {
    const before = seen[n - 1]
    if (before) t.ok(docSeq >= before.docSeq && seq >= before.seq, `${docSeq} ${seq}`)
  }
  t.ok((seen.at(-1)?.seq ?? 0) > verifyMailboxRecord(platform, highest).record.seq)

  const old = mailboxOn(alice.node).record as Uint8Array
  const oldSeq = verifyMailboxRecord(platform, old).record.seq
  t.ok(oldSeq > verifyMailboxRecord(platform, highest).record.seq + 2, 'the old home went on')
  alice.node.isOnline = true
  t.same(
    verifyMailboxRecord(platform, world.network.published(mailboxOn(node).mailbox)).signPk,
    verifyMailboxRecord(platform, recovered).signPk,
    'the directory keeps the new home',
  )
  const root = verifyMailboxRecord(platform, recovered).record.account
  const contact = {
    v: 1 as const,
    root,
    name: 'alice',
    standing: 'accepted' as const,
    returnAddress: 'known' as const,
    devices: [],
    verified: false,
    addedAt: 0,
  }
  const knows = withRecord(contact, verifyRecord(platform, root, recovered), { nowMs: 1 })
  const after = withRecord(knows, verifyRecord(platform, root, old), { nowMs: 2 })
  t.equal(after, knows, 'nor do contacts go back, and they see no other keys')
  await world.time.advance(hourMs)
  t.match(alice.manager.list(), [{ locked: true, movedTo: node.peerId }])
  t.equal(manager.get('alice').movedTo, undefined, 'and never the other way round')
  t.equal(
    openDeviceCertificate(platform, recordOn(world, node, member).deviceCertificate).docSeq,
    2,
  )
})
