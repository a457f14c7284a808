import t, { type Test } from 'tap'
import { verifyMailboxRecord } from '../../../src/base/crypto/mailbox-record.ts'
import { AbzuError } from '../../../src/base/util/errors.ts'
import type { Role } from '../../../src/user/household/role.ts'
import { password, World } from '../../support/household.ts'
import type { MemoryNode } from '../../support/memory-ports.ts'

const dayMs = 86_400_000

/** `ada` is an Admin. */
async function family(t: Test, others: Readonly<Record<string, Role>> = {}) {
  const world = new World()
  const node = world.node()
  const manager = await world.manager(node)
  t.teardown(() => manager.close())
  const make = async (name: string, role: Role) =>
    (await manager.create({ name, role, password })).member
  const ada = await make('ada', 'admin')
  for (const [name, role] of Object.entries(others)) await make(name, role)
  return { world, node, manager, ada, make }
}

/** Some days later, and what is looked at each hour was. */
async function later(world: World, days: number): Promise<void> {
  world.time.jump(days * dayMs)
  await world.time.advance(3_700_000)
  await world.settle()
}

function rowsOf(node: MemoryNode): number {
  return node.tables.onDisk('accounts').size
}

t.test('a Child goes at once, and nothing of it stays', async (t) => {
  const { node, manager, ada, make } = await family(t, { kim: 'child' })
  const { id } = manager.get('kim')
  t.equal(node.tables.onDisk('oversight-pairs').size, 1)
  t.equal(await manager.remove('kim', ada.id), undefined)
  t.equal(node.tables.onDisk('oversight-pairs').size, 0, 'no share of a key to it either')
  t.throws(() => manager.get('kim'), { code: 'ABZU_NOT_FOUND' })
  t.throws(() => manager.get(id), { code: 'ABZU_NOT_FOUND' })
  await t.rejects(manager.unlock('kim', password), { code: 'ABZU_NOT_FOUND' })
  t.equal(node.mailboxes.size, 1)
  t.equal(rowsOf(node), 1)
  t.not((await make('kim', 'child')).id, id, 'the name is free')
})

t.test('whoever goes of its own will goes at once; the last Admin cannot', async (t) => {
  const { world, node, manager, ada, make } = await family(t, { ben: 'adult' })
  const ben = manager.member('ben')
  // hours after the prekey was made that the record names
  await world.time.advance(5 * 3_600_000)
  t.equal(await manager.remove('ben', ben.id), undefined)
  const closing = verifyMailboxRecord(world.platform, node.bequeathed[0] as Uint8Array)
  t.match(closing, { mailbox: ben.mailbox, record: { hosts: [], seq: 2 } }, 'nobody hosts it')
  t.throws(() => ben.contacts.list(), { code: 'ABZU_LOCKED' })
  await t.rejects(manager.remove('ada', ada.id), { code: 'ABZU_DENIED' })
  t.equal(node.bequeathed.length, 1, 'who stays has not said that it goes')
  const eve = await make('eve', 'admin')
  const both = [manager.remove('ada', ada.id), manager.remove('eve', eve.id)]
  const ends = await Promise.allSettled(both)
  t.same(ends.map(({ status }) => status).sort(), ['fulfilled', 'rejected'], 'one has to stay')
  t.equal(manager.list().length, 1)
})

t.test(
  'a last record that has no place keeps nobody, and a locked account signs none',
  async (t) => {
    const { node, manager, ada } = await family(t, { kim: 'child', tim: 'child' })
    await manager.lock('tim')
    await manager.remove('tim', ada.id)
    t.same(node.bequeathed, [])
    node.directory.bequeath = async () => {
      throw new AbzuError('ABZU_QUOTA_EXCEEDED', 'as the test wants it')
    }
    t.equal(await manager.remove('kim', ada.id), undefined)
    t.equal(node.mailboxes.size, 1)
  },
)

t.test('who unlocks an account while it is deleted does not get in', async (t) => {
  const { node, manager, ada } = await family(t, { kim: 'child' })
  await manager.lock('kim')
  const ends = await Promise.allSettled([
    manager.unlock('kim', password),
    manager.remove('kim', ada.id),
    manager.unlock('kim', password),
  ])
  t.equal(ends[1]?.status, 'fulfilled')
  t.match(ends[2], { status: 'rejected', reason: { code: 'ABZU_NOT_FOUND' } })
  const first = ends[0]?.status === 'fulfilled' ? ends[0].value : undefined
  if (first) t.throws(() => first.contacts.list(), { code: 'ABZU_LOCKED' })
  t.equal(node.mailboxes.size, 1)
})

t.test('an Adult who is removed has thirty days, and may be kept', async (t) => {
  const { world, node, manager, ada } = await family(t, { ben: 'adult' })
  const leaving = await manager.remove('ben', ada.id)
  t.match(leaving, { name: 'ben', leavesAt: String, locked: false })
  t.same(await manager.remove('ben', ada.id), leaving, 'asked twice, the time is the same')
  t.ok(manager.member('ben').contacts.list(), 'everything works until then')
  await manager.lock('ben')
  await manager.unlock('ben', password)
  await later(world, 10)
  t.equal((await manager.keep('ben')).leavesAt, undefined)
  await later(world, 30)
  t.equal(manager.get('ben').name, 'ben', 'kept')

  await manager.remove('ben', ada.id)
  await later(world, 29)
  t.equal(manager.get('ben').name, 'ben')
  await manager.close()
  const again = await world.manager(node)
  t.teardown(() => again.close())
  t.match(again.get('ben'), { leavesAt: leaving && String }, 'it is known after a restart')
  await later(world, 2)
  t.throws(() => again.get('ben'), { code: 'ABZU_NOT_FOUND' })
  t.equal(node.mailboxes.size, 1)
})

t.test('while the clock is doubted nobody is deleted by it', async (t) => {
  const { world, node, manager, ada } = await family(t, { ben: 'adult' })
  await manager.remove('ben', ada.id)
  await manager.close()
  const start = world.time.nowMs()
  world.time.doubted = { earliestMs: start, latestMs: start + 400 * dayMs }
  world.time.jump(40 * dayMs)
  const again = await world.manager(node)
  t.teardown(() => again.close())
  await later(world, 0)
  t.equal(again.get('ben').name, 'ben')
  world.time.doubted = undefined
  await later(world, 0)
  t.throws(() => again.get('ben'), { code: 'ABZU_NOT_FOUND' })
})

t.test('a deletion that is cut off: keys go first, and the rest with the next start', async (t) => {
  let fired = 0
  for (const { when, isLocked } of [
    { when: 'before', isLocked: true },
    { when: 'after', isLocked: true },
    { when: 'after', isLocked: false },
  ] as const) {
    for (let write = 1; ; write++) {
      const { world, node, manager, ada } = await family(t, { kim: 'child' })
      if (isLocked) await manager.lock('kim')
      const { id } = manager.get('kim')
      const wrapped = (): boolean => hasKeys(node, 'kim')
      t.ok(wrapped())
      node.disk.failAt(write, when)
      await manager.remove('kim', ada.id).catch(() => undefined)
      const hadFailed = node.disk.hasFailed
      await manager.close()
      node.revive()
      if (node.mailboxes.size < 2) t.notOk(wrapped(), 'no key outlives what it opens')
      const isWhole = wrapped()
      const again = await world.manager(node)
      await world.time.advance(1000)
      await world.settle()
      if (isWhole) t.equal((await again.unlock('kim', password)).id, id)
      else {
        t.throws(() => again.get('kim'), { code: 'ABZU_NOT_FOUND' })
        t.equal(node.mailboxes.size, 1, `${when} ${write}: the rest is gone`)
        t.equal(rowsOf(node), 1)
      }
      await again.close()
      if (!hadFailed) break
      fired++
    }
  }
  t.ok(fired >= 5, `cut off at ${fired} writes`)
})

/** Whether the row of an account holds a key that a password opens. */
function hasKeys(node: MemoryNode, name: string): boolean {
  const none = Buffer.alloc(64)
  const rows = [...node.tables.onDisk('accounts').values()].map(({ value }) => Buffer.from(value))
  return rows.some((row) => row.includes(name) && !row.includes(none))
}
