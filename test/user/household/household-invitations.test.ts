import t from 'tap'
import { formatJoinLink, parseJoinLink } from '../../../src/base/crypto/join-link.ts'
import type { AccountManager } from '../../../src/user/household/account-manager.ts'
import { password, World } from '../../support/household.ts'

const hourMs = 3_600_000

async function family() {
  const world = new World()
  const { node, manager, member } = await world.household('alice')
  return { world, node, manager, member }
}

const joins = async (manager: AccountManager, link: string, name: string) =>
  manager.join({ link, name, password })

t.test('an invitation makes one account, of the role that was meant', async (t) => {
  const { manager, member } = await family()
  for (const role of ['adult', 'child'] as const) {
    const { link, expiresAt } = await manager.invitations.give({ role, by: member.id })
    t.match(link, /^abzu-join:[\w-]+$/)
    t.match(parseJoinLink(link), { role, addresses: [String] })
    const [open] = await manager.invitations.list()
    t.match(open, { id: /^[0-9a-f]{16}$/, role, by: member.id, expiresAt })
    const { member: joined, words } = await joins(manager, link, role)
    t.equal(words.length, 24)
    t.equal(joined.role, role)
    t.equal(manager.get(role).role, role)
    t.same(await manager.invitations.list(), [], 'it is used')
    await t.rejects(joins(manager, link, 'twice'), { code: 'ABZU_DENIED' })
  }
  t.equal(manager.member('child').contacts.strangers(), 'refused', 'strangers cannot reach a child')
  t.equal(manager.member('adult').contacts.strangers(), 'welcome')
})

t.test('who changes a link gets no other role', async (t) => {
  const { manager } = await family()
  const { link } = await manager.invitations.give({ role: 'child' })
  const raised = formatJoinLink({ ...parseJoinLink(link), role: 'adult' })
  const { member } = await joins(manager, raised, 'kim')
  t.equal(member.role, 'child')
})

t.test('two that come at once', async (t) => {
  const { manager } = await family()
  const { link } = await manager.invitations.give({ role: 'adult' })
  const ends = await Promise.allSettled([joins(manager, link, 'bob'), joins(manager, link, 'ben')])
  t.same(ends.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  t.equal(manager.list().length, 2)
})

t.test('what does not work leaves the invitation as it was', async (t) => {
  const { manager } = await family()
  const { link } = await manager.invitations.give({ role: 'adult' })
  await t.rejects(joins(manager, link, 'alice'), { code: 'ABZU_ALREADY_EXISTS' })
  await t.rejects(joins(manager, link, ''), { code: 'ABZU_INVALID_ARGUMENT' })
  const empty = { link, name: 'bob', password: new Uint8Array() }
  await t.rejects(manager.join(empty), { code: 'ABZU_INVALID_ARGUMENT' })
  t.equal((await joins(manager, link, 'bob')).member.name, 'bob')
})

t.test('it ends: by time, by its id, by its link', async (t) => {
  const { world, manager } = await family()
  const { invitations } = manager
  for (const hours of [0, -1, 1.5, 673, Number.NaN]) {
    const giving = invitations.give({ role: 'adult', hours })
    await t.rejects(giving, { code: 'ABZU_INVALID_ARGUMENT' }, String(hours))
  }
  const short = await invitations.give({ role: 'adult', hours: 1 })
  const long = await invitations.give({ role: 'guest', hours: 672 })
  const revoked = await invitations.give({ role: 'child' })
  t.same(
    (await invitations.list()).map(({ role }) => role),
    ['adult', 'child', 'guest'],
    'the first to end first',
  )
  t.match(await invitations.revoke(revoked.link), { role: 'child' })
  await t.rejects(joins(manager, revoked.link, 'bob'), { code: 'ABZU_DENIED' })
  await t.rejects(invitations.revoke(revoked.link), { code: 'ABZU_NOT_FOUND' })
  await t.rejects(invitations.revoke('abzu-join:x'), { code: 'ABZU_LINK_INVALID' })

  await world.time.advance(2 * hourMs)
  await t.rejects(joins(manager, short.link, 'bob'), { code: 'ABZU_DENIED' })
  await t.rejects(invitations.revoke(short.link), { code: 'ABZU_NOT_FOUND' })
  const [open, ...others] = await invitations.list()
  t.same(others, [])
  await t.rejects(
    joins(manager, long.link, 'bob'),
    { code: 'ABZU_DENIED' },
    'a guest lives elsewhere',
  )
  t.match(await invitations.revoke(String(open?.id).toUpperCase()), { role: 'guest' })
  t.same(await invitations.list(), [])
})

t.test("another node's, and what never was one", async (t) => {
  const { world, manager } = await family()
  const other = await world.household('olga')
  const { link } = await other.manager.invitations.give({ role: 'adult' })
  await t.rejects(joins(manager, link, 'bob'), {
    code: 'ABZU_INVALID_ARGUMENT',
    message: new RegExp(other.node.peerId),
  })
  const own = await manager.invitations.give({ role: 'adult' })
  const forged = formatJoinLink({ ...parseJoinLink(own.link), token: new Uint8Array(16) })
  await t.rejects(joins(manager, forged, 'bob'), { code: 'ABZU_DENIED' })
  for (const wrong of ['', 'abzu-join:', 'abzu-join:AAAA', own.link.slice(0, -2), `${own.link}A`]) {
    await t.rejects(joins(manager, wrong, 'bob'), { code: 'ABZU_LINK_INVALID' }, wrong)
  }
})

t.test('at most so many wait', async (t) => {
  const { world, manager } = await family()
  for (let n = 0; n < 64; n++) await manager.invitations.give({ role: 'guest', hours: 1 })
  const another = () => manager.invitations.give({ role: 'adult' })
  await t.rejects(another(), { code: 'ABZU_QUOTA_EXCEEDED' })
  await world.time.advance(2 * hourMs)
  await another()
  t.equal((await manager.invitations.list()).length, 1, 'what has ended makes room')
})

t.test(
  'joining that is cut off at any write: the link makes one account or is open still',
  async (t) => {
    let fired = 0
    for (const when of ['before', 'after'] as const) {
      for (let write = 1; ; write++) {
        const { world, node, manager } = await family()
        const { link } = await manager.invitations.give({ role: 'child' })
        node.disk.failAt(write, when)
        const made = await joins(manager, link, 'kim').then(
          () => true,
          () => false,
        )
        await world.settle()
        await manager.close()
        if (made && !node.disk.hasFailed) break
        fired++
        node.revive()
        const again = await world.manager(node)
        const isThere = again.list().some(({ name }) => name === 'kim')
        const second = joins(again, link, 'lee')
        if (isThere) await t.rejects(second, { code: 'ABZU_DENIED' }, `${when} ${write}`)
        else t.equal((await second).member.role, 'child')
        t.equal(again.list().length, 2)
        await again.close()
      }
    }
    t.ok(fired >= 5, `cut off at ${fired} writes`)
  },
)
