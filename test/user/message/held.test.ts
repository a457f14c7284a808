/** A message that a holder has: what its sender is told, and that it goes on. */

import t from 'tap'
import type { PeerId } from '../../../src/base/util/brand.ts'
import { befriended, inboxOf, password, statesOf, textsOf } from '../../support/household.ts'

const holder = '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp' as PeerId
const dayMs = 86_400_000

/** One message to a home that is off, which a holder has. */
async function heldMessage() {
  const all = await befriended()
  const { world, alice, bob } = all
  bob.node.isOnline = false
  const { msgId } = await alice.member.messages.send({ to: 'bob', text: 'while you sleep' })
  const settled = alice.member.messages.settled(msgId, { timeoutMs: 60_000 })
  await world.settle()
  alice.node.hold(holder)
  await world.settle()
  return { ...all, msgId, settled }
}

t.test('held: by whom and until when, and delivered later', async (t) => {
  const { world, alice, bob, msgId, settled } = await heldMessage()
  const { state, held } = await settled
  t.equal(state, 'held', 'who waits for a receipt waits no longer')
  t.equal(held?.by, holder)
  t.match(held?.until, /^\d{4}-\d\d-\d\dT\d\d:00:00\.000Z$/)
  const daysLeft = (Date.parse(held?.until ?? '') - world.time.nowMs()) / dayMs
  t.ok(daysLeft > 28 && daysLeft < 30, `${daysLeft} days`)
  t.match((await alice.member.messages.show(msgId)).history, [
    { state: 'queued', by: alice.node.peerId, until: undefined },
    { state: 'held', by: holder, until: held?.until },
  ])
  bob.node.isOnline = true
  await world.settle()
  t.same(await statesOf(alice, msgId), ['queued', 'held', 'delivered'])
  t.same(await textsOf(bob), ['it is me', 'while you sleep'])
  const again = await alice.member.messages.settled(msgId, { timeoutMs: 1000 })
  t.strictSame(again, { msgId, state: 'delivered' })
})

t.test('a locked account learns of both when it unlocks', async (t) => {
  const { world, alice, bob, msgId } = await heldMessage()
  await alice.manager.lock(alice.member.id)
  bob.node.isOnline = true
  await world.settle()
  const member = await alice.manager.unlock(alice.member.id, password)
  await world.settle()
  t.same(await statesOf({ member }, msgId), ['queued', 'held', 'delivered'])
})

t.test('what is held is in the outbox, once', async (t) => {
  const { world, alice, bob, msgId } = await heldMessage()
  t.equal(alice.node.outbox.length, 1)
  const restarted = await world.restart(alice)
  await world.settle()
  t.equal(alice.node.outbox.length, 1, 'nor is it posted again after a restart')
  bob.node.isOnline = true
  await world.settle()
  t.same(await statesOf(restarted, msgId), ['queued', 'held', 'delivered'])
})

t.test(
  'an envelope that a holder has is not posted again, even where the vault knows no better',
  async (t) => {
    const { world, alice, bob } = await befriended()
    bob.node.isOnline = false
    await alice.member.messages.send({ to: 'bob', text: 'while you sleep' })
    alice.node.hold(holder)
    await world.settle()
    t.equal(alice.node.outbox.length, 1)
  },
)

t.test('it stays held when its time is over, and does not expire', async (t) => {
  const { world, alice, msgId } = await heldMessage()
  world.time.jump(31 * dayMs)
  alice.node.expire()
  await world.settle()
  t.equal(alice.node.outbox.length, 0)
  t.same(await statesOf(alice, msgId), ['queued', 'held'])
})

t.test('the home has the last word: a stale key is sealed again, a refusal is told', async (t) => {
  const { world, alice, bob, msgId } = await heldMessage()
  await world.time.advance(9 * dayMs)
  await world.settle()
  bob.node.isOnline = true
  await world.settle()
  t.same(
    await statesOf(alice, msgId),
    ['queued', 'held', 'delivered'],
    'under a new key or the old',
  )
  t.equal((await inboxOf(bob)).length, 2)

  bob.node.isOnline = false
  const { msgId: next } = await alice.member.messages.send({ to: 'bob', text: 'and again' })
  await world.settle()
  alice.node.hold(holder)
  await world.settle()
  await bob.member.contacts.block('alice')
  await world.settle()
  bob.node.isOnline = true
  await world.settle()
  t.same(await statesOf(alice, next), ['queued', 'held', 'refused'])
})
