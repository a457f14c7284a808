/** New keys for an account: what counts before and after, and what its contacts see. */

import t, { type Test } from 'tap'
import { openDeviceCertificate } from '../../../src/base/crypto/certificate.ts'
import { toHex, utf8 } from '../../../src/base/util/bytes.ts'
import { newWords } from '../../../src/base/crypto/words.ts'
import {
  befriended,
  collect,
  inboxOf,
  password,
  textsOf,
  World,
  type Household,
} from '../../support/household.ts'
import {
  addressOf,
  heldElsewhere,
  newPassword,
  recordOn,
  recovering,
} from '../../support/recovering.ts'
import {
  generationsIn,
  copyRow,
  identityIn,
  mailboxOf,
  otherPassword,
  rowOf,
  signersIn,
} from '../../support/rotating.ts'

/** Alice and bob, with a history on alice's side: read, sent, a link, something emptied. */
async function scene() {
  const { world, alice, bob } = await befriended()
  world.network.hasDirectory = true
  await bob.member.messages.send({ to: 'alice', text: 'one' })
  await world.settle()
  await inboxOf(alice)
  await alice.member.messages.send({ to: 'bob', text: 'two' })
  await alice.member.contacts.link({ days: 3 })
  const { id } = alice.member.links.list()[0] ?? { id: '' }
  await alice.member.links.shut(id)
  await world.settle()
  const mailbox = mailboxOf(alice.node, alice.member)
  return { world, alice, bob, mailbox }
}

function deviceOf({ node, member }: Pick<Household, 'node' | 'member'>): string {
  const { certificate, rootPk } = rowOf(node, member)
  const { platform } = new World()
  return toHex(openDeviceCertificate(platform, certificate, rootPk).signPk)
}

t.test('with the words: another device, and nothing left of the old one', async (t) => {
  const { world, alice, bob, mailbox } = await scene()
  const before = {
    device: deviceOf(alice),
    identity: identityIn(world, mailbox),
    generations: generationsIn(mailbox),
    record: recordOn(world, alice.node, alice.member),
    slots: mailbox.slotsOnDisk.size,
  }
  t.same(signersIn(mailbox), new Set([before.device]))
  const member = await alice.manager.keys.rotate('alice', {
    words: alice.words,
    password: otherPassword,
  })
  t.equal(member.id, alice.member.id)
  const device = deviceOf(alice)
  t.not(device, before.device)
  t.same(signersIn(mailbox), new Set([device]), 'everything is signed anew')
  t.equal(generationsIn(mailbox).size, 1)
  t.notSame(generationsIn(mailbox), before.generations, 'everything is sealed anew')
  const identity = identityIn(world, mailbox)
  t.equal(identity.seq, before.identity.seq + 2)
  t.same(
    identity.devices.map(({ signPk }) => toHex(signPk)),
    [device],
  )
  const [old] = before.identity.devices
  t.same(identity.revoked, [world.platform.sha256(old?.certificate as Uint8Array)])
  t.ok(mailbox.slotsOnDisk.size >= before.slots, 'nothing is lost')
  const record = recordOn(world, alice.node, alice.member)
  t.notSame(record.prekey, before.record.prekey)
  t.ok(record.seq > before.record.seq)
  t.equal(rowOf(alice.node, alice.member).rotation, undefined, 'it is over')

  t.same(await textsOf({ member }), ['one'])
  t.equal((await collect(member.messages.conversation('bob'))).length, 3)
  await bob.member.messages.send({ to: 'alice', text: 'three' })
  await world.settle()
  t.same(await textsOf({ member }), ['one', 'three'])
  await t.rejects(alice.manager.unlock('alice', password), { code: 'ABZU_WRONG_PASSWORD' })
  await alice.manager.lock('alice')
  const again = await alice.manager.unlock('alice', otherPassword)
  t.same(await textsOf({ member: again }), ['one', 'three'])
})

t.test('contacts keep the conversation and see one notice', async (t) => {
  const { world, alice, bob } = await scene()
  const number = bob.member.contacts.safetyNumber('alice')
  await bob.member.contacts.confirm('alice', number)
  const member = await alice.manager.keys.rotate('alice', { words: alice.words, password })
  await world.settle()
  t.equal((await inboxOf(bob)).length, 2, 'a letter with nothing to read is none')
  const contact = bob.member.contacts.get('alice')
  t.match(contact, { verified: false, keysChangedAt: String })
  await world.time.advance(3_600_000)
  await member.messages.send({ to: 'bob', text: 'three' })
  await world.settle()
  const inbox = await inboxOf(bob)
  t.same(
    inbox.map(({ text }) => text),
    ['it is me', 'two', 'three'],
  )
  t.ok(
    inbox.every(({ keysChangedAt }) => keysChangedAt === contact.keysChangedAt),
    'the same one',
  )
  t.equal(bob.member.contacts.list().length, 1)
  t.equal(bob.member.contacts.safetyNumber('alice'), number, 'root keys stay')
  const confirmed = await bob.member.contacts.confirm('alice', number)
  t.same([confirmed.verified, confirmed.keysChangedAt], [true, undefined])
  await member.messages.send({ to: 'bob', text: 'four' })
  await world.settle()
  await inboxOf(bob)
  t.equal(bob.member.contacts.get('alice').keysChangedAt, undefined, 'it is not told again')
})

t.test('what was on its way arrives, once', async (t) => {
  const { world, alice, bob } = await scene()
  bob.node.isOnline = false
  await alice.member.messages.send({ to: 'bob', text: 'in the outbox' })
  await world.settle()
  const member = await alice.manager.keys.rotate('alice', { words: alice.words, password })
  await world.settle()
  bob.node.isOnline = true
  await world.settle()
  t.same(await textsOf(bob), ['it is me', 'two', 'in the outbox'])
  t.equal((await collect(member.messages.conversation('bob'))).at(-1)?.state, 'delivered')
})

t.test('a contact believes nothing that a revoked device signs', async (t) => {
  const { world, alice, bob } = await scene()
  // a copy of alice's disk, in other hands
  const thief = world.node()
  await heldElsewhere(world, alice, thief)
  await copyRow(alice, thief)
  await alice.manager.keys.rotate('alice', { words: alice.words, password: otherPassword })
  await world.settle()
  await inboxOf(bob)
  world.network.hasDirectory = false
  const stolen = await (await world.manager(thief)).unlock('alice', password)
  const { msgId } = await stolen.messages.send({ to: 'bob', text: 'send me money' })
  await world.settle()
  t.equal((await stolen.messages.show(msgId)).state, 'delivered', 'the host takes it')
  t.notOk((await textsOf(bob)).includes('send me money'))
  world.network.hasDirectory = true
})

t.test('who is added later knows of it too', async (t) => {
  const { world, alice } = await scene()
  const thief = world.node()
  await heldElsewhere(world, alice, thief)
  await copyRow(alice, thief)
  const member = await alice.manager.keys.rotate('alice', { words: alice.words, password })
  const carl = await world.household('carl')
  const link = await carl.member.contacts.link()
  await member.contacts.add({ link, as: 'carl' })
  await member.messages.send({ to: 'carl', text: 'hello' })
  await world.settle()
  await carl.member.contacts.add({ link: member.id, as: 'alice' })
  await world.settle()
  t.equal(carl.member.contacts.get('alice').keysChangedAt, undefined, 'carl knows no other keys')
  world.network.hasDirectory = false
  const stolen = await (await world.manager(thief)).unlock('alice', password)
  await stolen.contacts.add({ link, as: 'carl' })
  await stolen.messages.send({ to: 'carl', text: 'it is me too' })
  await world.settle()
  t.same(await textsOf(carl), ['hello'])
})

t.test('without the words: the vault and the prekey', async (t) => {
  const { world, alice, mailbox } = await scene()
  const before = {
    device: deviceOf(alice),
    identity: identityIn(world, mailbox),
    generations: generationsIn(mailbox),
    prekey: recordOn(world, alice.node, alice.member).prekey,
  }
  await t.rejects(alice.manager.keys.rotate('alice', { password: otherPassword }), {
    code: 'ABZU_WRONG_PASSWORD',
  })
  const member = await alice.manager.keys.rotate('alice', { password })
  t.same(signersIn(mailbox), new Set([before.device]))
  t.same(identityIn(world, mailbox), before.identity)
  t.equal(generationsIn(mailbox).size, 1)
  t.notSame(generationsIn(mailbox), before.generations)
  t.notSame(recordOn(world, alice.node, alice.member).prekey, before.prekey)
  t.same(await textsOf({ member }), ['one'])
  await alice.manager.lock('alice')
  t.same(await textsOf({ member: await alice.manager.unlock('alice', password) }), ['one'])
})

t.test('while no holder comes by, mail goes on to the old prekey', async (t) => {
  const { world, alice, bob } = await scene()
  alice.node.holders = [{ peerId: world.node().peerId, role: 'replica' }]
  alice.manager.homeMoved()
  await world.settle()
  const { prekey, seq } = recordOn(world, alice.node, alice.member)
  alice.node.isCovered = false
  const member = await alice.manager.keys.rotate('alice', { words: alice.words, password })
  const record = recordOn(world, alice.node, alice.member)
  t.same(record.prekey, prekey)
  t.ok(record.seq > seq, 'the new device has signed it all the same')
  await bob.member.messages.send({ to: 'alice', text: 'three' })
  await world.settle()
  t.same(await textsOf({ member }), ['one', 'three'])
  alice.node.isCovered = true
  await world.time.advance(25 * 3_600_000)
  await world.settle()
  t.notSame(recordOn(world, alice.node, alice.member).prekey, prekey, 'the next day it is replaced')
})

/** An account that was recovered at another node, where the old home's device is still listed. */
async function recovered() {
  const { world, alice, bob } = await scene()
  const holder = await heldElsewhere(world, alice)
  await alice.manager.lock('alice')
  alice.node.isOnline = false
  const node = world.node()
  const manager = await world.manager(node)
  const member = await manager.recover(recovering(alice, { peer: addressOf(holder) }))
  return { world, alice, bob, holder, home: { node, manager, member, words: alice.words } }
}

t.test('another device is revoked, and the one that is here stays', async (t) => {
  const { world, alice, bob, home } = await recovered()
  const { node, manager, member } = home
  const devices = await manager.keys.devices('alice')
  const [here, there] = [devices.find((one) => one.here), devices.find((one) => !one.here)]
  t.equal(there?.id, deviceOf(alice).slice(0, 16))
  t.equal(here?.id, deviceOf(home).slice(0, 16))
  await member.messages.send({ to: 'bob', text: 'at a new home' })
  await world.settle()
  await inboxOf(bob)
  const noticed = bob.member.contacts.get('alice').keysChangedAt
  await world.time.advance(3_600_000)
  const revoke = [there?.id ?? '']
  const wrong = { words: home.words, password: otherPassword, revoke }
  await t.rejects(manager.keys.rotate('alice', wrong), { code: 'ABZU_WRONG_PASSWORD' })
  const after = await manager.keys.rotate('alice', { ...wrong, password: newPassword })
  t.match(await manager.keys.devices('alice'), [{ id: here?.id, here: true }])
  t.equal((await manager.keys.devices('alice')).length, 1)
  const mailbox = mailboxOf(node, member)
  t.same(signersIn(mailbox), new Set([deviceOf(home)]))
  t.equal(generationsIn(mailbox).size, 1)
  t.same(await textsOf({ member: after }), ['one'])
  await world.settle()
  await inboxOf(bob)
  t.type(noticed, 'string')
  t.equal(bob.member.contacts.get('alice').keysChangedAt, noticed, 'no key that bob knows is new')
})

t.test('what is no rotation', async (t) => {
  const { alice } = await scene()
  const { keys } = alice.manager
  const { words } = alice
  for (const [what, init, code] of [
    ['words of nobody', { words: newWords(new World().platform), password }, 'ABZU_WORDS_INVALID'],
    ['no words', { words: ['no'], password }, 'ABZU_WORDS_INVALID'],
    ['no password', { words, password: utf8('') }, 'ABZU_INVALID_ARGUMENT'],
    ['no words to revoke', { password, revoke: ['00'] }, 'ABZU_INVALID_ARGUMENT'],
    ['no such device', { words, password, revoke: ['00'.repeat(8)] }, 'ABZU_NOT_FOUND'],
    [
      'itself',
      { words, password, revoke: [deviceOf(alice).slice(0, 16)] },
      'ABZU_INVALID_ARGUMENT',
    ],
  ] as const) {
    await t.rejects(keys.rotate('alice', init), { code }, what)
  }
  await t.rejects(keys.rotate('nobody', { words, password }), { code: 'ABZU_NOT_FOUND' })
})

t.test('an account that lives elsewhere by now gets no new keys here', async (t) => {
  const { world, alice, home } = await recovered()
  alice.node.isOnline = true
  const { words } = alice
  const rotate = alice.manager.keys.rotate('alice', { words, password })
  await t.rejects(rotate, { code: 'ABZU_ACCOUNT_MOVED' })
  await world.settle()
  t.match(alice.manager.get('alice'), { movedTo: home.node.peerId })
})

t.test('many rotations', async (t) => {
  const { world, alice, mailbox } = await scene()
  let member = alice.member
  for (let n = 0; n < 5; n++) {
    member = await alice.manager.keys.rotate('alice', { words: alice.words, password })
  }
  t.equal(identityIn(world, mailbox).devices.length, 1)
  t.equal(identityIn(world, mailbox).revoked.length, 5)
  t.same(await textsOf({ member }), ['one'])
})

async function changes(t: Test, from: Uint8Array, to: Uint8Array): Promise<void> {
  const world = new World()
  const alice = await world.household('alice')
  const { manager } = alice
  await manager.keys.changePassword('alice', { password: from, next: to })
  await manager.lock('alice')
  await t.rejects(manager.unlock('alice', from), { code: 'ABZU_WRONG_PASSWORD' })
  t.ok(await manager.unlock('alice', to))
}

t.test('another password', async (t) => {
  await changes(t, password, otherPassword)
  const world = new World()
  const alice = await world.household('alice')
  const { keys } = alice.manager
  const change = (from: Uint8Array, to: Uint8Array) =>
    keys.changePassword('alice', { password: from, next: to })
  await t.rejects(change(password, utf8('')), { code: 'ABZU_INVALID_ARGUMENT' })
  await t.rejects(change(password, new Uint8Array([0xff])), { code: 'ABZU_INVALID_ARGUMENT' })
  for (let guess = 0; guess < 5; guess++) {
    await t.rejects(change(otherPassword, password), { code: 'ABZU_WRONG_PASSWORD' })
  }
  await t.rejects(change(password, otherPassword), { code: 'ABZU_RATE_LIMITED' })
  await t.rejects(alice.manager.unlock('alice', password), { code: 'ABZU_RATE_LIMITED' })
  await world.time.advance(60_000)
  t.equal(await alice.manager.unlock('alice', password), alice.member, 'it was never locked')
})

t.test('a password that was not stored is not the new one', async (t) => {
  for (const when of ['before', 'after'] as const) {
    const world = new World()
    const alice = await world.household('alice')
    await alice.manager.lock('alice')
    alice.node.disk.failAt(1, when)
    const change = { password, next: otherPassword }
    await t.rejects(alice.manager.keys.changePassword('alice', change), {
      code: 'ABZU_STORE_FAILED',
    })
    await alice.manager.close()
    alice.node.revive()
    const manager = await world.manager(alice.node)
    const [works, other] = when === 'before' ? [password, otherPassword] : [otherPassword, password]
    await t.rejects(manager.unlock('alice', other), { code: 'ABZU_WRONG_PASSWORD' }, when)
    t.ok(await manager.unlock('alice', works), when)
  }
})
