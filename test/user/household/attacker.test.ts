/** The host as an attacker: the whole disk, all that a node has, and the Admin's account unlocked. */

import t from 'tap'
import { rootKeyOf } from '../../../src/base/crypto/address.ts'
import { openNote } from '../../../src/base/crypto/sealed-note.ts'
import { decode } from '../../../src/base/wire/codec.ts'
import { familyWithFriend } from '../../support/family.ts'
import { bothShares, loot, openedOf } from '../../support/loot.ts'
import { MemoryMoving } from '../../support/memory-moving.ts'

t.test('I18: of an Adult, a Guest and a Child nothing opens, of the Admin all', async (t) => {
  const { world, node, manager, bert, kim, friend } = await familyWithFriend()
  // the keys of a Guest are on its own device; what the node has of it is a copy of the mailbox
  const guest = await world.household('gisela')
  for (const { id, member } of [
    { id: bert.id, member: bert },
    { id: guest.member.id, member: guest.member },
  ]) {
    await member.contacts.add({ link: await friend.member.contacts.link(), as: 'ferdi' })
    await member.messages.send({ to: 'ferdi', text: `from ${id}` })
    await world.settle()
    await friend.member.contacts.add({ link: id, as: member.name })
  }
  for (const name of ['bert', 'kim']) await manager.lock(name)
  await guest.manager.lock('gisela')
  for (const name of ['bert', 'kim', 'gisela']) {
    await friend.member.messages.send({ to: name, text: 'not read yet' })
  }
  await world.settle()
  await new MemoryMoving(world, guest.node, node).sync(guest.member.mailbox)

  const { rows, seeds, sealSeed } = await loot(world, node, 'anna')
  t.equal(rows.length, 3)
  t.ok(seeds.length >= 3)
  const people = [
    ...rows.map(({ name, rootPk }) => ({ name, rootPk })),
    { name: 'gisela', rootPk: rootKeyOf(guest.member.id) },
  ]
  for (const { name, rootPk } of people) {
    const { keys, entries, letters } = await openedOf(world, node, { rootPk, seeds })
    t.ok(keys[1] >= 3, `${name}: ${keys[1]} keys`)
    if (name === 'anna') {
      t.equal(keys[0], keys[1], 'all keys of the Admin')
      t.equal(entries[0], entries[1])
      continue
    }
    t.ok(entries[1] >= 2, `${name}: ${entries[1]} sealed slots`)
    t.ok(letters[1] >= 1, `${name}: ${letters[1]} letters`)
    t.same([keys[0], entries[0], letters[0]], [0, 0, 0], name)
  }

  // what nobody can prevent who has both halves: docs/threat-model.md
  const rootPk = rootKeyOf(kim.id)
  const whole = (await bothShares(world, node, { rootPk, sealSeed })) as Uint8Array
  const { keys, entries, letters } = await openedOf(world, node, { rootPk, seeds: [whole] })
  t.equal(keys[0], keys[1])
  t.ok(entries[0] > 0)
  t.equal(letters[0], letters[1], 'so these would have been seen to open')
  const adult = await openedOf(world, node, { rootPk: rootKeyOf(bert.id), seeds: [whole] })
  t.equal(adult.keys[0], 0, "and a Child's pair opens nobody else")
})

t.test('a share opens as what it is, only', async (t) => {
  const { world, node } = await familyWithFriend()
  const value = [...node.tables.onDisk('oversight-pairs').values()][0]?.value as Uint8Array
  const { sealSeed: seed } = await loot(world, node, 'anna')
  const { shares } = decode(value) as { shares: { note: Uint8Array }[] }
  const note = shares[0]?.note as Uint8Array
  const opening = openNote(world.platform, { note, context: new Uint8Array(), seed })
  await t.rejects(opening, { code: 'ABZU_SEAL_BROKEN' })
})
