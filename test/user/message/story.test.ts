/** Two accounts on two nodes: the whole story of a first contact. */

import t from 'tap'
import { toHex } from '../../../src/base/util/bytes.ts'
import type { Outgoing } from '../../../src/user/account/ports.ts'
import {
  acquainted,
  collect,
  befriended,
  inboxOf,
  statesOf,
  textsOf,
  World,
} from '../../support/household.ts'

t.test('a message goes from a link to an inbox', async (t) => {
  const { world, alice, bob } = await acquainted()
  const sent = await alice.member.messages.send({ to: 'bob', text: 'hello' })
  t.match(sent, { msgId: /^[0-9a-f]{32}$/, state: 'queued' })
  t.equal(alice.node.outbox.length, 1, 'in the outbox when it resolves')
  await world.settle()
  t.same(await statesOf(alice, sent.msgId), ['queued', 'delivered'])
  const [message, ...more] = await inboxOf(bob)
  t.same(more, [])
  t.match(message, {
    msgId: sent.msgId,
    from: alice.member.id,
    name: 'alice',
    text: 'hello',
    verified: false,
    request: true,
  })
  t.equal(message?.sentAt, new Date(world.time.nowMs()).toISOString())
  t.same(await textsOf(bob), ['hello'], 'reading marks nothing')
  const report = await alice.member.messages.show(sent.msgId)
  t.match(report.history, [
    { state: 'queued', by: alice.node.peerId },
    { state: 'delivered', by: bob.node.peerId },
  ])
})

t.test('a request is answered once it is added, through doors of contacts', async (t) => {
  const { world, alice, bob } = await acquainted()
  await alice.member.messages.send({ to: 'bob', text: 'hello' })
  await world.settle()
  await inboxOf(bob)
  await t.rejects(bob.member.messages.send({ to: alice.member.id, text: 'no' }), {
    code: 'ABZU_DENIED',
  })
  t.throws(() => bob.member.contacts.get('alice'), { code: 'ABZU_NOT_FOUND' })
  t.match(bob.member.contacts.list(), [{ id: alice.member.id, name: 'alice', request: true }])

  const contact = await bob.member.contacts.add({ link: alice.member.id, as: 'Alice B.' })
  t.match(contact, { name: 'Alice B.', request: false, verified: false, blocked: false })
  await world.settle()
  const answer = await bob.member.messages.send({ to: 'alice b.', text: 'welcome' })
  await world.settle()
  t.same(await statesOf(bob, answer.msgId), ['queued', 'delivered'])
  t.match(await inboxOf(alice), [{ text: 'welcome', name: 'bob', request: false }])
  t.match(await inboxOf(bob), [{ text: 'hello', name: 'Alice B.', request: false }])

  const doorOf = (out?: Outgoing) => (out && 'doorId' in out ? toHex(out.doorId) : 'none')
  const doors = world.network.carried.map(doorOf)
  await alice.member.messages.send({ to: 'bob', text: 'again' })
  await world.settle()
  const last = doorOf(world.network.carried.at(-1))
  t.notOk(['none', ...doors].includes(last), 'a door of her own')
  t.same(await textsOf(bob), ['hello', 'again'])
})

t.test('the return address goes along until the contact is known to have it', async (t) => {
  const { world, alice } = await befriended()
  const sizes = world.network.carried.map(({ envelope }) => envelope.length)
  t.ok((sizes[0] as number) > 3000, 'the first letter carries it')
  await alice.member.messages.send({ to: 'bob', text: 'short' })
  await world.settle()
  t.ok((world.network.carried.at(-1)?.envelope.length as number) < 2500, 'later ones do not')
})

t.test('a conversation has both directions, oldest first', async (t) => {
  const { world, alice, bob } = await befriended()
  for (const text of ['one', 'two']) {
    await alice.member.messages.send({ to: 'bob', text })
    await world.settle()
    await bob.member.messages.send({ to: 'alice', text: `${text}!` })
    await world.settle()
  }
  const lines = await collect(alice.member.messages.conversation('bob'))
  t.same(
    lines.map(({ direction, text }) => [direction, text]),
    [
      ['out', 'it is me'],
      ['out', 'one'],
      ['in', 'one!'],
      ['out', 'two'],
      ['in', 'two!'],
    ],
  )
  t.ok(lines.every(({ state }) => state === 'delivered'))
})

t.test('two accounts of one node write to each other', async (t) => {
  const world = new World()
  const { node, manager, member: alice } = await world.household('alice')
  const { member: bob } = await manager.create({
    name: 'bob',
    role: 'admin',
    password: new TextEncoder().encode('another one'),
  })
  await alice.contacts.add({ link: await bob.contacts.link(), as: 'bob' })
  await alice.messages.send({ to: 'bob', text: 'across the hall' })
  await world.settle()
  t.same(await textsOf({ member: bob }), ['across the hall'])
  t.equal(node.mailboxes.size, 2)
})

t.test('fifty messages at once', async (t) => {
  const { world, alice, bob } = await befriended()
  const texts = Array.from({ length: 50 }, (_, n) => `message ${n}`)
  const sent = await Promise.all(
    texts.map(async (text) => alice.member.messages.send({ to: 'bob', text })),
  )
  t.equal(new Set(sent.map(({ msgId }) => msgId)).size, 50)
  await world.settle()
  t.same((await textsOf(bob)).slice(1).sort(), texts.toSorted())
  const states = await Promise.all(sent.map(async ({ msgId }) => statesOf(alice, msgId)))
  t.ok(states.every((each) => each.join() === 'queued,delivered'))
})

t.test('settled waits for a state, or for the time', async (t) => {
  const { world, alice, bob } = await befriended()
  bob.node.isOnline = false
  const { msgId } = await alice.member.messages.send({ to: 'bob', text: 'are you there?' })
  const timed = alice.member.messages.settled(msgId, { timeoutMs: 5000 })
  await world.time.advance(5000)
  t.same(await timed, { msgId, state: 'queued' })

  const controller = new AbortController()
  const aborted = alice.member.messages.settled(msgId, {
    timeoutMs: 5000,
    signal: controller.signal,
  })
  controller.abort(new Error('gone'))
  await t.rejects(aborted, { message: 'gone' })

  const settled = alice.member.messages.settled(msgId, { timeoutMs: 60_000 })
  bob.node.isOnline = true
  await world.settle()
  t.same(await settled, { msgId, state: 'delivered' })
  t.same(await alice.member.messages.settled(msgId, { timeoutMs: 0 }), {
    msgId,
    state: 'delivered',
  })
  await t.rejects(alice.member.messages.settled('00'.repeat(16), { timeoutMs: 0 }), {
    code: 'ABZU_NOT_FOUND',
  })
})

t.test('what the outbox does not take is not sent later either', async (t) => {
  const { world, alice, bob } = await befriended()
  alice.node.postFailure = 'ABZU_RATE_LIMITED'
  await t.rejects(alice.member.messages.send({ to: 'bob', text: 'too fast' }), {
    code: 'ABZU_RATE_LIMITED',
  })
  alice.node.postFailure = undefined
  await alice.member.messages.send({ to: 'bob', text: 'slower' })
  await world.settle()
  await alice.manager.lock(alice.member.id)
  const again = await world.restart(alice)
  await world.settle()
  t.same(await textsOf(bob), ['it is me', 'slower'])
  const lines = await collect(again.member.messages.conversation('bob'))
  t.same(
    lines.map(({ text }) => text),
    ['it is me', 'slower'],
  )
})

t.test('texts have bounds', async (t) => {
  const { alice, bob, world } = await befriended()
  const send = async (text: string) => alice.member.messages.send({ to: 'bob', text })
  await t.rejects(send(''), { code: 'ABZU_INVALID_ARGUMENT' })
  await t.rejects(send('lone \ud800 half'), { code: 'ABZU_INVALID_ARGUMENT' })
  await t.rejects(send('x'.repeat(65_537)), { code: 'ABZU_TOO_LARGE' })
  await send('x'.repeat(65_536))
  await send('e\u0301')
  await world.settle()
  const texts = await textsOf(bob)
  t.equal(texts[1]?.length, 65_536)
  t.equal(texts[2], '\u00e9', 'in Unicode form NFC')
})

t.test('a refusal and an expiry are told', async (t) => {
  const { world, alice, bob } = await befriended()
  await bob.member.contacts.block('alice')
  const refused = await alice.member.messages.send({ to: 'bob', text: 'hello?' })
  await world.settle()
  t.same(await statesOf(alice, refused.msgId), ['queued', 'refused'])
  bob.node.isOnline = false
  const expired = await alice.member.messages.send({ to: 'bob', text: 'hello??' })
  world.time.jump(40 * 86_400_000)
  alice.node.expire()
  await world.settle()
  t.same(await statesOf(alice, expired.msgId), ['queued', 'expired'])
})
