/** A door for each link and each contact: shutting one touches no other. */

import t from 'tap'
import { parseContactLink } from '../../../src/base/crypto/link.ts'
import { doorIdOf, doorKeyOf } from '../../../src/base/crypto/door.ts'
import { toHex } from '../../../src/base/util/bytes.ts'
import { statesOf, textsOf, World, type Household } from '../../support/household.ts'

const dayMs = 86_400_000

/** The id that a link's door has. */
function idOf({ platform }: World, link: string): string {
  return toHex(doorIdOf(platform, doorKeyOf(platform, parseContactLink(link).link.token)))
}

/** A household that has added `bob` by a link. */
async function friend(world: World, name: string, link: string): Promise<Household> {
  const household = await world.household(name)
  await household.member.contacts.add({ link, as: 'bob' })
  return household
}

async function lastState(world: World, from: Household, text: string): Promise<string | undefined> {
  const { msgId } = await from.member.messages.send({ to: 'bob', text })
  await world.settle()
  return (await statesOf(from, msgId)).at(-1)
}

t.test('links are listed, and shut one by one', async (t) => {
  const world = new World()
  const bob = await world.household('bob')
  const { links, contacts } = bob.member
  t.same(links.list(), [])
  const long = await contacts.link({ days: 30 })
  const counted = await contacts.link({ days: 2, uses: 3 })
  const short = await contacts.link({ days: 1 })
  const nowMs = world.time.nowMs()
  t.match(links.list(), [
    { id: idOf(world, short), until: new Date(nowMs + dayMs).toISOString() },
    { id: idOf(world, counted), uses: 3 },
    { id: idOf(world, long), until: new Date(nowMs + 30 * dayMs).toISOString() },
  ])
  const alice = await friend(world, 'alice', long)
  const carol = await friend(world, 'carol', counted)
  const dave = await friend(world, 'dave', short)
  t.equal(await lastState(world, alice, 'from alice'), 'delivered')
  await contacts.add({ link: alice.member.id, as: 'alice' })
  await world.settle()

  t.match(await links.shut(idOf(world, short).toUpperCase()), { id: idOf(world, short) })
  t.equal(await lastState(world, dave, 'too late'), 'refused')
  t.equal(await lastState(world, carol, 'from carol'), 'delivered')
  t.match(await links.shut(long), { id: idOf(world, long) }, 'by the link itself')
  t.equal(await lastState(world, alice, 'again'), 'delivered', 'a contact has a door of her own')
  t.equal(await lastState(world, carol, 'once more'), 'delivered')
  t.same(
    links.list().map(({ id }) => id),
    [idOf(world, counted)],
  )
  const again = await world.restart(bob)
  t.same(
    again.member.links.list().map(({ id }) => id),
    [idOf(world, counted)],
    'also after a restart',
  )
  t.same(await textsOf(again), ['from alice', 'from carol', 'again', 'once more'])
  await world.time.advance(3 * dayMs)
  t.same(again.member.links.list(), [], 'what has ended is not listed')
})

t.test('blocking a contact shuts one door', async (t) => {
  const world = new World()
  const bob = await world.household('bob')
  const link = await bob.member.contacts.link()
  const people = [await friend(world, 'alice', link), await friend(world, 'carol', link)]
  for (const { member } of people) {
    await member.messages.send({ to: 'bob', text: `hello from ${member.name}` })
    await world.settle()
    await bob.member.contacts.add({ link: member.id, as: member.name })
    await world.settle()
  }
  const [alice, carol] = people as [Household, Household]
  await bob.member.contacts.block('alice')
  t.equal(await lastState(world, alice, 'no'), 'refused')
  t.equal(await lastState(world, carol, 'yes'), 'delivered')
  t.equal(bob.member.links.list().length, 1, 'the link works on')
  const dave = await friend(world, 'dave', link)
  t.equal(await lastState(world, dave, 'new here'), 'delivered')
})

t.test('what is no link that works is not shut', async (t) => {
  const world = new World()
  const [alice, bob] = [await world.household('alice'), await world.household('bob')]
  const { links, contacts } = bob.member
  const link = await contacts.link()
  const foreign = await alice.member.contacts.link()
  for (const text of ['0'.repeat(16), idOf(world, foreign), foreign]) {
    await t.rejects(links.shut(text), { code: 'ABZU_NOT_FOUND' }, text.slice(0, 16))
  }
  for (const text of ['', 'abc', 'g'.repeat(16), alice.member.id]) {
    await t.rejects(links.shut(text), { code: 'ABZU_LINK_INVALID' }, text.slice(0, 16))
  }
  bob.node.disk.failAt(1, 'before')
  await t.rejects(links.shut(link), { code: 'ABZU_STORE_FAILED' })
  t.equal(links.list().length, 1, 'a link that could not be shut is still listed')
  bob.node.disk.revive()
  await links.shut(link)
  t.same(links.list(), [])
  await t.rejects(links.shut(link), { code: 'ABZU_NOT_FOUND' })
  await bob.manager.lock('bob')
  t.throws(() => links.list(), { code: 'ABZU_LOCKED' })
  await t.rejects(links.shut(link), { code: 'ABZU_LOCKED' })
})
