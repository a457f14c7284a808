/** I22: a slot's body opens in its own place only, and whatever is damaged is told. */

import t from 'tap'
import { mapKey } from '../../../src/base/util/bytes.ts'
import { silentLog, type LogFields } from '../../../src/base/util/log.ts'
import { parseSlotHeader, slotClass } from '../../../src/base/wire/slot.ts'
import type { SignedSlot } from '../../../src/user/account/ports.ts'
import { befriended, collect, inboxOf, password, textsOf, World } from '../../support/household.ts'
import type { Household } from '../../support/household.ts'
import type { MemoryMailbox } from '../../support/memory-ports.ts'

function mailboxOf({ node }: Pick<Household, 'node'>): MemoryMailbox {
  const [mailbox] = node.mailboxes.values()
  if (!mailbox) throw new Error('no mailbox')
  return mailbox
}

function sealedSlots({ slotsOnDisk }: MemoryMailbox): [string, SignedSlot][] {
  return [...slotsOnDisk].filter(
    ([, { signed, body }]) =>
      parseSlotHeader(signed).header.class === slotClass.sealed && body.length > 0,
  )
}

/** Locks, lets a host do what it likes, unlocks; returns what was reported. */
async function tampered(
  world: World,
  household: Household,
  tamper: (mailbox: MemoryMailbox) => void,
): Promise<{ household: Household; reports: string[] }> {
  await household.manager.close()
  tamper(mailboxOf(household))
  const reports: string[] = []
  const log = {
    ...silentLog,
    error: (event: string, fields?: LogFields) => {
      const error = fields?.['error'] as { code?: string } | undefined
      reports.push(`${event} ${error?.code}`)
    },
  }
  const manager = await world.manager(household.node, { log })
  const member = await manager.unlock(household.member.id, password)
  return { household: { ...household, manager, member }, reports }
}

t.test('a vault is there again after an unlock', async (t) => {
  const { world, alice, bob } = await befriended()
  await bob.member.messages.send({ to: 'alice', text: 'welcome' })
  await world.settle()
  const before = [await inboxOf(alice), alice.member.contacts.list()]
  const { household, reports } = await tampered(world, alice, () => undefined)
  t.same([await inboxOf(household), household.member.contacts.list()], before)
  t.same(reports, [])
  const lines = await collect(household.member.messages.conversation('bob'))
  t.same(
    lines.map(({ text }) => text),
    ['it is me', 'welcome'],
  )
})

t.test('no body opens in the place of another', async (t) => {
  const { world, alice, bob } = await befriended()
  for (const text of ['one', 'two']) await bob.member.messages.send({ to: 'alice', text })
  await world.settle()
  const count = sealedSlots(mailboxOf(alice)).length
  let household = alice
  let pairs = 0
  for (let a = 0; a < count; a++) {
    for (let b = 0; b < count; b++) {
      if (a === b) continue
      const original = new Map(mailboxOf(household).slotsOnDisk)
      const result = await tampered(world, household, ({ slotsOnDisk }) => {
        const slots = sealedSlots(mailboxOf(household))
        const [[key, slot] = [], [, other] = []] = [slots[a], slots[b]]
        if (key && slot && other) slotsOnDisk.set(key, { ...slot, body: other.body })
      })
      t.same(result.reports, ['vault-slot-unreadable ABZU_SEAL_BROKEN'])
      pairs++
      household = result.household
      const { slotsOnDisk } = mailboxOf(household)
      slotsOnDisk.clear()
      for (const [key, slot] of original) slotsOnDisk.set(key, slot)
    }
  }
  t.ok(pairs >= 6, `${pairs} pairs`)
})

t.test('nor under the header of another, another version, or in another mailbox', async (t) => {
  const { world, alice, bob } = await befriended()
  await bob.member.messages.send({ to: 'alice', text: 'welcome' })
  await world.settle()
  const foreign = sealedSlots(mailboxOf(bob))
  const tampers: Record<string, (mailbox: MemoryMailbox) => void> = {
    'a whole slot in another place': ({ slotsOnDisk }) => {
      const [[key] = [], [, other] = []] = sealedSlots(mailboxOf(alice))
      if (key && other) slotsOnDisk.set(key, other)
    },
    'another version': ({ slotsOnDisk }) => {
      const [[key, slot] = []] = sealedSlots(mailboxOf(alice))
      if (!key || !slot) return
      const signed = Uint8Array.from(slot.signed)
      signed[61] = (signed[61] as number) ^ 1
      slotsOnDisk.set(key, { ...slot, signed })
    },
    'a slot of somebody else': ({ slotsOnDisk }) => {
      const [[key, slot] = []] = foreign
      if (key && slot) slotsOnDisk.set(key, slot)
    },
  }
  for (const [what, tamper] of Object.entries(tampers)) {
    const original = new Map(mailboxOf(alice).slotsOnDisk)
    const { household, reports } = await tampered(world, alice, tamper)
    if (what.startsWith('a whole')) {
      // it opens, since it is where its header says; but no name leads there
      t.ok(reports.length <= 1, what)
      t.ok((await inboxOf(household)).length <= 1, 'and is not shown twice')
    } else t.match(reports, [/^vault-slot-unreadable/], what)
    await household.manager.close()
    const { slotsOnDisk } = mailboxOf(alice)
    slotsOnDisk.clear()
    for (const [key, slot] of original) slotsOnDisk.set(key, slot)
  }
})

t.test('a host that answers with another slot is noticed when a message is read', async (t) => {
  const { world, alice, bob } = await befriended()
  for (const text of ['one', 'two', 'three']) {
    await bob.member.messages.send({ to: 'alice', text })
    await world.settle()
  }
  const { slotsOnDisk } = mailboxOf(alice)
  const [[a, one] = [], [b, two] = []] = sealedSlots(mailboxOf(alice)).slice(-2)
  if (a && b && one && two) slotsOnDisk.set(a, two).set(b, one)
  t.same(await textsOf(alice), ['one'])
  const inbox = await inboxOf(bob)
  t.equal(inbox.length, 1)
})

t.test('an empty slot that nobody signed does not move the clock', async (t) => {
  const { world, alice, bob } = await befriended()
  const { household, reports } = await tampered(world, alice, ({ slotsOnDisk }) => {
    const [[key, slot] = []] = sealedSlots(mailboxOf(alice))
    if (!key || !slot) return
    const signed = Uint8Array.from(slot.signed)
    signed.fill(0xff, 56, 62)
    signed[55] = 0x1f
    slotsOnDisk.set(`${key}x`, { signed, body: new Uint8Array() })
  })
  t.same(reports, ['vault-slot-unreadable ABZU_SIGNATURE_INVALID'])
  await household.member.messages.send({ to: 'bob', text: 'still here' })
  await world.settle()
  t.same(await textsOf(bob), ['it is me', 'still here'])
})

t.test('damage in one slot leaves the others readable', async (t) => {
  const { world, alice, bob } = await befriended()
  for (const text of ['one', 'two', 'three']) {
    await bob.member.messages.send({ to: 'alice', text })
    await world.settle()
  }
  const { household, reports } = await tampered(world, alice, (mailbox) => {
    const newest = sealedSlots(mailbox)
      .map(([, slot]) => slot)
      .toSorted((a, b) => version(b) - version(a))[0]
    if (newest) newest.body[50] = (newest.body[50] as number) ^ 1
  })
  t.same(reports, ['vault-slot-unreadable ABZU_SEAL_BROKEN'])
  t.same(await textsOf(household), ['one', 'two'])
})

t.test('plain slots that no device signed count for nothing', async (t) => {
  const { world, alice } = await befriended()
  const plain = (mailbox: MemoryMailbox) =>
    [...mailbox.slotsOnDisk].filter(
      ([, { signed }]) => parseSlotHeader(signed).header.class === slotClass.plain,
    )
  const count = plain(mailboxOf(alice)).length
  const { household, reports } = await tampered(world, alice, (mailbox) => {
    for (const [key, slot] of plain(mailbox).slice(0, 1)) {
      const signed = Uint8Array.from(slot.signed)
      signed[150] = (signed[150] as number) ^ 1
      mailbox.slotsOnDisk.set(mapKey(new Uint8Array([1, 2, key.length])), { ...slot, signed })
    }
  })
  t.ok(count > 5)
  t.same(reports, ['plain-slot-unreadable ABZU_SIGNATURE_INVALID'])
  t.equal(household.member.contacts.list().length, 1)
})

t.test('an account without its keyring or record is damaged', async (t) => {
  const world = new World()
  const { node, manager, member } = await world.household('alice')
  await manager.close()
  const { slotsOnDisk } = mailboxOf({ node })
  const original = new Map(slotsOnDisk)
  for (const key of original.keys()) {
    slotsOnDisk.delete(key)
    const again = await world.manager(node)
    const outcome = await again.unlock(member.id, password).then(
      () => 'unlocked',
      (error: { code: string }) => error.code,
    )
    const isPrekey = outcome === 'unlocked'
    t.ok(isPrekey || outcome === 'ABZU_STORE_DAMAGED', outcome)
    await again.close()
    slotsOnDisk.clear()
    for (const [other, slot] of original) slotsOnDisk.set(other, slot)
  }
})

function version({ signed }: SignedSlot): number {
  return parseSlotHeader(signed).header.version
}
