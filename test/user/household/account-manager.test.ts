import t from 'tap'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { argon2Floor } from '../../../src/base/crypto/password.ts'
import { rootKeysOf } from '../../../src/base/crypto/words.ts'
import { accountIdOf } from '../../../src/base/crypto/address.ts'
import { utf8 } from '../../../src/base/util/bytes.ts'
import type { Role } from '../../../src/user/household/role.ts'
import {
  acquainted,
  inboxOf,
  password,
  quickPlatform,
  textsOf,
  World,
} from '../../support/household.ts'

t.test('an account is made of words that are shown once', async (t) => {
  const world = new World()
  const { node, manager, member, words } = await world.household('alice')
  t.equal(words.length, 24)
  const { rootSeed } = rootKeysOf(world.platform, words)
  t.equal(member.id, accountIdOf(world.platform.ed25519.publicKey(rootSeed)), 'they give the root')
  t.match(manager.list(), [{ id: member.id, name: 'alice', role: 'admin', locked: false }])
  t.same(manager.get('alice'), manager.get(member.id))
  t.equal(manager.member('ALICE'), member)
  const kept = Buffer.concat([
    ...[...node.tables.onDisk('accounts').values()].map(({ value }) => value),
    ...[...node.mailboxes.values()].flatMap((box) =>
      [...box.slotsOnDisk.values()].map(({ body }) => body),
    ),
  ])
  t.notOk(kept.includes(Buffer.from(rootSeed)), 'the root key is nowhere')
  t.notOk(kept.includes(words.slice(0, 3).join(' ')), 'nor are the words')
})

t.test('a password and what it wraps are in the local row, never in a slot', async (t) => {
  const world = new World(nodePlatform())
  const node = world.node()
  const manager = await world.manager(node, { passwordCost: argon2Floor })
  await manager.create({ name: 'alice', role: 'admin', password })
  const [row] = node.tables.onDisk('accounts').values()
  const [mailbox] = node.mailboxes.values()
  const wrapped = Buffer.from(row?.value ?? []).subarray(-100)
  const slots = [...(mailbox?.slotsOnDisk.values() ?? [])]
  t.equal(slots.length, 5, 'identity, record and three secrets')
  for (const { body } of slots) {
    t.notOk(Buffer.from(body).includes(wrapped), 'no slot holds it')
    t.notOk(Buffer.from(body).includes(Buffer.from(password)))
  }
  await manager.lock('alice')
  await t.rejects(manager.unlock('alice', utf8('wrong horse')), { code: 'ABZU_WRONG_PASSWORD' })
  t.equal((await manager.unlock('alice', password)).name, 'alice')
})

t.test('what is not acceptable leaves nothing behind', async (t) => {
  const world = new World()
  const { node, manager } = await world.household('alice')
  const create = async (name: string, role: Role = 'admin', secret = password) =>
    manager.create({ name, role, password: secret })
  await t.rejects(create('bob', 'guest'), { code: 'ABZU_DENIED' }, "a guest's keys are elsewhere")
  for (const name of ['alice', 'Alice', ' alice ', '\uff21lice']) {
    await t.rejects(create(name), { code: 'ABZU_ALREADY_EXISTS' }, JSON.stringify(name))
  }
  for (const name of ['', '  ', 'a\nb', 'a\u202eb', 'abzu1x', 'did:key:z', 'x'.repeat(129)]) {
    await t.rejects(create(name), { code: 'ABZU_INVALID_ARGUMENT' }, JSON.stringify(name))
  }
  for (const secret of [
    new Uint8Array(),
    new Uint8Array(9).fill(255),
    new Uint8Array(2000).fill(97),
  ]) {
    await t.rejects(create('bob', 'admin', secret), { code: 'ABZU_INVALID_ARGUMENT' })
  }
  t.equal(node.mailboxes.size, 1)
  t.equal(node.tables.onDisk('accounts').size, 1)

  const results = await Promise.allSettled([create('bob'), create('Bob')])
  t.same(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  t.throws(() => manager.get('nobody'), { code: 'ABZU_NOT_FOUND' })
  t.throws(() => manager.get('abzu1nobody'), { code: 'ABZU_ADDRESS_INVALID' })
})

t.test('a creation that is cut off leaves no account, or a whole one', async (t) => {
  let fired = 0
  for (const when of ['before', 'after'] as const) {
    for (let write = 1; ; write++) {
      const world = new World()
      const node = world.node()
      node.disk.failAt(write, when)
      const manager = await world.manager(node)
      const made = await manager.create({ name: 'alice', role: 'admin', password }).then(
        () => true,
        () => false,
      )
      await world.settle()
      await manager.close()
      if (made) break
      fired++
      node.revive()
      const again = await world.manager(node)
      const [summary] = again.list()
      if (summary) t.equal((await again.unlock('alice', password)).id, summary.id, 'whole')
      else await again.create({ name: 'alice', role: 'admin', password })
      t.ok(again.member('alice').contacts.list())
      await again.close()
    }
  }
  t.ok(fired >= 4, `cut off at ${fired} writes`)
})

t.test('wrong passwords make guessing slow, for one account only', async (t) => {
  const world = new World()
  const { manager } = await world.household('alice')
  await manager.create({ name: 'bob', role: 'admin', password })
  await manager.lock('alice')
  for (let n = 0; n < 5; n++) {
    await t.rejects(manager.unlock('alice', utf8(`guess ${n}`)), { code: 'ABZU_WRONG_PASSWORD' })
  }
  await t.rejects(manager.unlock('alice', password), { code: 'ABZU_RATE_LIMITED' })
  t.equal((await manager.unlock('bob', password)).name, 'bob', 'checked though it is unlocked')
  await t.rejects(manager.unlock('bob', utf8('wrong horse')), { code: 'ABZU_WRONG_PASSWORD' })
  await world.time.advance(10_000)
  t.equal((await manager.unlock('alice', password)).name, 'alice')
})

t.test('right passwords are not counted, and unlocks pass one by one', async (t) => {
  let inside = 0
  let most = 0
  const quick = quickPlatform()
  const world = new World({
    ...quick,
    argon2id: async (secret, salt, params) => {
      most = Math.max(most, ++inside)
      await new Promise((resolve) => setImmediate(resolve))
      inside--
      return quick.argon2id(secret, salt, params)
    },
  })
  const { manager, member } = await world.household('alice')
  const unlocks = Array.from({ length: 68 }, async () => manager.unlock('alice', password))
  const results = await Promise.allSettled(unlocks)
  const refused = results.filter(({ status }) => status === 'rejected')
  t.equal(refused.length, 4, '64 wait at most')
  t.match(refused[0], { reason: { code: 'ABZU_OVERLOADED' } })
  t.equal(most, 1)
  t.equal(await manager.unlock('alice', password), member, 'the same object')
})

t.test('a locked account does nothing, and mail waits for it sealed', async (t) => {
  const { world, alice, bob } = await acquainted()
  const { contacts, messages } = bob.member
  const inbox = messages.inbox()[Symbol.asyncIterator]()
  await alice.member.messages.send({ to: 'bob', text: 'first' })
  await world.settle()
  await inbox.next()
  await bob.manager.lock('bob')
  t.equal(bob.manager.get('bob').locked, true)
  t.throws(() => bob.manager.member('bob'), { code: 'ABZU_LOCKED' })
  const locked = { code: 'ABZU_LOCKED' }
  t.throws(() => contacts.list(), locked)
  t.throws(() => contacts.get('alice'), locked)
  t.throws(() => contacts.safetyNumber('alice'), locked)
  await t.rejects(contacts.link(), locked)
  await t.rejects(contacts.add({ link: alice.member.id, as: 'alice' }), locked)
  await t.rejects(contacts.confirm('alice', ''), locked)
  await t.rejects(contacts.block('alice'), locked)
  await t.rejects(messages.send({ to: 'alice', text: 'no' }), locked)
  await t.rejects(messages.settled('00'.repeat(16), { timeoutMs: 1 }), locked)
  await t.rejects(messages.show('00'.repeat(16)), locked)
  await t.rejects(inboxOf(bob), locked)
  await t.rejects(messages.conversation('alice')[Symbol.asyncIterator]().next(), locked)
  await bob.manager.lock('bob')

  const sent = await alice.member.messages.send({ to: 'bob', text: 'while away' })
  await world.settle()
  t.equal((await alice.member.messages.show(sent.msgId)).state, 'delivered', 'held for him')
  const [mailbox] = bob.node.mailboxes.values()
  t.equal(mailbox?.mailOnDisk.length, 1)
  const member = await bob.manager.unlock('bob', password)
  t.not(member, bob.member)
  t.same(await textsOf({ member }), ['first', 'while away'])
  t.equal(mailbox?.mailOnDisk.length, 0)
})

t.test('a lock waits for what has begun, and wakes who waits', async (t) => {
  const { alice, bob } = await acquainted()
  bob.node.isOnline = false
  const { msgId } = await alice.member.messages.send({ to: 'bob', text: 'one' })
  const waiting = alice.member.messages.settled(msgId, { timeoutMs: 1_000_000 })
  const sending = alice.member.messages.send({ to: 'bob', text: 'two' })
  const locking = alice.manager.lock('alice')
  await t.rejects(waiting, { code: 'ABZU_LOCKED' })
  t.match(await sending, { state: 'queued' })
  await locking
  t.equal(alice.node.outbox.length, 2)
  const again = await alice.manager.unlock('alice', password)
  t.equal((await again.messages.show(msgId)).state, 'queued')
  t.equal(alice.node.outbox.length, 2, 'nothing is posted twice')
})

t.test('who is idle is locked', async (t) => {
  const world = new World()
  const manager = await world.manager(world.node(), { autoLockMinutes: 10 })
  await manager.create({ name: 'alice', role: 'admin', password })
  await manager.create({ name: 'bob', role: 'admin', password })
  await world.time.advance(9 * 60_000)
  manager.member('alice')
  await world.time.advance(60_000)
  t.match(manager.list(), [
    { name: 'alice', locked: false },
    { name: 'bob', locked: true },
  ])
  await world.time.advance(9 * 60_000)
  t.equal(manager.get('alice').locked, true)

  const never = await world.manager(world.node(), { autoLockMinutes: 0 })
  await never.create({ name: 'carol', role: 'admin', password })
  await world.time.advance(2 * 86_400_000)
  t.equal(never.get('carol').locked, false)
  await never.close()
})

t.test('a long time is not mistaken for a short one', async (t) => {
  const world = new World()
  const manager = await world.manager(world.node(), { autoLockMinutes: 26 * 24 * 60 })
  await manager.create({ name: 'alice', role: 'admin', password })
  await world.time.advance(25 * 86_400_000)
  t.equal(manager.get('alice').locked, false)
  await world.time.advance(86_400_000)
  t.equal(manager.get('alice').locked, true)
})

t.test('closing locks all and lets nobody in', async (t) => {
  const world = new World()
  const { manager, member } = await world.household('alice')
  await manager.close()
  t.throws(() => member.contacts.list(), { code: 'ABZU_LOCKED' })
  await t.rejects(manager.unlock('alice', password), { code: 'ABZU_CLOSED' })
  await t.rejects(manager.create({ name: 'bob', role: 'admin', password }), { code: 'ABZU_CLOSED' })
  t.equal(world.time.pending, 0, 'no timer is left')
})

t.test('a damaged row hides one account and no other', async (t) => {
  const world = new World()
  const { node, manager } = await world.household('alice')
  await manager.create({ name: 'bob', role: 'admin', password })
  await manager.close()
  const [first] = node.tables.onDisk('accounts').values()
  if (first) first.value.fill(0)
  const again = await world.manager(node)
  t.equal(again.list().length, 1)
})
