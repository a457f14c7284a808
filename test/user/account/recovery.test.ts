/** An account comes back from its words, at another node, with everything that somebody holds of it. */

import t from 'tap'
import { openDeviceCertificate } from '../../../src/base/crypto/certificate.ts'
import { parsePlainSlot, plainSlotKind } from '../../../src/base/wire/plain-slot.ts'
import { parseSlotHeader, slotClass } from '../../../src/base/wire/slot.ts'
import type { SignedSlot } from '../../../src/user/account/ports.ts'
import { befriended, collect, inboxOf, password, textsOf, World } from '../../support/household.ts'
import {
  addressOf,
  heldElsewhere,
  mailboxOn,
  newPassword,
  recordOn,
  recovering,
} from '../../support/recovering.ts'

const dayMs = 86_400_000

/** A world in which records are found by the mailbox alone. */
function findingWorld(): World {
  const world = new World()
  world.network.hasDirectory = true
  return world
}

t.test('everything is back at another node, and contacts see the same person', async (t) => {
  const { world, alice, bob } = await befriended(findingWorld())
  const { member } = alice
  await bob.member.contacts.confirm('alice', bob.member.contacts.safetyNumber('alice'))
  for (const text of ['one', 'two']) {
    await member.messages.send({ to: 'bob', text: `${text} from alice` })
    await bob.member.messages.send({ to: 'alice', text: `${text} from bob` })
    await world.settle()
    await inboxOf(alice)
    await world.time.advance(dayMs + 3_600_000)
  }
  await member.contacts.link()
  await alice.manager.lock('alice')
  await bob.member.messages.send({ to: 'alice', text: 'sealed to an older prekey' })
  await world.settle()
  const before = recordOn(world, alice.node, member)
  t.equal(bob.member.contacts.get('alice').verified, true)
  const holder = await heldElsewhere(world, alice)
  alice.node.isOnline = false

  const node = world.node()
  const manager = await world.manager(node)
  const init = recovering(alice, { peer: addressOf(holder) })
  const again = await manager.recover(init)
  t.match(again, { id: member.id, name: 'alice', role: 'admin' })
  t.match(manager.list(), [{ id: member.id, name: 'alice', role: 'admin', locked: false }])
  const last = init.told.at(-1)
  t.ok(last && last.items === last.itemsTotal && last.items > 10 && last.bytes > 1000)

  const after = recordOn(world, node, member)
  t.equal(after.seq, before.seq + 1)
  t.match(after.hosts, [
    { peerId: node.peerId, role: 'home' },
    { peerId: alice.node.peerId, role: 'former', addresses: alice.node.addresses },
  ])
  t.equal(openDeviceCertificate(world.platform, after.deviceCertificate).docSeq, 2)
  t.notSame(after.prekey, before.prekey)

  t.same(await textsOf({ member: again }), [
    'one from bob',
    'two from bob',
    'sealed to an older prekey',
  ])
  t.same(
    (await collect(again.messages.conversation('bob'))).map(({ text, state }) => [text, state]),
    [
      ['it is me', 'delivered'],
      ['one from alice', 'delivered'],
      ['one from bob', 'delivered'],
      ['two from alice', 'delivered'],
      ['two from bob', 'delivered'],
      ['sealed to an older prekey', 'delivered'],
    ],
  )
  t.match(again.contacts.list(), [{ id: bob.member.id, name: 'bob', blocked: false }])
  t.equal(again.links.list().length, 1, 'links work as before')

  await again.messages.send({ to: 'bob', text: 'I am back' })
  await world.settle()
  t.equal((await textsOf(bob)).at(-1), 'I am back')
  const seen = bob.member.contacts.get('alice')
  t.match(seen, { id: member.id, blocked: false, request: false, verified: false })
  t.type(seen.keysChangedAt, 'string', 'a device that nobody has confirmed is told of')
  await bob.member.messages.send({ to: 'alice', text: 'welcome back' })
  await world.settle()
  t.equal((await textsOf({ member: again })).at(-1), 'welcome back', 'to the new home')
  t.equal(mailboxOn(node).mailOnDisk.length, 0)

  const carol = await world.household('carol')
  await carol.member.contacts.add({ link: again.id, as: 'alice' })
  await carol.member.messages.send({ to: 'alice', text: 'found by the address' })
  await world.settle()
  t.equal((await textsOf({ member: again })).at(-1), 'found by the address')
})

t.test('the new password opens it, and another recovery moves it on', async (t) => {
  const { world, alice, bob } = await befriended(findingWorld())
  const node = world.node()
  const manager = await world.manager(node)
  await manager.recover(recovering(alice))
  await manager.lock('alice')
  await t.rejects(manager.unlock('alice', password), { code: 'ABZU_WRONG_PASSWORD' })
  const member = await manager.unlock('alice', newPassword)
  await world.time.advance(3 * dayMs)
  await member.messages.send({ to: 'bob', text: 'hello' })
  await world.settle()
  await bob.member.messages.send({ to: 'alice', text: 'still there?' })
  await world.settle()
  t.same(await textsOf({ member }), ['still there?'])
  t.equal((await textsOf(bob)).at(-1), 'hello')
  await manager.close()

  const third = await world.manager(world.node())
  const later = await third.recover(recovering(alice))
  t.same(await textsOf({ member: later }), ['still there?'], 'and once more')
  const { seq, deviceCertificate } = recordOn(world, node, later)
  t.equal(openDeviceCertificate(world.platform, deviceCertificate).docSeq, 2)
  t.ok(seq > 2)
})

t.test('what the old home had not sent goes out from the new one, once', async (t) => {
  const { world, alice, bob } = await befriended(findingWorld())
  bob.node.isOnline = false
  const { msgId } = await alice.member.messages.send({ to: 'bob', text: 'on its way' })
  await world.time.advance(10_000)
  const holder = await heldElsewhere(world, alice)
  alice.node.isOnline = false
  const manager = await world.manager(world.node())
  const member = await manager.recover(recovering(alice, { peer: addressOf(holder) }))
  t.match(await member.messages.show(msgId), { state: 'queued' })
  bob.node.isOnline = true
  await world.settle()
  t.match(await member.messages.show(msgId), { state: 'delivered' })
  t.same(await textsOf(bob), ['it is me', 'on its way'])
  alice.node.isOnline = true
  await world.settle()
  t.equal(alice.node.outbox.length, 0, 'the old home sends it too')
  t.same(await textsOf(bob), ['it is me', 'on its way'])
})

t.test('what is wrong is said before anything is asked for', async (t) => {
  const world = findingWorld()
  const alice = await world.household('alice')
  const node = world.node()
  const manager = await world.manager(node)
  const { words } = alice
  const swapped = [words[1] as string, words[0] as string, ...words.slice(2)]
  const isLucky = swapped.join(' ') === words.join(' ')
  const none = ['abandon', 'ability'].concat(words.slice(2, 23))
  for (const wrong of [[], none, isLucky ? [] : swapped.slice(0, 23), [...words, 'zoo']]) {
    await t.rejects(manager.recover(recovering({ words: wrong })), { code: 'ABZU_WORDS_INVALID' })
  }
  for (const [change, code] of [
    [{ name: '' }, 'ABZU_INVALID_ARGUMENT'],
    [{ password: new Uint8Array() }, 'ABZU_INVALID_ARGUMENT'],
    [{ peer: '/ip4/192.0.2.1/tcp/1' }, 'ABZU_ADDRESS_INVALID'],
  ] as const) {
    await t.rejects(manager.recover(recovering(alice, change)), { code })
  }
  await manager.create({ name: 'Alice', role: 'admin', password })
  await t.rejects(manager.recover(recovering(alice)), { code: 'ABZU_ALREADY_EXISTS' })
  t.same(world.restoring(node).asked, [])
  await t.rejects(alice.manager.recover(recovering(alice, { name: 'other' })), {
    code: 'ABZU_ALREADY_EXISTS',
  })
  const both = await Promise.allSettled(
    ['one', 'two'].map(async (name) => manager.recover(recovering(alice, { name }))),
  )
  t.same(both.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
})

t.test('12 words and other spellings of them', async (t) => {
  const world = findingWorld()
  const alice = await world.household('alice')
  const manager = await world.manager(world.node())
  const words = [` ${alice.words.join('  ').toUpperCase()}\n`]
  t.equal((await manager.recover(recovering({ words }))).id, alice.member.id)
  const twelve = [...Array.from({ length: 11 }, () => 'abandon'), 'about']
  await t.rejects(manager.recover(recovering({ words: twelve }, { name: 'twelve' })), {
    code: 'ABZU_UNREACHABLE',
  })
})

t.test('whom is asked: the node that was named, replicas, the home', async (t) => {
  const world = findingWorld()
  const alice = await world.household('alice')
  const [node, holder] = [world.node(), world.node()]
  const manager = await world.manager(node)
  const { asked } = world.restoring(node)
  alice.node.isOnline = false
  await t.rejects(manager.recover(recovering(alice, { peer: addressOf(holder) })), {
    code: 'ABZU_NOT_FOUND',
  })
  t.same(asked, [holder.peerId], 'though no record is found')
  await t.rejects(manager.recover(recovering(alice)), { code: 'ABZU_UNREACHABLE' })
  alice.node.isOnline = true
  await manager.recover(recovering(alice, { peer: addressOf(holder) }))
  t.same(asked, [holder.peerId, holder.peerId, alice.node.peerId])
})

t.test('a copy that was cut off before the keyring changes nothing', async (t) => {
  const world = findingWorld()
  const alice = await world.household('alice')
  const isKeyring = ({ signed, body }: SignedSlot): boolean =>
    parseSlotHeader(signed).header.class === slotClass.plain &&
    body.length > 0 &&
    parsePlainSlot(body).kind === plainSlotKind.keyring
  const node = world.node()
  const manager = await world.manager(node)
  const restoring = world.restoring(node)
  restoring.isLost = isKeyring
  await t.rejects(manager.recover(recovering(alice)), {
    code: 'ABZU_STORE_DAMAGED',
    message: /name key is missing/,
  })
  t.same(manager.list(), [])
  t.equal(node.tables.onDisk('accounts').size, 0)
  t.same(mailboxOn(node).record, mailboxOn(alice.node).record, 'no record of this node')
  restoring.isLost = () => false
  t.equal((await manager.recover(recovering(alice))).id, alice.member.id, 'from a whole copy')
})

t.test('a prekey that a copy lacks is not told to anybody', async (t) => {
  const { world, alice, bob } = await befriended(findingWorld())
  const holder = await heldElsewhere(world, alice)
  await world.time.advance(dayMs + 3_600_000)
  const newest = recordOn(world, alice.node, alice.member)
  const held = recordOn(world, holder, alice.member)
  t.equal(newest.seq, held.seq + 1, 'the record is newer than the copy')
  const node = world.node()
  const manager = await world.manager(node)
  const member = await manager.recover(recovering(alice, { peer: addressOf(holder) }))
  const { seq, priorKeys, prekey } = recordOn(world, node, member)
  t.equal(seq, newest.seq + 1, 'above all that was seen')
  t.notSame(prekey, newest.prekey)
  t.equal(priorKeys.length, 1)
  await bob.member.messages.send({ to: 'alice', text: 'hello' })
  await world.settle()
})

t.test('attempts that failed do not fill the list of devices', async (t) => {
  const world = findingWorld()
  const alice = await world.household('alice')
  const node = world.node()
  for (let n = 0; n < 20; n++) {
    const manager = await world.manager(node)
    node.disk.failAt(n % 2 === 0 ? 3 : 4, n % 3 === 0 ? 'after' : 'before')
    await t.rejects(manager.recover(recovering(alice)), { code: 'ABZU_STORE_FAILED' })
    await manager.close()
    node.revive()
    node.tables.onDisk('accounts').clear()
  }
  const manager = await world.manager(node)
  const member = await manager.recover(recovering(alice))
  t.equal(member.id, alice.member.id)
  const { deviceCertificate } = recordOn(world, node, member)
  const { docSeq } = openDeviceCertificate(world.platform, deviceCertificate)
  t.equal(docSeq, 1 + 20 + 1, 'each attempt signed a document, and the last one is above them all')
})
