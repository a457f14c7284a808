import t from 'tap'
import fc from 'fast-check'
import { mailboxIdOf, rootKeyOf } from '../../../src/base/crypto/address.ts'
import { mapKey } from '../../../src/base/util/bytes.ts'
import { AbzuError } from '../../../src/base/util/errors.ts'
import type { AccountManager } from '../../../src/user/household/account-manager.ts'
import type { Member } from '../../../src/user/household/member.ts'
import { familyWithFriend } from '../../support/family.ts'
import { password } from '../../support/household.ts'
import { bothShares, loot, openedOf } from '../../support/loot.ts'

const hourMs = 3_600_000

type House = Awaited<ReturnType<typeof familyWithFriend>>

function look(
  { world, manager }: Pick<House, 'world' | 'manager'>,
  by: Member,
  { hours = 24, reason = 'a worry' }: { hours?: number; reason?: string } = {},
) {
  const untilMs = world.time.nowMs()
  const fromMs = untilMs - hours * hourMs
  return manager.oversight.inspect({ by: by.id, child: 'kim', fromMs, untilMs, reason })
}

const auditOf = (manager: AccountManager) => manager.oversight.audit({ by: 'kim' })

t.test('an Admin looks, also while the Child is locked, and the Child learns of it', async (t) => {
  const house = await familyWithFriend()
  const { world, manager, anna, friend } = house
  t.match(friend.member.contacts.get('kim'), { supervised: true }, 'its contacts are told')
  const told = await look(house, anna)
  const texts = (inspection: typeof told) => inspection.messages.map(({ text }) => text)
  t.same(texts(told).toSorted(), ['from kim', 'to kim'])
  t.match(told.messages[0], { with: friend.member.id, name: 'ferdi' })
  await world.settle()

  await manager.lock('kim')
  await friend.member.messages.send({ to: 'kim', text: 'not fetched yet' })
  await world.settle()
  await world.time.advance(1000)
  const again = await look(house, anna, { reason: 'another worry' })
  t.same(texts(again).toSorted(), ['from kim', 'not fetched yet', 'to kim'])
  await world.time.advance(2 * hourMs)
  t.same((await look(house, anna, { hours: 1 })).messages, [], 'the range is kept to')

  await manager.unlock('kim', password)
  await world.settle()
  const { entries, missing } = await auditOf(manager)
  t.equal(missing, 0)
  t.match(entries, [
    { number: 1, kind: 'inspected', by: anna.id, byName: 'anna', reason: 'a worry' },
    { number: 2, kind: 'inspected', reason: 'another worry', from: String, until: String },
    { number: 3 },
  ])
  const kim = manager.member('kim')
  t.equal(JSON.stringify(kim.contacts.list()).includes(anna.id), false, 'no contact comes of it')
})

t.test('entries outlive the mail that brought them', async (t) => {
  const house = await familyWithFriend()
  const { world, manager, node, anna, kim } = house
  await manager.lock('kim')
  await look(house, anna)
  const mailbox = node.mailboxes.get(mapKey(mailboxIdOf(world.platform, rootKeyOf(kim.id))))
  t.equal(mailbox?.mailOnDisk.length, 1, 'it lies in the mailbox as a letter')
  mailbox?.mailOnDisk.splice(0)
  await manager.unlock('kim', password)
  t.match(await auditOf(manager), { entries: [{ number: 1 }], missing: 0 })
})

t.test('who may not look: the attempt stands in the audit', async (t) => {
  const { manager, anna, bert, world } = await familyWithFriend()
  for (let n = 0; n < 9; n++) await manager.oversight.refused({ by: bert.id, child: 'kim' })
  await world.settle()
  const { entries } = await auditOf(manager)
  t.match(entries[0], { number: 1, kind: 'refused', by: bert.id, byName: 'bert' })
  t.ok(entries.length >= 1 && entries.length <= 6, `${entries.length} of 9: nobody fills a mailbox`)
  for (const child of ['bert', 'anna']) {
    const range = { fromMs: 0, untilMs: 1, reason: 'x' }
    const looking = manager.oversight.inspect({ by: anna.id, child, ...range })
    await t.rejects(looking, { code: 'ABZU_DENIED' }, child)
  }
  const range = { fromMs: 0, untilMs: 1, reason: 'x' }
  const noShare = manager.oversight.inspect({ by: bert.id, child: 'kim', ...range })
  await t.rejects(noShare, { code: 'ABZU_DENIED' }, 'no share either')
  for (const wrong of [
    { reason: ' ' },
    { reason: 'x'.repeat(513) },
    { fromMs: 2 },
    { fromMs: -1 },
  ]) {
    const looking = manager.oversight.inspect({ by: anna.id, child: 'kim', ...range, ...wrong })
    await t.rejects(looking, { code: 'ABZU_INVALID_ARGUMENT' })
  }
})

t.test(
  'nothing is told before the letter is in the mailbox, nor where it is not taken',
  async (t) => {
    const house = await familyWithFriend()
    const { node, manager, anna, world } = house
    const { hosting } = node
    const deliver = hosting.deliver.bind(hosting)
    const gate = Promise.withResolvers<void>()
    hosting.deliver = async (letter) => {
      await gate.promise
      await deliver(letter)
    }
    let isTold = false
    const looking = look(house, anna).then((told) => {
      isTold = true
      return told
    })
    await world.settle()
    t.equal(isTold, false)
    gate.resolve()
    t.equal((await looking).messages.length, 2)

    hosting.deliver = async () => {
      throw new AbzuError('ABZU_QUOTA_EXCEEDED', 'as the test wants it')
    }
    await t.rejects(look(house, anna), { code: 'ABZU_QUOTA_EXCEEDED' })
    hosting.deliver = deliver
    await look(house, anna)
    await world.settle()
    const { entries, missing } = await auditOf(manager)
    t.same(
      [...entries.map(({ number }) => number), missing],
      [1, 2, 3, 0],
      'what was cut off stands there too',
    )
  },
)

t.test('I19: cut off at any write, nothing is told without an entry', async (t) => {
  let told = 0
  let fired = 0
  for (const when of ['before', 'after'] as const) {
    for (let write = 1; ; write++) {
      const house = await familyWithFriend()
      const { world, node, manager, anna } = house
      await manager.lock('kim')
      node.disk.failAt(write, when)
      const messages = await look(house, anna).then(
        (inspection) => inspection.messages,
        () => undefined,
      )
      const hasFailed = node.disk.hasFailed
      await manager.close()
      node.revive()
      const again = await world.manager(node)
      await again.unlock('kim', password)
      const { entries, missing } = await auditOf(again)
      if (messages) t.match([entries.length, missing], [1, 0], `${when} ${write}`)
      else t.ok(entries.length + missing <= 1)
      told += messages ? 1 : 0
      await again.close()
      if (!hasFailed) break
      fired++
    }
  }
  t.ok(fired >= 3 && told >= 2, `${fired} cut off, ${told} told`)
})

t.test(
  'a new Admin looks once the Child has unlocked; one who is none any more does not',
  async (t) => {
    const house = await familyWithFriend()
    const { manager, anna, world } = house
    await manager.makeAdmin('bert')
    const bert = await manager.unlock('bert', password)
    await t.rejects(look(house, bert), { code: 'ABZU_DENIED', message: /no share yet/ })
    await manager.lock('kim')
    await manager.unlock('kim', password)
    await world.settle()
    t.equal((await look(house, bert)).messages.length, 2, 'what was before as well')
    await manager.unmakeAdmin(anna.id)
    await manager.lock('kim')
    await manager.unlock('kim', password)
    const annaAgain = await manager.unlock('anna', password)
    await t.rejects(look(house, annaAgain), { code: 'ABZU_DENIED' })
    t.equal((await look(house, bert)).messages.length, 2)
  },
)

t.test('I19: after growing up, or with other Admins, no old share opens anything', async (t) => {
  const step = fc.constantFrom('lock', 'admin', 'unadmin', 'grow', 'send')
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 5 }), async (steps) => {
      const { world, node, manager, kim, friend } = await familyWithFriend()
      const rootPk = rootKeyOf(kim.id)
      /** Private halves of all pairs that ever were. */
      const old: Uint8Array[] = []
      const steal = async (): Promise<Uint8Array | undefined> => {
        const { sealSeed } = await loot(world, node, 'anna')
        return bothShares(world, node, { rootPk, sealSeed })
      }
      const reopen = async (): Promise<void> => {
        await manager.lock('kim')
        await manager.unlock('kim', password)
        await world.settle()
      }
      let isAdmin = false
      for (const now of steps) {
        const before = await steal()
        const role = manager.get('kim').role
        if (now === 'lock') await reopen()
        if (now === 'admin' && !isAdmin) await manager.makeAdmin('bert')
        if (now === 'unadmin' && isAdmin) await manager.unmakeAdmin('bert')
        isAdmin = manager.get('bert').role === 'admin'
        if (now === 'grow' && role === 'child') {
          await manager.letGrowUp('kim', world.time.nowMs() - hourMs)
          await manager.growUp('kim')
        }
        await reopen()
        const after = await steal()
        const isChanged =
          before &&
          (!after ||
            !world.platform
              .sha256(after)
              .every((byte, n) => byte === world.platform.sha256(before)[n]))
        if (isChanged) old.push(before)
        const openedBy = async (seeds: Uint8Array[]) =>
          (await openedOf(world, node, { rootPk, seeds })).keys[0]
        if ((await openedBy(old)) > 0) return false
        if (after && (await openedBy([after])) === 0) return false
        if (manager.get('kim').role === 'adult' && after) return false
        if (now === 'send') await friend.member.messages.send({ to: 'kim', text: 'x' })
        await world.settle()
      }
      await manager.close()
      return true
    }),
    { numRuns: 8 },
  )
  t.pass()
})
