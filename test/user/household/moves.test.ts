import t, { type Test } from 'tap'
import type { AbzuError } from '../../../src/base/util/errors.ts'
import { mapKey, utf8 } from '../../../src/base/util/bytes.ts'
import { mailboxIdOf, rootKeyOf } from '../../../src/base/crypto/address.ts'
import type { ComingAccount } from '../../../src/base/wire/move.ts'
import type { AccountManager } from '../../../src/user/household/account-manager.ts'
import type { MoveInit } from '../../../src/user/household/moves.ts'
import { gathered, lived } from '../../support/exporting.ts'
import { collect, password, textsOf, World, type Household } from '../../support/household.ts'
import { MemoryMoving } from '../../support/memory-moving.ts'
import type { MemoryNode } from '../../support/memory-ports.ts'
import { addressOf, newPassword, recordOn, recovering } from '../../support/recovering.ts'

interface Scene {
  readonly world: World
  readonly alice: Household
  readonly bob: Household
  readonly next: MemoryNode
  readonly moving: MemoryMoving
}

/** Alice has lived, and her node is paired with another one. */
async function paired(world = new World()): Promise<Scene> {
  const { alice, bob } = await lived(world)
  const next = world.node()
  const moving = new MemoryMoving(world, alice.node, next)
  world.moving.set(alice.node, moving)
  await alice.manager.close()
  const manager = await world.manager(alice.node)
  const member = await manager.unlock('alice', password)
  moving.there = await world.manager(next)
  return { world, alice: { ...alice, manager, member }, bob, next, moving }
}

function moveTo(to: string, init: Partial<MoveInit> = {}): MoveInit {
  return { to, progress: () => undefined, signal: new AbortController().signal, ...init }
}

/** Where the account lives by the records of both nodes; the one of them at which it can be unlocked is the one. */
async function judge(t: Test, { world, alice, bob, next }: Scene, what: string): Promise<boolean> {
  const managers = [await world.manager(alice.node), await world.manager(next)] as const
  const open = await Promise.all(
    managers.map(async (manager) =>
      manager.unlock('alice', password).then(
        (member) => member,
        ({ code }: AbzuError) => code,
      ),
    ),
  )
  const living = open.filter((one) => typeof one === 'object')
  t.equal(
    living.length,
    1,
    `${what}: one home lives, ${open.map((one) => (typeof one === 'string' ? one : 'here')).join(', ')}`,
  )
  const [member] = living
  if (member) {
    const here = open[0] === member ? alice.node : next
    t.match(recordOn(world, here, member).hosts[0], { peerId: here.peerId, role: 'home' }, what)
    t.same(await textsOf({ member }), ['read'], what)
    t.equal((await collect(member.messages.conversation('bob'))).length, 4, what)
    bob.node.isOnline = true
    await world.settle()
    await world.time.advance(3_600_000)
    await world.settle()
    const once = (await textsOf(bob)).filter((text) => text === 'under way').length
    t.equal(once, 1, `${what}: nothing lost or doubled`)
  }
  await Promise.all(managers.map(async (manager) => manager.close()))
  return open[0] !== member
}

t.test('an account lives at the paired node from then on, with all that it had', async (t) => {
  const scene = await paired()
  const { world, alice, bob, next, moving } = scene
  const to = addressOf(next)
  const announced: ComingAccount[] = []
  moving.onAnnounce = async (coming) => void announced.push(coming)
  const moved = await alice.manager.move('alice', moveTo(to))
  t.same(moved, { to: next.peerId, isComplete: true })
  t.match(alice.manager.list(), [{ name: 'alice', locked: true, movedTo: next.peerId }])
  await t.rejects(alice.manager.unlock('alice', password), { code: 'ABZU_ACCOUNT_MOVED' })
  const there = moving.there as AccountManager
  t.match(there.list(), [{ id: alice.member.id, name: 'alice', role: 'admin', locked: true }])
  t.notOk('movedTo' in there.list()[0]!)
  await t.rejects(
    there.moves.expect(alice.node.peerId, announced[0]!),
    { code: 'ABZU_ALREADY_EXISTS' },
    'what is told once more changes nothing',
  )
  const member = await there.unlock('alice', password)
  t.same(await textsOf({ member }), ['read'])
  t.match(member.contacts.list(), [{ name: 'bob' }])
  bob.node.isOnline = true
  await bob.member.messages.send({ to: 'alice', text: 'where are you' })
  await world.settle()
  await moving.sync(member.mailbox)
  t.same(await textsOf({ member }), ['read', 'where are you'], 'handed on by the old home')
  await member.messages.send({ to: 'bob', text: 'I have moved' })
  await world.settle()
  t.equal((await textsOf(bob)).at(-1), 'I have moved')
  await bob.member.messages.send({ to: 'alice', text: 'so you live there' })
  await world.settle()
  t.equal((await textsOf({ member })).at(-1), 'so you live there', 'and found')
  t.same((await textsOf(bob)).filter((text) => text === 'under way').length, 1)
  t.match(recordOn(world, next, member).hosts, [
    { peerId: next.peerId, role: 'home' },
    { peerId: alice.node.peerId, role: 'former' },
  ])
})

t.test('and comes back by the same way', async (t) => {
  const { world, alice, next, moving } = await paired()
  await alice.manager.move('alice', moveTo('friend'))
  const back = new MemoryMoving(world, next, alice.node)
  back.there = alice.manager
  await moving.there!.close()
  world.moving.set(next, back)
  const there = await world.manager(next)
  const member = await there.unlock('alice', password)
  const newer = utf8('another password')
  await there.keys.changePassword('alice', { password, next: newer })
  await there.move('alice', moveTo(addressOf(alice.node)))
  t.equal(member.id, alice.member.id)
  t.match(there.list(), [{ movedTo: alice.node.peerId }])
  t.match(alice.manager.list(), [{ role: 'admin', locked: true }], 'as what it was here')
  await t.rejects(alice.manager.unlock('alice', password), { code: 'ABZU_WRONG_PASSWORD' })
  t.same(await textsOf({ member: await alice.manager.unlock('alice', newer) }), ['read'])
})

t.test('a home or the next one that is cut off at any write', async (t) => {
  let fired = 0
  let movedTimes = 0
  for (const victim of ['home', 'next'] as const) {
    for (const when of ['before', 'after'] as const) {
      for (let write = 1; ; write++) {
        const scene = await paired()
        const { world, alice, next, moving } = scene
        const { disk } = victim === 'home' ? alice.node : next
        disk.failAt(write, when)
        const code = await Promise.race([
          alice.manager.move('alice', moveTo('friend')).then(
            () => undefined,
            (error: AbzuError) => error.code,
          ),
          world
            .settle()
            .then(async () => world.time.advance(90_000))
            .then(() => 'stalled'),
        ])
        const hasFailed = disk.hasFailed
        await Promise.all([alice.manager.close(), moving.there!.close()])
        alice.node.revive()
        next.revive()
        if (hasFailed) fired++
        // sync goes on once both are back
        moving.there = await world.manager(next)
        const isAway = recordOn(world, alice.node, alice.member).hosts[0]?.peerId === next.peerId
        if (isAway) await moving.sync(mailboxOf(scene))
        await moving.there.close()
        const what = `${victim}, write ${write} ${when}, ${code ?? 'moved'}`
        const wasMoved = await judge(t, scene, what)
        t.equal(wasMoved, isAway, `${what}: as the home has decided`)
        if (wasMoved) movedTimes++
        if (!hasFailed) {
          t.equal(code, undefined, what)
          break
        }
      }
    }
  }
  t.ok(fired >= 20, `cut off at ${fired} writes`)
  t.ok(movedTimes >= 4, `moved all the same ${movedTimes} times`)
})

t.test('what was decided while the next home was down takes effect when it starts', async (t) => {
  const { alice, world, moving, next } = await paired()
  const there = moving.there as AccountManager
  await alice.manager.move('alice', moveTo('friend'))
  const entry = there.list()
  t.notOk('movedTo' in entry[0]!)
  // as a node that was killed after the record came and before the row was written
  const rows = next.tables.onDisk('accounts')
  await there.close()
  t.equal(rows.size, 1)
  const again = await world.manager(next)
  t.match(again.list(), [{ name: 'alice', locked: true }])
  t.match(await again.unlock('alice', password), { name: 'alice' })
})

t.test('who gives up, and a node that is not there, move nothing', async (t) => {
  const scene = await paired()
  const { world, alice, next, moving } = scene
  next.isOnline = false
  const giveUp = new AbortController()
  const reason = new Error('given up')
  const told: boolean[] = []
  const progress = (isCopying: boolean) => {
    told.push(isCopying)
    giveUp.abort(reason)
  }
  await t.rejects(
    alice.manager.move('alice', moveTo('friend', { progress, signal: giveUp.signal })),
    reason,
  )
  t.same(told, [false])
  const stalled = alice.manager.move('alice', moveTo('friend'))
  stalled.catch(() => undefined)
  for (let seconds = 0; seconds < 305; seconds++) {
    await world.settle()
    await world.time.advance(1000)
  }
  await t.rejects(stalled, { code: 'ABZU_UNREACHABLE' })
  t.match(alice.manager.list(), [{ locked: false }])
  next.isOnline = true
  moving.onAnnounce = async () => giveUp.signal.throwIfAborted()
  await t.rejects(alice.manager.move('alice', moveTo('friend')), reason)
  moving.onAnnounce = async () => undefined
  t.same(moving.there!.list(), [])
  t.match(await alice.manager.move('alice', moveTo('friend')), { isComplete: true })
})

t.test('a password that is changed on the way is not left behind', async (t) => {
  const { alice, moving } = await paired()
  const newer = utf8('another password')
  moving.onAnnounce = async () =>
    alice.manager.keys.changePassword('alice', { password, next: newer })
  await t.rejects(alice.manager.move('alice', moveTo('friend')), { code: 'ABZU_OVERLOADED' })
  t.match(alice.manager.list(), [{ locked: false }])
  await t.rejects(moving.there!.unlock('alice', password), { code: 'ABZU_ACCOUNT_MOVED' })
  moving.onAnnounce = async () => undefined
  await alice.manager.move('alice', moveTo('friend'))
  t.match(await moving.there!.unlock('alice', newer), { name: 'alice' })
})

t.test('nodes that are not paired, and the own one', async (t) => {
  const { world, alice, moving } = await paired()
  await t.rejects(alice.manager.move('alice', moveTo('nobody')), { code: 'ABZU_NOT_FOUND' })
  await t.rejects(alice.manager.move('alice', moveTo('/ip4/1')), { code: 'ABZU_ADDRESS_INVALID' })
  await t.rejects(alice.manager.move('alice', moveTo(addressOf(alice.node))), {
    code: 'ABZU_INVALID_ARGUMENT',
  })
  const carol = await world.household('carol')
  await t.rejects(carol.manager.move('carol', moveTo('friend')), { code: 'ABZU_NOT_FOUND' })
  await alice.manager.lock('alice')
  await t.rejects(alice.manager.move('alice', moveTo('friend')), { code: 'ABZU_LOCKED' })
  t.same(moving.there!.list(), [])
})

t.test('the last Admin of others stays', async (t) => {
  const { alice } = await paired()
  await alice.manager.create({ name: 'ben', role: 'adult', password })
  await t.rejects(alice.manager.move('alice', moveTo('friend')), { code: 'ABZU_DENIED' })
  await alice.manager.makeAdmin('ben')
  t.match(await alice.manager.move('alice', moveTo('friend')), { isComplete: true })
  t.match(alice.manager.list(), [{ name: 'alice' }, { name: 'ben', role: 'admin' }])
})

t.test('of two Admins who leave at once, one stays', async (t) => {
  const { alice } = await paired()
  await alice.manager.create({ name: 'ben', role: 'admin', password })
  await alice.manager.create({ name: 'carl', role: 'adult', password })
  const ended = await Promise.allSettled([
    alice.manager.move('alice', moveTo('friend')),
    alice.manager.move('ben', moveTo('friend')),
  ])
  t.equal(ended.filter(({ status }) => status === 'fulfilled').length, 1)
  const admins = alice.manager.list().filter(({ role, movedTo }) => role === 'admin' && !movedTo)
  t.equal(admins.length, 1)
})

t.test('what a node is told that lies, or that it cannot use', async (t) => {
  const scene = await paired()
  const { world, alice, next, moving } = scene
  const there = moving.there as AccountManager
  let coming: ComingAccount | undefined
  moving.onAnnounce = async (told) => {
    coming = told
    throw new Error('heard enough')
  }
  await t.rejects(alice.manager.move('alice', moveTo('friend')), /heard enough/)
  const told = coming as ComingAccount
  const from = alice.node.peerId
  const stranger = world.node().peerId
  await t.rejects(there.moves.expect(stranger, told), { code: 'ABZU_DENIED' }, 'not its home')
  const other = await world.household('carol')
  const foreign = other.member.id
  await t.rejects(
    there.moves.expect(from, { ...told, rootPk: rootKeyOf(foreign) }),
    { code: 'ABZU_SIGNATURE_INVALID' },
    'a device of another account',
  )
  const absurd = Uint8Array.from(told.wrappedDevice)
  absurd.fill(255, 1, 9)
  await t.rejects(there.moves.expect(from, { ...told, wrappedDevice: absurd }), {
    code: 'ABZU_MALFORMED',
  })
  await t.rejects(there.moves.expect(from, { ...told, name: '' }), {
    code: 'ABZU_INVALID_ARGUMENT',
  })
  next.mailboxes.clear()
  await t.rejects(there.moves.expect(from, told), { code: 'ABZU_NOT_HOSTED' }, 'no copy yet')
  t.same(there.list(), [])
  await moving.sync(mailboxOf(scene))
  await there.create({ name: 'Alice', role: 'admin', password })
  await t.rejects(there.moves.expect(from, told), { code: 'ABZU_ALREADY_EXISTS' }, 'the name')
  await there.moves.expect(from, { ...told, name: 'anna' })
  await there.moves.expect(from, { ...told, name: 'anne' })
  t.match(there.list(), [{ name: 'Alice' }, { name: 'anne', role: 'adult', movedTo: from }])
  await t.rejects(there.unlock('anne', password), { code: 'ABZU_ACCOUNT_MOVED' }, 'not before')
  moving.onAnnounce = async () => undefined
  await t.rejects(alice.manager.move('alice', moveTo('friend')), { code: 'ABZU_ALREADY_EXISTS' })
})

t.test('a row that was announced does not wake by a recovery that was cut off', async (t) => {
  let namedHere = 0
  for (let write = 1; ; write++) {
    const { world, alice, next, moving } = await paired()
    const there = moving.there as AccountManager
    moving.onAnnounce = async (coming) => {
      await there.moves.expect(alice.node.peerId, coming)
      throw new Error('cut off')
    }
    await t.rejects(alice.manager.move('alice', moveTo('friend')), /cut off/)
    next.disk.failAt(write, 'before')
    const init = recovering(alice, { peer: addressOf(alice.node) })
    const isDone = await there.recover(init).then(
      () => true,
      () => false,
    )
    await there.close()
    next.revive()
    const again = await world.manager(next)
    if (isDone) break
    const isNamed = recordOn(world, next, alice.member).hosts[0]?.peerId === next.peerId
    if (isNamed) namedHere++
    t.match(again.list(), [{ movedTo: alice.node.peerId }], `write ${write}`)
    await t.rejects(again.unlock('alice', password), { code: 'ABZU_ACCOUNT_MOVED' })
    await again.recover(init)
    t.match(await again.unlock('alice', newPassword), { name: 'alice' })
  }
  t.ok(namedHere > 0, 'also where the record says that it lives here')
})

t.test('a move that was given up is deleted there, and the copy stays', async (t) => {
  const scene = await paired()
  const { alice, next, moving } = scene
  const there = moving.there as AccountManager
  await there.create({ name: 'ada', role: 'admin', password })
  moving.onAnnounce = async (coming) => {
    await there.moves.expect(alice.node.peerId, coming)
    throw new Error('given up')
  }
  await t.rejects(alice.manager.move('alice', moveTo('friend')), /given up/)
  await there.remove('alice', there.get('ada').id)
  t.match(there.list(), [{ name: 'ada' }])
  t.equal(next.mailboxes.size, 2)
  moving.onAnnounce = async () => undefined
  t.match(await alice.manager.move('alice', moveTo('friend')), { isComplete: true })
  t.match(await there.unlock('alice', password), { role: 'adult' })
})

t.test('who keeps copies goes along, and the home that was left comes in its place', async (t) => {
  for (const isChosen of [false, true]) {
    const { world, alice, next, moving } = await paired()
    if (isChosen) await alice.member.holders.choose([next.peerId])
    await alice.manager.move('alice', moveTo('friend'))
    next.holders = [{ peerId: alice.node.peerId, role: 'replica', addresses: [] }]
    const member = await moving.there!.unlock('alice', password)
    await world.time.advance(3_600_000)
    await world.settle()
    t.equal((await member.holders.look()).chosen, isChosen)
    t.match(recordOn(world, next, member).hosts, [
      { peerId: next.peerId, role: 'home' },
      { peerId: alice.node.peerId, role: 'replica' },
    ])
  }
})

t.test('who is to leave takes its time along, and loses nothing by it', async (t) => {
  const { world, alice, next, moving } = await paired()
  const { member: ben } = await alice.manager.create({ name: 'ben', role: 'adult', password })
  await alice.manager.remove('ben', alice.member.id)
  await alice.manager.move('ben', moveTo('friend'))
  const { leavesAt } = alice.manager.get('ben')
  t.ok(leavesAt)
  await world.time.advance(40 * 24 * 3_600_000)
  t.match(
    alice.manager.get('ben'),
    { movedTo: next.peerId, leavesAt },
    'what it left is still handed on',
  )
  t.ok(alice.node.mailboxes.has(mapKey(ben.mailbox)))
  t.equal(moving.there!.get('ben').leavesAt, undefined, 'it was told to leave here alone')

  const back = new MemoryMoving(world, next, alice.node)
  back.there = alice.manager
  await moving.there!.close()
  world.moving.set(next, back)
  const there = await world.manager(next)
  await there.unlock('ben', password)
  await there.move('ben', moveTo('friend'))
  t.match(alice.manager.get('ben'), { role: 'adult', leavesAt }, 'and holds when it comes back')
})

t.test('a Child that comes back is one still', async (t) => {
  const { world, alice, next } = await paired()
  const { member: kim } = await alice.manager.create({ name: 'kim', role: 'child', password })
  const file = async function* () {
    yield exported
  }
  const exported = await gathered(
    await alice.manager.exported('kim', { password: 'of the file', workFactor: 2 }),
  )
  world.moving.set(next, new MemoryMoving(world, next, alice.node))
  const there = await world.manager(next)
  const back = world.moving.get(next) as MemoryMoving
  back.there = alice.manager
  const secret = { password: 'of the file' }
  await there.import({ ...moveTo(''), sealed: file, secret, password, progress: () => undefined })
  await back.sync(kim.mailbox)
  t.match(alice.manager.get('kim'), { role: 'child', movedTo: next.peerId })
  await there.move('kim', moveTo('friend'))
  t.match(alice.manager.get('kim'), { role: 'child', locked: true })
  t.equal(alice.manager.get('kim').movedTo, undefined)
})

t.test(
  'one node brings so many accounts and no more, those that live here by now included',
  async (t) => {
    const { alice, moving } = await paired()
    const there = moving.there as AccountManager
    await there.create({ name: 'ada', role: 'admin', password })
    const names = Array.from({ length: 33 }, (_, n) => `person ${n}`)
    for (const name of names) await alice.manager.create({ name, role: 'adult', password })
    const move = async (name: string) => alice.manager.move(name, moveTo('friend'))
    for (const name of names.slice(0, 32)) await move(name)
    t.equal(there.list().filter(({ movedTo }) => movedTo !== undefined).length, 0)
    await t.rejects(move('person 32'), { code: 'ABZU_QUOTA_EXCEEDED' })
    t.match(alice.manager.get('person 32'), { locked: false })
  },
)

function mailboxOf({ world, alice }: Scene) {
  return mailboxIdOf(world.platform, rootKeyOf(alice.member.id))
}
