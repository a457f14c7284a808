/** Who holds a mailbox: all that agreed, or whom the account has chosen. */

import t from 'tap'
import type { Host } from '../../../src/base/wire/records.ts'
import { password, World } from '../../support/household.ts'
import { recordOn } from '../../support/recovering.ts'

const holder = (peerId: string): Host => ({ peerId, role: 'replica', addresses: [] })
const agreed = ['ann', 'bob', 'eve'].map(holder)

async function chosen(holders: readonly Host[] = agreed) {
  const world = new World()
  const house = await world.household('alice')
  const { node, member } = house
  node.holders = holders
  const named = (): string[] =>
    recordOn(world, node, member)
      .hosts.filter(({ role }) => role !== 'home')
      .map(({ peerId, role }) => `${peerId} ${role}`)
  const upkeep = async (): Promise<void> => {
    house.manager.homeMoved()
    await world.settle()
  }
  await upkeep()
  return { world, house, node, member, named, upkeep }
}

t.test(
  'the choice counts at once, in the record; who is left out is named as former',
  async (t) => {
    const { member, named, upkeep } = await chosen()
    t.strictSame(named(), ['ann replica', 'bob replica', 'eve replica'])
    t.match(await member.holders.look(), { chosen: false })
    const told = await member.holders.choose(['bob'])
    t.strictSame(named(), ['bob replica', 'ann former', 'eve former'])
    t.strictSame(
      told.holders.map(({ peerId, role }) => `${peerId} ${role}`),
      named(),
    )
    t.equal(told.chosen, true)
    await upkeep()
    t.strictSame(named(), ['bob replica', 'ann former', 'eve former'], 'and for later')
    await member.holders.choose(['bob', 'eve', 'eve'])
    t.strictSame(named(), ['bob replica', 'eve replica', 'ann former'])
    await member.holders.choose([])
    t.strictSame(named(), ['bob former', 'eve former', 'ann former'])
    t.match(await member.holders.look(), { chosen: true })
    await member.holders.choose(undefined)
    t.strictSame(named(), ['ann replica', 'bob replica', 'eve replica'])
    t.match(await member.holders.look(), { chosen: false })
  },
)

t.test('who agrees later is named only where nobody was chosen', async (t) => {
  const { node, member, named, upkeep } = await chosen([holder('ann')])
  await member.holders.choose(['ann'])
  node.holders = agreed
  await upkeep()
  t.strictSame(named(), ['ann replica'])
  await member.holders.choose(undefined)
  t.strictSame(named(), ['ann replica', 'bob replica', 'eve replica'])
})

t.test('the choice survives a lock and a restart, and who parts is named no more', async (t) => {
  const { world, house, node, member, named } = await chosen()
  await member.holders.choose(['ann', 'eve'])
  await house.manager.lock(member.id)
  const again = await house.manager.unlock(member.id, password)
  await world.settle()
  t.match(await again.holders.look(), { chosen: true })
  t.strictSame(named(), ['ann replica', 'eve replica', 'bob former'])
  await t.rejects(member.holders.look(), { code: 'ABZU_LOCKED' })
  node.parted.add('ann')
  node.holders = [holder('bob'), holder('eve')]
  house.manager.homeMoved()
  await world.settle()
  t.strictSame(named(), ['eve replica', 'bob former'])
})

t.test('nobody is chosen who has not agreed, nor more than a record names', async (t) => {
  const many = ['a', 'b', 'c', 'd', 'e'].map(holder)
  const { member, named } = await chosen(many.slice(0, 4))
  const before = named()
  await t.rejects(member.holders.choose(['a', 'x']), { code: 'ABZU_NOT_FOUND' })
  const five = many.map(({ peerId }) => peerId)
  await t.rejects(member.holders.choose(five), { code: 'ABZU_INVALID_ARGUMENT' })
  t.strictSame(named(), before)
  t.match(await member.holders.look(), { chosen: false })
})
