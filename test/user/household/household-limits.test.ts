import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { mailboxIdOf, rootKeyOf } from '../../../src/base/crypto/address.ts'
import { toHex } from '../../../src/base/util/bytes.ts'
import { limitsOfRole, roleParts, type PersonLimits } from '../../../src/user/household/limits.ts'
import {
  decodeNodeLimits,
  decodePersonLimits,
  encodeNodeLimits,
  encodePersonLimits,
  limitsKey,
  parseLimitsKey,
} from '../../../src/user/household/limit-changes.ts'
import { MemoryTiers } from '../../support/memory-tiers.ts'
import { password, World } from '../../support/household.ts'
import { hex, readVectors } from '../../support/vectors.ts'

const { defaults } = new MemoryTiers()

async function family(t: Test) {
  const world = new World()
  const node = world.node()
  const manager = await world.manager(node)
  t.teardown(async () => manager.close())
  for (const role of ['admin', 'adult', 'child'] as const) {
    await manager.create({ name: role, role, password })
    await manager.lock(role)
  }
  const tierOf = (name: string) =>
    node.tiers.of(mailboxIdOf(world.platform, rootKeyOf(manager.get(name).id)))
  return { world, node, manager, tierOf }
}

t.test(
  'a Guest has less than a Child, a Child than an Adult, an Adult than an Admin',
  async (t) => {
    const [guest, child, adult, admin] = (['guest', 'child', 'adult', 'admin'] as const).map(
      (role) => limitsOfRole(defaults, role),
    ) as [PersonLimits, PersonLimits, PersonLimits, PersonLimits]
    const amount = (limit: PersonLimits[keyof PersonLimits]): number =>
      typeof limit === 'number' ? limit : Math.min(limit.perSecond, limit.burst)
    const names = Object.keys(adult) as (keyof PersonLimits)[]
    t.ok(names.length > 5)
    for (const name of names) {
      const ordered = [guest, child, adult, admin].map((limits) => amount(limits[name]))
      t.strictSame(
        ordered,
        [...new Set(ordered)].sort((a, b) => a - b),
        name,
      )
    }
    const page = readFileSync('docs/limits.md', 'utf8')
    for (const [role, part] of Object.entries(roleParts)) {
      t.ok(page.includes(`\n| ${role} | ${part} |`), `docs/limits.md: ${role}`)
    }
  },
)

t.test('the machine is told of every account, locked or not, and at the next start', async (t) => {
  const { world, node, manager, tierOf } = await family(t)
  t.equal(node.tiers.told.size, 3)
  t.equal(tierOf('child')?.contactBytesMax, defaults.contactBytesMax / 2)
  t.equal(tierOf('admin')?.accountOutbound.perSecond, defaults.accountOutbound.perSecond * 2)
  await manager.limits.setRole('child', { mailBytes: 3_000_000 })
  await manager.limits.setPerson('adult', { sending: { perSecond: 0.5, burst: 7 } })
  await manager.limits.setNode({ householdBytes: 2e9 })
  const check = (): void => {
    t.equal(tierOf('child')?.contactBytesMax, 3_000_000)
    t.strictSame(tierOf('adult')?.accountOutbound, { perSecond: 0.5, burst: 7 })
    t.equal(tierOf('adult')?.contactBytesMax, defaults.contactBytesMax, 'and nothing else of it')
    t.equal(node.tiers.node?.householdBytesMax, 2e9)
    t.strictSame(node.tiers.node?.nodeInbound, defaults.nodeInbound)
  }
  check()
  await manager.close()
  node.tiers.told.clear()
  node.tiers.tellNode(defaults)
  const again = await world.manager(node)
  t.teardown(async () => again.close())
  check()
  t.equal(node.tiers.told.size, 3)
  t.strictSame(again.limits.person('adult').set, ['sending'])
  t.strictSame(again.limits.ofRoles().find(({ role }) => role === 'child')?.set, ['mailBytes'])
  await again.limits.setPerson('adult', { sending: null })
  await again.limits.setRole('child', { mailBytes: null })
  await again.limits.setNode({ householdBytes: null })
  t.strictSame(tierOf('adult')?.accountOutbound, defaults.accountOutbound)
  t.equal(tierOf('child')?.contactBytesMax, defaults.contactBytesMax / 2)
  t.equal(node.tiers.node?.householdBytesMax, defaults.householdBytesMax)
  t.equal(node.tables.onDisk('limits').size, 0, 'nothing is left of it')
})

t.test('what is set for a person beats the role, and a role those that come later', async (t) => {
  const { manager, tierOf } = await family(t)
  await manager.limits.setPerson('child', { outboxItems: 77 })
  await manager.limits.setRole('child', { outboxItems: 55, vaultItems: 5000 })
  await manager.create({ name: 'younger', role: 'child', password })
  t.match(tierOf('child'), { outboxItemsMax: 77, slotItemsMax: 5000 })
  t.match(tierOf('younger'), { outboxItemsMax: 55, slotItemsMax: 5000 })
  const { people, peopleCount } = manager.limits.people()
  t.equal(peopleCount, 4)
  t.match(
    people.map(({ name }) => name),
    ['admin', 'adult', 'child', 'younger'],
  )
  t.match(manager.limits.person('child'), {
    limits: { outboxItems: 77 },
    set: ['outboxItems'],
    use: { outboxItems: 3, mailBytes: 5 },
  })
})

t.test('absurd limits are refused, and change nothing', async (t) => {
  const { node, manager } = await family(t)
  const bad = [
    { mailBytes: 0 },
    { mailBytes: 999_999 },
    { mailBytes: defaults.contactBytesMax * 1001 },
    { mailBytes: Number.NaN },
    { mailBytes: Number.POSITIVE_INFINITY },
    { outboxItems: 1 },
    { sending: { perSecond: 0, burst: 5 } },
    { sending: { perSecond: 5, burst: 0 } },
    { sending: { perSecond: -5, burst: 5 } },
    { sending: { perSecond: 1e9, burst: 5 } },
    { calls: { perSecond: 100, burst: 1 } },
    { outboxItems: 50, mailBytes: 1 },
    JSON.parse('{"__proto__": 7, "unknown": 5}') as object,
  ]
  for (const limits of bad) {
    const told = JSON.stringify(limits)
    await t.rejects(
      manager.limits.setPerson('adult', limits),
      { code: 'ABZU_INVALID_ARGUMENT' },
      told,
    )
    await t.rejects(
      manager.limits.setRole('adult', limits),
      { code: 'ABZU_INVALID_ARGUMENT' },
      told,
    )
  }
  const badNode = { householdBytes: 1 }
  await t.rejects(manager.limits.setNode(badNode), { code: 'ABZU_INVALID_ARGUMENT' })
  await t.rejects(manager.limits.setPerson('nobody', {}), { code: 'ABZU_NOT_FOUND' })
  t.equal(node.tables.onDisk('limits').size, 0)
  t.strictSame(manager.limits.person('adult').set, [])
})

t.test('a change that is not durable does not hold', async (t) => {
  for (const when of ['before', 'after'] as const) {
    const { world, node, manager, tierOf } = await family(t)
    node.disk.failAt(1, when)
    await t.rejects(manager.limits.setPerson('adult', { outboxItems: 99 }))
    t.equal(tierOf('adult')?.outboxItemsMax, defaults.outboxItemsMax)
    await manager.close()
    node.revive()
    const again = await world.manager(node)
    const wanted = when === 'after' ? 99 : defaults.outboxItemsMax
    t.equal(tierOf('adult')?.outboxItemsMax, wanted, 'what is on the disk holds')
    await again.close()
  }
})

t.test('a row that cannot be read is left alone, and the others hold', async (t) => {
  const { world, node, manager, tierOf } = await family(t)
  await manager.limits.setRole('child', { outboxItems: 55 })
  await manager.limits.setRole('adult', { outboxItems: 66 })
  await manager.close()
  const rows = node.tables.onDisk('limits')
  for (const [key, row] of rows) {
    if (toHex(row.key) === toHex(limitsKey({ role: 'child' }))) {
      rows.set(key, { ...row, value: row.value.subarray(1) })
    }
  }
  const again = await world.manager(node)
  t.teardown(async () => again.close())
  t.equal(tierOf('child')?.outboxItemsMax, defaults.outboxItemsMax / 2)
  t.equal(tierOf('adult')?.outboxItemsMax, 66)
  t.equal(rows.size, 2)
})

t.test('rows are read as they were written, and are what they were in every version', async (t) => {
  const rate = fc.record({
    perSecond: fc.integer({ min: 1, max: 10_000_000 }).map((n) => n / 1000),
    burst: fc.integer({ min: 1, max: 1_000_000 }),
  })
  const amount = fc.integer({ min: 1, max: 2 ** 50 })
  const person = {
    sending: rate,
    receiving: rate,
    calls: rate,
    mailBytes: amount,
    vaultItems: amount,
  }
  fc.assert(
    fc.property(fc.record(person, { requiredKeys: [] }), (limits) => {
      const again = decodePersonLimits(encodePersonLimits(limits))
      return JSON.stringify(again) === JSON.stringify(limits)
    }),
    { numRuns: 50 },
  )
  const vectors = readVectors<Record<string, string>>('golden/limits')
  const sending = { perSecond: 0.5, burst: 7 }
  const rows = {
    person: encodePersonLimits({ sending, outboxItems: 10, mailBytes: 1_000_000 }),
    node: encodeNodeLimits({ peerSending: sending, householdBytes: 2 ** 40 }),
    nodeKey: limitsKey('node'),
    roleKey: limitsKey({ role: 'child' }),
    accountKey: limitsKey({ rootPk: new Uint8Array(32).fill(7) }),
  }
  for (const [name, bytes] of Object.entries(rows)) t.equal(toHex(bytes), vectors[name], name)
  t.match(parseLimitsKey(rows.roleKey), { role: 'child' })
  const good = hex(vectors['person'] as string)
  for (let at = 0; at < good.length; at++) {
    t.throws(() => decodePersonLimits(good.subarray(0, at)), { code: 'ABZU_MALFORMED' })
  }
  t.throws(() => decodeNodeLimits(good), { code: 'ABZU_MALFORMED' })
  for (const key of [[], [0, 0], [1], [1, 65], [2, 1], [9]]) {
    t.throws(() => parseLimitsKey(Uint8Array.from(key)), { code: 'ABZU_MALFORMED' })
  }
})

t.test(
  'I34: one that calls without pause leaves the others and the owner their calls',
  async (t) => {
    const { world, manager } = await family(t)
    await manager.limits.setNode({ calls: { perSecond: 10, burst: 100 } })
    const [hot, other] = [manager.get('admin').id, manager.get('child').id]
    const counts = { hot: 0, other: 0, owner: 0 }
    const attempt = (name: keyof typeof counts, id: string | undefined): void => {
      try {
        manager.limits.call(id)
        counts[name]++
      } catch (error) {
        t.match(error, { code: 'ABZU_RATE_LIMITED' })
      }
    }
    for (let ms = 0; ms < 60_000; ms += 100) {
      for (let n = 0; n < 5; n++) attempt('hot', hot)
      if (ms % 400 === 0) attempt('other', other)
      if (ms % 400 === 200) attempt('owner', undefined)
      for (let n = 0; n < 5; n++) attempt('hot', hot)
      await world.time.advance(100)
    }
    t.ok(counts.other >= 0.8 * 150 && counts.owner >= 0.8 * 150, JSON.stringify(counts))
    t.ok(counts.hot >= 250 && counts.hot < 520, `the rest and the burst: ${counts.hot}`)
  },
)
