/** Whatever fails while an account is recovered, another attempt finishes what the first one began. */

import t, { type Test } from 'tap'
import { AbzuError, type ErrorCode } from '../../../src/base/util/errors.ts'
import type { MailboxPort } from '../../../src/user/account/ports.ts'
import {
  befriended,
  collect,
  inboxOf,
  textsOf,
  World,
  type Household,
} from '../../support/household.ts'
import type { MemoryNode } from '../../support/memory-ports.ts'
import {
  addressOf,
  heldElsewhere,
  newPassword,
  recordOn,
  recovering,
} from '../../support/recovering.ts'

interface Scene {
  readonly world: World
  readonly alice: Household
  readonly bob: Household
  readonly holder: MemoryNode
  readonly node: MemoryNode
}

/** A home that burnt down, with history, mail that waits, and a holder of it all. */
async function burntDown(): Promise<Scene> {
  const world = new World()
  world.network.hasDirectory = true
  const { alice, bob } = await befriended(world)
  await bob.member.messages.send({ to: 'alice', text: 'read' })
  await world.settle()
  await inboxOf(alice)
  await alice.manager.lock('alice')
  await bob.member.messages.send({ to: 'alice', text: 'waiting' })
  await world.settle()
  const holder = await heldElsewhere(world, alice)
  alice.node.isOnline = false
  return { world, alice, bob, holder, node: world.node() }
}

/** A second attempt on the same disk, by a daemon that was started again; where the first one had come to its end,
 *  the account is there. */
async function finish({ world, alice, holder, node }: Scene) {
  const manager = await world.manager(node)
  const member =
    manager.list().length > 0
      ? await manager.unlock('alice', newPassword)
      : await manager.recover(recovering(alice, { peer: addressOf(holder) }))
  return { manager, member }
}

async function judge(
  t: Test,
  scene: Scene,
  { what, seqBefore }: { what: string; seqBefore: number },
): Promise<void> {
  const { world, alice, bob, node } = scene
  const { manager, member } = await finish(scene)
  t.equal(member.id, alice.member.id, what)
  t.same(await textsOf({ member }), ['read', 'waiting'], what)
  const conversation = await collect(member.messages.conversation('bob'))
  t.equal(conversation.length, 3, what)
  const { hosts, seq } = recordOn(world, node, member)
  t.match(hosts[0], { peerId: node.peerId, role: 'home' }, what)
  t.ok(seq > seqBefore, `${what}: the record's number rises`)
  await member.messages.send({ to: 'bob', text: 'back' })
  await world.settle()
  t.equal((await textsOf(bob)).at(-1), 'back', what)
  await bob.member.messages.send({ to: 'alice', text: 'good' })
  await world.settle()
  t.equal((await textsOf({ member })).at(-1), 'good', what)
  await manager.close()
  const again = await world.manager(node)
  t.equal((await again.unlock('alice', newPassword)).id, alice.member.id, `${what}: for good`)
  await again.close()
}

t.test('a disk that fails at any write, before or after it took effect', async (t) => {
  let fired = 0
  for (const when of ['before', 'after'] as const) {
    for (let write = 1; ; write++) {
      const scene = await burntDown()
      const { world, alice, holder, node } = scene
      const seqBefore = recordOn(world, alice.node, alice.member).seq
      node.disk.failAt(write, when)
      const manager = await world.manager(node)
      const init = recovering(alice, { peer: addressOf(holder) })
      const outcome = await manager.recover(init).then(
        () => undefined,
        (error: AbzuError) => error.code,
      )
      await world.settle()
      await manager.close()
      const hasFailed = node.disk.hasFailed
      node.revive()
      if (outcome !== undefined) {
        fired++
        t.equal(outcome, 'ABZU_STORE_FAILED')
      }
      await judge(t, scene, { what: `write ${write} ${when}`, seqBefore })
      if (!hasFailed) break
    }
  }
  t.ok(fired >= 7, `cut off at ${fired} writes`)
})

t.test('a disk that fails twice', async (t) => {
  for (let first = 1; first <= 4; first++) {
    for (let second = 1; second <= 4; second++) {
      const scene = await burntDown()
      const { world, alice, holder, node } = scene
      const seqBefore = recordOn(world, alice.node, alice.member).seq
      for (const write of [first, second]) {
        node.disk.failAt(write, write % 2 === 0 ? 'after' : 'before')
        const manager = await world.manager(node)
        const isThere = manager.list().length > 0
        if (!isThere) {
          const init = recovering(alice, { peer: addressOf(holder) })
          await t.rejects(manager.recover(init), { code: 'ABZU_STORE_FAILED' })
        }
        await manager.close()
        node.revive()
      }
      await judge(t, scene, { what: `writes ${first} and ${second}`, seqBefore })
    }
  }
})

t.test('any other call that fails', async (t) => {
  const boom = (code: ErrorCode = 'ABZU_OVERLOADED') => {
    throw new AbzuError(code, 'as the test wants it')
  }
  const brokenAt = (call: 'slot' | 'slots', nth: number, port: MailboxPort): MailboxPort => {
    let calls = 0
    const fail = (): void => void (++calls === nth && boom('ABZU_IO'))
    return new Proxy(port, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        return (...args: unknown[]): unknown => {
          if (name === call) fail()
          return Reflect.apply(value, target, args)
        }
      },
    })
  }
  const faults: Record<string, (scene: Scene) => void> = {
    resolve: ({ node }) => void (node.directory.resolve = async () => boom()),
    restore: ({ world, node }) => void (world.restoring(node).restore = async () => boom()),
    ...Object.fromEntries(
      (['slot', 'slots'] as const).flatMap((call) =>
        [1, 2].map((nth) => [
          `${call} ${nth}`,
          ({ world, node }: Scene) => {
            const restoring = world.restoring(node)
            const { restore } = restoring
            restoring.restore = async (...args) =>
              brokenAt(call, nth, await restore.apply(restoring, args))
          },
        ]),
      ),
    ),
  }
  for (const [what, plant] of Object.entries(faults)) {
    const scene = await burntDown()
    const { world, alice, holder, node } = scene
    const seqBefore = recordOn(world, alice.node, alice.member).seq
    const directory = { ...node.directory }
    const restoring = world.restoring(node)
    plant(scene)
    const manager = await world.manager(node)
    const init = recovering(alice, { peer: addressOf(holder) })
    await t.rejects(manager.recover(init), { code: /OVERLOADED|IO/ }, what)
    await manager.close()
    Object.assign(node.directory, directory)
    Reflect.deleteProperty(restoring, 'restore')
    await judge(t, scene, { what, seqBefore })
  }
})

t.test('who gives up midway goes on later', async (t) => {
  const scene = await burntDown()
  const { world, alice, holder, node } = scene
  const manager = await world.manager(node)
  const giveUp = new AbortController()
  const init = recovering(alice, {
    peer: addressOf(holder),
    signal: giveUp.signal,
    progress: () => giveUp.abort(new AbzuError('ABZU_CLOSED', 'gave up')),
  })
  await t.rejects(manager.recover(init), { code: 'ABZU_CLOSED' })
  t.same(manager.list(), [])
  holder.isOnline = false
  const member = await manager.recover(recovering(alice, { peer: addressOf(holder) }))
  t.same(await textsOf({ member }), ['read', 'waiting'], 'from what was brought here')
})
