import { password, World } from './household.ts'

/** A house with an Admin, an Adult and a Child, and a friend elsewhere. */
export async function family(zone = 'UTC') {
  const world = new World()
  const node = world.node()
  const manager = await world.manager(node, { zone })
  const make = async (name: string, role: 'admin' | 'adult' | 'child') =>
    (await manager.create({ name, role, password })).member
  const [anna, bert, kim] = [
    await make('anna', 'admin'),
    await make('bert', 'adult'),
    await make('kim', 'child'),
  ]
  const friend = await world.household('ferdi')
  const { oversight } = manager
  return { world, node, manager, anna, bert, kim, friend, oversight }
}

/** The same, and the Child and the friend have written to each other. */
export async function familyWithFriend() {
  const house = await family()
  const { world, oversight, anna, kim, friend } = house
  const contact = friend.member.id
  await oversight.decide({ by: anna.id, child: 'kim', contact, state: 'approved' })
  await kim.contacts.add({ link: await friend.member.contacts.link(), as: 'ferdi' })
  await kim.messages.send({ to: 'ferdi', text: 'from kim' })
  await world.settle()
  await friend.member.contacts.add({ link: kim.id, as: 'kim' })
  await friend.member.messages.send({ to: 'kim', text: 'to kim' })
  await world.settle()
  return house
}
