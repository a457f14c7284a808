import t, { type Test } from 'tap'
import type { Role } from '../../../src/user/household/role.ts'
import { password, World } from '../../support/household.ts'

const dayMs = 86_400_000

async function family(t: Test) {
  const world = new World()
  const node = world.node()
  const manager = await world.manager(node)
  t.teardown(() => manager.close())
  const people: readonly (readonly [string, Role])[] = [
    ['ada', 'admin'],
    ['ben', 'adult'],
    ['kim', 'child'],
  ]
  for (const [name, role] of people) await manager.create({ name, role, password })
  return { world, node, manager }
}

t.test(
  'an Adult becomes an Admin, and an Admin an Adult, from the next unlocking on',
  async (t) => {
    const { world, node, manager } = await family(t)
    const ben = manager.member('ben')
    t.match(await manager.makeAdmin('ben'), { role: 'admin', locked: true })
    t.throws(() => manager.member('ben'), { code: 'ABZU_LOCKED' }, 'its sessions are over')
    t.equal(ben.role, 'adult', 'what was unlocked before has no more than it had')
    t.equal((await manager.unlock('ben', password)).role, 'admin')
    t.match(await manager.unmakeAdmin('ada'), { role: 'adult' })
    await t.rejects(manager.unmakeAdmin('ben'), { code: 'ABZU_DENIED' }, 'the last one')
    await manager.close()
    const again = await world.manager(node)
    t.teardown(() => again.close())
    t.same(
      again.list().map(({ role }) => role),
      ['adult', 'admin', 'child'],
      'after a restart',
    )
  },
)

t.test('nobody becomes what is not next', async (t) => {
  const { manager } = await family(t)
  for (const who of ['ada', 'kim']) {
    await t.rejects(manager.makeAdmin(who), { code: 'ABZU_DENIED' }, who)
  }
  for (const who of ['ben', 'kim']) {
    await t.rejects(manager.unmakeAdmin(who), { code: 'ABZU_DENIED' }, who)
  }
  for (const who of ['ada', 'ben']) {
    await t.rejects(manager.letGrowUp(who, 0), { code: 'ABZU_DENIED' }, who)
    await t.rejects(manager.growUp(who), { code: 'ABZU_DENIED' }, who)
  }
  await t.rejects(manager.makeAdmin('nobody'), { code: 'ABZU_NOT_FOUND' })
})

t.test('a Child grows up by its own word, when an Admin has said so', async (t) => {
  const { world, manager } = await family(t)
  await t.rejects(manager.growUp('kim'), { code: 'ABZU_DENIED' })
  const atMs = world.time.nowMs() + 10 * dayMs
  t.match(await manager.letGrowUp('kim', atMs), { role: 'child', growsUpAt: String, locked: false })
  await t.rejects(manager.growUp('kim'), { code: 'ABZU_DENIED' }, 'not yet')
  const start = world.time.nowMs()
  world.time.doubted = { earliestMs: start, latestMs: start + 400 * dayMs }
  world.time.jump(11 * dayMs)
  await t.rejects(manager.growUp('kim'), { code: 'ABZU_DENIED' }, 'a clock that jumped is no age')
  world.time.doubted = undefined
  const grown = await manager.growUp('kim')
  t.match(grown, { role: 'adult', locked: true })
  t.equal(grown.growsUpAt, undefined)
  await t.rejects(manager.growUp('kim'), { code: 'ABZU_DENIED' })
})

t.test('two Admins who unmake each other at once', async (t) => {
  const { manager } = await family(t)
  await manager.makeAdmin('ben')
  const ends = await Promise.allSettled([manager.unmakeAdmin('ada'), manager.unmakeAdmin('ben')])
  t.same(ends.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
})
