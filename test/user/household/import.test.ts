/** An account leaves in a file and comes to another node: the same person, with everything, and one home. */

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { argon2Floor } from '../../../src/base/crypto/password.ts'
import { utf8 } from '../../../src/base/util/bytes.ts'
import type { ImportInit } from '../../../src/user/household/portability.ts'
import {
  gathered,
  inChunks,
  lived,
  missing,
  partsOf,
  plainExport,
} from '../../support/exporting.ts'
import {
  collect,
  inboxOf,
  password,
  textsOf,
  World,
  type Household,
} from '../../support/household.ts'
import { holdsInTime } from '../../support/property.ts'
import { recordOn } from '../../support/recovering.ts'

/** Once in it a home looks whether it is one still. */
const hourMs = 3_600_000
const filePassword = 'of the file'
const lock = { password: filePassword, workFactor: 4 }

async function exportOf({ manager }: Household, name = 'alice'): Promise<Uint8Array> {
  return gathered(await manager.exported(name, lock))
}

function importing(file: Uint8Array, init: Partial<ImportInit> = {}) {
  const told: { items: number; itemsTotal: number }[] = []
  return {
    sealed: () => inChunks(file),
    secret: { password: filePassword },
    password: password,
    progress: (done: { items: number; itemsTotal: number }) => void told.push(done),
    signal: new AbortController().signal,
    ...init,
    told,
  }
}

t.test('everything comes along, and the old home freezes', async (t) => {
  const { world, alice, bob } = await lived()
  const { id } = alice.member
  const before = recordOn(world, alice.node, alice.member)
  const file = await exportOf(alice)
  // after the file was made
  bob.node.isOnline = true
  await world.settle()
  await bob.member.messages.send({ to: 'alice', text: 'later' })
  await world.settle()

  const node = world.node()
  const manager = await world.manager(node)
  const init = importing(file)
  const { member, isUpToDate } = await manager.import(init)
  t.equal(isUpToDate, true)
  t.match(member, { id, name: 'alice', role: 'admin' })
  t.ok(init.told.length > 1 && init.told[0]!.itemsTotal > 10)
  t.same(await textsOf({ member }), ['read', 'later'])
  const sent = await collect(member.messages.conversation('bob'))
  t.match(
    sent.map(({ text }) => text),
    ['it is me', 'read', 'arrived', 'under way', 'later'],
  )
  const after = recordOn(world, node, member)
  t.equal(after.seq, before.seq + 1)
  t.match(after.hosts, [
    { peerId: node.peerId, role: 'home' },
    { peerId: alice.node.peerId, role: 'former' },
  ])

  await world.time.advance(hourMs)
  await t.rejects(alice.manager.unlock('alice', password), { code: 'ABZU_ACCOUNT_MOVED' })
  t.match(alice.manager.list(), [{ name: 'alice', locked: true, movedTo: node.peerId }])
  await member.messages.send({ to: 'bob', text: 'from the new home' })
  await world.settle()
  await bob.member.messages.send({ to: 'alice', text: 'to the new home' })
  await world.settle()
  t.equal((await textsOf({ member })).at(-1), 'to the new home')
  t.same((await textsOf(bob)).filter((text) => text === 'under way').length, 1, 'read once')
  t.equal((await textsOf(bob)).at(-1), 'from the new home')
})

t.test('what was under way when the home was lost arrives once', async (t) => {
  const { world, alice, bob } = await lived()
  const file = await exportOf(alice)
  alice.node.isOnline = false
  const node = world.node()
  const manager = await world.manager(node)
  const { member, isUpToDate } = await manager.import(importing(file))
  t.equal(isUpToDate, false, 'nobody could be asked')
  bob.node.isOnline = true
  await world.settle()
  t.same((await textsOf(bob)).filter((text) => text === 'under way').length, 1)
  alice.node.isOnline = true
  await world.settle()
  t.same((await textsOf(bob)).filter((text) => text === 'under way').length, 1, 'and never twice')
  t.match(await textsOf({ member }), ['read'])
})

t.test('I28: export, import, export: nothing is another, but who is the home', async (t) => {
  const act = fc.constantFrom('send', 'answer', 'link', 'day', 'strangers')
  await holdsInTime(
    t,
    fc.asyncProperty(fc.array(act, { maxLength: 6 }), async (acts) => {
      const { world, alice, bob } = await lived()
      for (const one of acts) {
        bob.node.isOnline = true
        if (one === 'send') await alice.member.messages.send({ to: 'bob', text: 'more' })
        if (one === 'answer') await bob.member.messages.send({ to: 'alice', text: 'more' })
        if (one === 'link') await alice.member.contacts.link()
        if (one === 'day') await world.time.advance(25 * hourMs)
        if (one === 'strangers') await alice.member.contacts.letStrangersBe('refused')
        await world.settle()
      }
      await alice.manager.lock('alice')
      await alice.manager.unlock('alice', password)
      await world.settle()
      const first = await partsOf(
        await plainExport(world, { ...alice, member: alice.manager.member('alice') }),
      )
      const file = await exportOf(alice)
      alice.node.isOnline = false
      bob.node.isOnline = false
      const node = world.node()
      const { member } = await (await world.manager(node)).import(importing(file))
      const again = await partsOf(await plainExport(world, { node, member }))
      const { madeAtMs: _, items: __, bytes: ___, ...person } = first.manifest
      t.match(again.manifest, person)
      // the record; and what is sealed again, where a letter has not arrived
      const gone = missing(first.items, again.items)
      const unsent = await collect(member.messages.conversation('bob'))
      const waiting = unsent.filter(({ state }) => state === 'queued').length
      return gone.length <= 1 + waiting && again.items.length === first.items.length + 1
    }),
    { seed: 3, runs: 12 },
  )
})

t.test('I27: who may do what is never in the file', async (t) => {
  const { world, alice } = await lived()
  const file = await exportOf(alice)
  const elsewhere = await world.household('host')
  const { member } = await elsewhere.manager.import(importing(file))
  t.equal(member.role, 'adult', 'an Admin there is none here')
  t.match(elsewhere.manager.get('alice'), { role: 'adult' })
  const third = await world.household('third')
  t.match(await third.manager.import(importing(file, { role: 'child' })), {
    member: { role: 'child' },
  })
  const guest = importing(file, { role: 'guest' })
  await t.rejects((await world.household('x')).manager.import(guest), { code: 'ABZU_DENIED' })
})

t.test('what a person gets wrong changes nothing', async (t) => {
  const { world, alice } = await lived()
  const file = await exportOf(alice)
  const elsewhere = await world.household('bert')
  const { manager, node } = elsewhere
  const wrong: Record<string, [Partial<ImportInit>, string]> = {
    'the password of the file': [{ secret: { password: 'wrong' } }, 'ABZU_WRONG_PASSWORD'],
    'no password of its own': [{ secret: undefined }, 'ABZU_WRONG_PASSWORD'],
    'an identity': [{ secret: { identity: await generateIdentity() } }, 'ABZU_EXPORT_INVALID'],
    'no identity': [{ secret: { identity: 'x' } }, 'ABZU_INVALID_ARGUMENT'],
    'no password': [{ password: new Uint8Array() }, 'ABZU_INVALID_ARGUMENT'],
    'a name that somebody has': [{ name: 'BERT' }, 'ABZU_ALREADY_EXISTS'],
    'a name that is none': [{ name: 'a\nb' }, 'ABZU_INVALID_ARGUMENT'],
    'a file that is cut off': [
      { sealed: () => inChunks(file.slice(0, -1)) },
      'ABZU_EXPORT_INVALID',
    ],
    'no file': [{ sealed: () => inChunks(utf8('words')) }, 'ABZU_EXPORT_INVALID'],
  }
  for (const [what, [init, code]] of Object.entries(wrong)) {
    await t.rejects(manager.import(importing(file, init)), { code }, what)
    t.equal(manager.list().length, 1, what)
    t.equal(node.mailboxes.size, 1, what)
  }
  await t.rejects(alice.manager.import(importing(file)), { code: 'ABZU_ALREADY_EXISTS' }, 'at home')
  const both = await Promise.allSettled([
    manager.import(importing(file)),
    manager.import(importing(file)),
  ])
  t.same(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected'], 'two at once')
  await t.rejects(manager.import(importing(file)), { code: 'ABZU_ALREADY_EXISTS' }, 'twice')
  t.match(await manager.unlock('alice', password), { name: 'alice' })
})

t.test('its own password, and a key of age', async (t) => {
  const { world, alice } = await lived()
  const identity = await generateIdentity()
  const recipient = await identityToRecipient(identity)
  const file = await gathered(await alice.manager.exported('alice', { recipient }))
  const node = world.node()
  const manager = await world.manager(node, { passwordCost: argon2Floor })
  const own = utf8('a new one')
  await manager.import(importing(file, { secret: { identity }, password: own, name: 'Alice 2' }))
  await manager.lock('Alice 2')
  await t.rejects(manager.unlock('Alice 2', password), { code: 'ABZU_WRONG_PASSWORD' })
  t.match(await manager.unlock('Alice 2', own), { name: 'Alice 2' })
})

t.test('back at the node that it left', async (t) => {
  const { world, alice, bob } = await lived()
  const node = world.node()
  const manager = await world.manager(node)
  const { member } = await manager.import(importing(await exportOf(alice)))
  await world.time.advance(hourMs)
  await t.rejects(alice.manager.unlock('alice', password), { code: 'ABZU_ACCOUNT_MOVED' })
  const back = await gathered(await manager.exported('alice', lock))
  const { member: again } = await alice.manager.import(importing(back))
  t.equal(again.id, member.id)
  t.match(alice.manager.list(), [{ name: 'alice', locked: false }])
  t.notOk(alice.manager.list()[0]?.movedTo)
  await world.time.advance(hourMs)
  await t.rejects(manager.unlock('alice', password), { code: 'ABZU_ACCOUNT_MOVED' })
  bob.node.isOnline = true
  await bob.member.messages.send({ to: 'alice', text: 'where are you' })
  await world.settle()
  t.equal((await textsOf({ member: again })).at(-1), 'where are you')
})

t.test('a file that is older than a recovery brings nobody back', async (t) => {
  const { world, alice } = await lived()
  const file = await exportOf(alice)
  const { recovering, addressOf, newPassword } = await import('../../support/recovering.ts')
  const second = await world.manager(world.node())
  await second.recover(recovering(alice, { peer: addressOf(alice.node) }))
  const third = await world.manager(world.node())
  await t.rejects(third.import(importing(file)), { code: 'ABZU_ACCOUNT_MOVED' })
  t.same(third.list(), [])
  t.match(await second.unlock('alice', newPassword), { name: 'alice' })
})

t.test('a home that is alive freezes as soon as it has the record, locked or not', async (t) => {
  for (const isLocked of [false, true]) {
    const world = new World()
    const { alice } = await lived(world)
    const file = await exportOf(alice)
    if (isLocked) await alice.manager.lock('alice')
    const node = world.node()
    const manager = await world.manager(node)
    const { member } = await manager.import(importing(file))
    const [from] = node.mailboxes.values()
    const slots = [...from!.slotsOnDisk.values()]
    const [old] = [...alice.node.mailboxes.values()]
    old!.apply(old!.checkAll(slots))
    await alice.manager.moves.recordChanged(old!.rootPk)
    t.match(alice.manager.list(), [{ locked: true, movedTo: node.peerId }])
    await manager.moves.recordChanged(old!.rootPk)
    t.match(manager.list(), [{ id: member.id, locked: false }], 'the new one does not')
    t.equal((await inboxOf({ member })).length, 1)
  }
})

t.test('I13: a file of version 1 opens for ever', async (t) => {
  const path = new URL('../../vectors/golden/export-1.age', import.meta.url)
  const world = new World()
  const manager = await world.manager(world.node())
  const secret = { password: 'golden' }
  const { member, isUpToDate } = await manager.import(importing(readFileSync(path), { secret }))
  t.equal(member.id, 'abzu1qptssmyzgf0krp82raawrj9uenaeu4zfw9xmfj7gdsu5waw30pykug3w4ln')
  t.equal(isUpToDate, false)
  t.same(await textsOf({ member }), ['read', 'waiting'])
  t.match(member.contacts.list(), [{ name: 'bob' }])
  const both = await collect(member.messages.conversation('bob'))
  t.same(
    both.map(({ text }) => text),
    ['it is me', 'read', 'arrived', 'under way', 'waiting'],
  )
})
