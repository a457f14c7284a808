import t from 'tap'
import type { Member } from '../../../src/user/household/member.ts'
import { family } from '../../support/family.ts'
import { collect, password, quickPlatform, textsOf, World } from '../../support/household.ts'

const hourMs = 3_600_000

/** The friend writes to the Child through a link. */
async function written({ world, kim, friend }: Awaited<ReturnType<typeof family>>, text: string) {
  await friend.member.contacts.add({ link: await kim.contacts.link(), as: 'kim' })
  await friend.member.messages.send({ to: 'kim', text })
  await world.settle()
}

const wish = async (
  { oversight }: Pick<Awaited<ReturnType<typeof family>>, 'oversight'>,
  by: Member,
) => (await oversight.look({ by: by.id, child: 'kim' })).flatMap(({ contacts }) => contacts)

t.test('nobody writes to a Child, nor is written to, before that is approved', async (t) => {
  const house = await family()
  const { world, kim, bert, anna, friend, oversight } = house
  await written(house, 'hello kim')

  t.same(await textsOf({ member: kim }), [], 'unseen')
  const { id } = friend.member
  t.match(kim.contacts.list(), [{ id, name: id, request: true, approval: 'unasked' }])
  t.equal(JSON.stringify(kim.contacts.list()).includes('ferdi'), false, 'not even its own name')
  t.same(await collect(kim.messages.conversation(id)), [])

  t.match(await kim.contacts.add({ link: id, as: 'fred' }), { name: 'fred', approval: 'pending' })
  await world.settle()
  t.equal(friend.member.contacts.get('kim').verified, false)
  await t.rejects(kim.messages.send({ to: 'fred', text: 'hi' }), {
    code: 'ABZU_DENIED',
    message: /not approved this contact yet/,
  })
  t.same(await textsOf({ member: kim }), [], 'unseen still')
  t.same(await textsOf(friend), [], 'and nothing went out')

  for (const grownUp of [anna, bert]) {
    t.match(await wish(house, grownUp), [{ state: 'pending', address: id, name: 'fred' }])
  }
  t.match((await wish(house, kim))[0], { state: 'pending', name: undefined })

  const decided = await oversight.decide({
    by: bert.id,
    child: 'kim',
    contact: 'FRED',
    state: 'approved',
  })
  t.match(decided, { state: 'approved', address: id, name: 'fred', by: bert.id })
  t.same(await textsOf({ member: kim }), ['hello kim'], 'lost never')
  await kim.messages.send({ to: 'fred', text: 'hi' })
  await world.settle()
  t.same(await textsOf(friend), ['hi'])

  await oversight.decide({ by: anna.id, child: kim.id, contact: id, state: 'denied' })
  await friend.member.messages.send({ to: 'kim', text: 'again' })
  await world.settle()
  t.same(await textsOf({ member: kim }), [], 'a decision can be taken back')
  await t.rejects(kim.messages.send({ to: 'fred', text: 'hi' }), {
    code: 'ABZU_DENIED',
    message: /said no/,
  })
  await oversight.decide({ by: anna.id, child: kim.id, contact: decided.id, state: 'approved' })
  t.same(await textsOf({ member: kim }), ['hello kim', 'again'])
})

t.test('whoever was refused cannot be asked for again', async (t) => {
  const { kim, anna, friend, oversight } = await family()
  const { id: contact } = friend.member
  const denied = await oversight.decide({ by: anna.id, child: 'kim', contact, state: 'denied' })
  t.match(denied, { state: 'denied', address: contact, name: undefined }, 'without being asked')
  const link = await friend.member.contacts.link()
  await t.rejects(kim.contacts.add({ link, as: 'ferdi' }), { code: 'ABZU_DENIED' })
  t.same(kim.contacts.list(), [])
})

t.test('who was approved beforehand is free at once', async (t) => {
  const { world, kim, bert, friend, oversight } = await family()
  const { id: contact } = friend.member
  await oversight.decide({ by: bert.id, child: 'kim', contact, state: 'approved' })
  const link = await friend.member.contacts.link()
  t.match(await kim.contacts.add({ link, as: 'ferdi' }), { approval: 'approved' })
  await kim.messages.send({ to: 'ferdi', text: 'it is me' })
  await world.settle()
  t.same(await textsOf(friend), ['it is me'])
})

t.test(
  'who is of the household itself needs approval as well, and no Adult has a guardian',
  async (t) => {
    const { kim, anna, bert } = await family()
    await kim.contacts.add({ link: await anna.contacts.link(), as: 'mum' })
    await t.rejects(kim.messages.send({ to: 'mum', text: 'x' }), { code: 'ABZU_DENIED' })
    const added = await bert.contacts.add({ link: await anna.contacts.link(), as: 'anna' })
    t.equal(added.approval, undefined)
    await bert.messages.send({ to: 'anna', text: 'x' })
  },
)

t.test('what cannot be decided', async (t) => {
  const { anna, bert, oversight, friend } = await family()
  const decide = (init: { child?: string; contact?: string }) =>
    oversight.decide({ by: anna.id, child: 'kim', contact: 'x', state: 'approved', ...init })
  await t.rejects(decide({}), { code: 'ABZU_NOT_FOUND' })
  await t.rejects(decide({ contact: '0'.repeat(16) }), { code: 'ABZU_NOT_FOUND' })
  await t.rejects(decide({ contact: 'abzu1x' }), { code: 'ABZU_ADDRESS_INVALID' })
  await t.rejects(decide({ child: 'nobody' }), { code: 'ABZU_NOT_FOUND' })
  const contact = friend.member.id
  for (const child of ['bert', 'anna', bert.id]) {
    await t.rejects(decide({ child, contact }), { code: 'ABZU_INVALID_ARGUMENT' }, child)
    const freezing = oversight.rule({ by: anna.id, child, frozen: true })
    await t.rejects(freezing, { code: 'ABZU_INVALID_ARGUMENT' })
  }
  const hours = oversight.rule({ by: anna.id, child: 'kim', hours: 'always' })
  await t.rejects(hours, { code: 'ABZU_INVALID_ARGUMENT' })
})

t.test('quiet hours: nothing is sent, and what arrives is there in the morning', async (t) => {
  const house = await family('Europe/Berlin')
  const { world, kim, bert, friend, oversight } = house
  await written(house, 'at noon')
  const { id: contact } = friend.member
  await kim.contacts.add({ link: contact, as: 'ferdi' })
  await oversight.decide({ by: bert.id, child: 'kim', contact, state: 'approved' })
  const rules = await oversight.rule({ by: bert.id, child: 'kim', hours: '07:00-20:00' })
  t.match(rules, { hours: '07:00-20:00', zone: 'Europe/Berlin', quiet: false })
  await kim.messages.send({ to: 'ferdi', text: 'at one' })

  await world.time.advance(8 * hourMs)
  const [report] = await oversight.look({ by: bert.id, child: 'kim' })
  t.equal(report?.quiet, true, 'it is nine in the evening there')
  const sending = () => kim.messages.send({ to: 'ferdi', text: 'at night' })
  await t.rejects(sending(), { code: 'ABZU_DENIED', message: /quiet hours.*07:00/ })
  await friend.member.messages.send({ to: 'kim', text: 'good night' })
  await world.settle()
  t.same(await textsOf({ member: kim }), ['at noon'], 'the earlier ones stay readable')
  await world.time.advance(10 * hourMs)
  t.same(await textsOf({ member: kim }), ['at noon', 'good night'])
  await kim.messages.send({ to: 'ferdi', text: 'good morning' })
  await world.settle()
  t.same(await textsOf(friend), ['at one', 'good morning'])

  await world.time.advance(14 * hourMs)
  await t.rejects(sending(), { code: 'ABZU_DENIED' })
  t.equal((await oversight.rule({ by: bert.id, child: 'kim', hours: null })).hours, undefined)
  await sending()
})

t.test('frozen: nothing is sent, what is there stays readable, what arrives waits', async (t) => {
  const house = await family()
  const { world, node, kim, anna, bert, friend, oversight } = house
  await written(house, 'before')
  const { id: contact } = friend.member
  await kim.contacts.add({ link: contact, as: 'ferdi' })
  await oversight.decide({ by: bert.id, child: 'kim', contact, state: 'approved' })
  await world.time.advance(1000)
  t.match(await oversight.rule({ by: anna.id, child: 'kim', frozen: true }), {
    frozen: { by: anna.id, since: String },
  })
  const sending = () => kim.messages.send({ to: 'ferdi', text: 'x' })
  await t.rejects(sending(), { code: 'ABZU_DENIED', message: /paused/ })
  await friend.member.messages.send({ to: 'kim', text: 'meanwhile' })
  await world.settle()
  t.same(await textsOf({ member: kim }), ['before'])

  await house.manager.close()
  node.revive()
  const manager = await world.manager(node)
  const again = await manager.unlock('kim', password)
  t.same(await textsOf({ member: again }), ['before'], 'after a restart as well')
  await t.rejects(again.messages.send({ to: 'ferdi', text: 'x' }), { code: 'ABZU_DENIED' })
  const bertAgain = await manager.unlock('bert', password)
  await manager.oversight.rule({ by: bertAgain.id, child: 'kim', hours: '07:00-20:00' })
  const thawed = await manager.oversight.rule({ by: bertAgain.id, child: 'kim', frozen: false })
  t.match(thawed, { frozen: undefined, hours: '07:00-20:00' }, 'the hours stay')
  t.same(await textsOf({ member: again }), ['before', 'meanwhile'])
})

t.test('the rows say neither whom a Child knows nor what it calls them', async (t) => {
  const { node, manager, kim, anna, friend } = await family()
  await kim.contacts.add({ link: await friend.member.contacts.link(), as: 'a very secret name' })
  const { rootPk } = friend.node.mailboxes.values().next().value as { rootPk: Uint8Array }
  const rows = [...node.tables.onDisk('child-contacts').values()]
  t.equal(rows.length, 1)
  for (const { key, value } of rows) {
    const all = Buffer.concat([key, value])
    t.equal(all.includes('a very secret name'), false)
    t.equal(all.includes(Buffer.from(rootPk)), false)
  }
  await manager.lock('anna')
  await t.rejects(manager.oversight.look({ by: anna.id }), { code: 'ABZU_LOCKED' })
})

t.test('an Adult who joined later decides by the id', async (t) => {
  const house = await family()
  const { manager, kim, friend, oversight } = house
  await kim.contacts.add({ link: await friend.member.contacts.link(), as: 'ferdi' })
  const { member: late } = await manager.create({ name: 'lena', role: 'adult', password })
  const [one] = await wish(house, late)
  t.match(one, { state: 'pending', name: undefined, address: undefined })
  const contact = String(one?.id)
  await oversight.decide({ by: late.id, child: 'kim', contact, state: 'approved' })
  await kim.messages.send({ to: 'ferdi', text: 'x' })
})

t.test(
  'a Child that was recovered elsewhere writes to nobody before that is approved',
  async (t) => {
    const world = new World(quickPlatform())
    world.network.hasDirectory = true
    const home = await world.household('anna')
    const { member: kim, words } = await home.manager.create({
      name: 'kim',
      role: 'child',
      password,
    })
    const friend = await world.household('ferdi')
    const contact = friend.member.id
    await home.manager.oversight.decide({
      by: home.member.id,
      child: 'kim',
      contact,
      state: 'approved',
    })
    await kim.contacts.add({ link: await friend.member.contacts.link(), as: 'ferdi' })
    friend.node.isOnline = false
    await kim.messages.send({ to: 'ferdi', text: 'queued' })
    await world.settle()
    await home.manager.close()
    friend.node.isOnline = true
    const other = await world.household('otto')
    const member = await other.manager.recover({
      words,
      name: 'kim',
      role: 'child',
      password,
      progress: () => undefined,
      signal: new AbortController().signal,
    })
    home.node.isOnline = false
    await world.settle()
    t.match(member.contacts.get('ferdi'), { approval: 'unasked' })
    t.same(await textsOf(friend), [])
  },
)
