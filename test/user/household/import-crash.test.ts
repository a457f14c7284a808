/** An import that is cut off at any write leaves nothing, or a whole account; another one comes to its end. */

import t, { type Test } from 'tap'
import type { AbzuError } from '../../../src/base/util/errors.ts'
import { gathered, inChunks, lived } from '../../support/exporting.ts'
import { collect, password, textsOf, type Household, type World } from '../../support/household.ts'
import type { MemoryNode } from '../../support/memory-ports.ts'
import { recordOn } from '../../support/recovering.ts'

const lock = { password: 'of the file', workFactor: 2 }

interface Scene {
  readonly world: World
  readonly alice: Household
  readonly bob: Household
  readonly node: MemoryNode
  readonly file: Uint8Array
}

async function exported(): Promise<Scene> {
  const { world, alice, bob } = await lived()
  const file = await gathered(await alice.manager.exported('alice', lock))
  return { world, alice, bob, node: world.node(), file }
}

function importing(file: Uint8Array) {
  return {
    sealed: () => inChunks(file),
    secret: { password: lock.password },
    password,
    progress: () => undefined,
    signal: new AbortController().signal,
  }
}

/** Who is the home now, by the record of either node, and whose keys open there. */
async function judge(t: Test, scene: Scene, what: string): Promise<void> {
  const { world, alice, bob, node, file } = scene
  const manager = await world.manager(node)
  const isThere = manager.list().length > 0
  if (!isThere) {
    const { hosts } = recordOn(world, alice.node, alice.member)
    t.match(hosts[0], { peerId: alice.node.peerId, role: 'home' }, `${what}: it lives where it did`)
    const inside = [...node.mailboxes.values()].flatMap(({ record }) => record ?? [])
    if (inside.length > 0) {
      const here = recordOn(world, node, alice.member)
      t.match(here.hosts[0], { peerId: alice.node.peerId }, `${what}: and no record says otherwise`)
    }
  }
  const member = isThere
    ? await manager.unlock('alice', password)
    : (await manager.import(importing(file))).member
  t.equal(member.id, alice.member.id, what)
  t.match(recordOn(world, node, member).hosts[0], { peerId: node.peerId, role: 'home' }, what)
  t.same(await textsOf({ member }), ['read'], what)
  t.equal((await collect(member.messages.conversation('bob'))).length, 4, what)
  bob.node.isOnline = true
  await world.settle()
  await world.time.advance(3_600_000)
  await t.rejects(alice.manager.unlock('alice', password), { code: 'ABZU_ACCOUNT_MOVED' }, what)
  const read = await textsOf(bob)
  t.same(read.filter((text) => text === 'under way').length, 1, `${what}: nothing lost or doubled`)
  await manager.close()
}

t.test('I28: a disk that fails at any write, before or after it took effect', async (t) => {
  let fired = 0
  for (const when of ['before', 'after'] as const) {
    for (let write = 1; ; write++) {
      const scene = await exported()
      const { world, node, file } = scene
      node.disk.failAt(write, when)
      const manager = await world.manager(node)
      const code = await manager.import(importing(file)).then(
        () => undefined,
        (error: AbzuError) => error.code,
      )
      await world.settle()
      await manager.close()
      const hasFailed = node.disk.hasFailed
      node.revive()
      if (code !== undefined) {
        fired++
        t.equal(code, 'ABZU_STORE_FAILED')
      }
      await judge(t, scene, `write ${write} ${when}`)
      if (!hasFailed) break
    }
  }
  t.ok(fired >= 6, `cut off at ${fired} writes`)
})

t.test('who gives up midway goes on later', async (t) => {
  const scene = await exported()
  const { world, node, file } = scene
  const manager = await world.manager(node)
  const giveUp = new AbortController()
  const reason = new Error('given up')
  const init = { ...importing(file), signal: giveUp.signal, progress: () => giveUp.abort(reason) }
  await t.rejects(manager.import(init), reason)
  t.same(manager.list(), [])
  await manager.close()
  await judge(t, scene, 'given up')
})

t.test('a file that breaks when it is read again', async (t) => {
  const scene = await exported()
  const { world, node, file } = scene
  const manager = await world.manager(node)
  let readings = 0
  const sealed = () => inChunks(++readings === 1 ? file : file.slice(0, -20))
  const init = { ...importing(file), sealed }
  await t.rejects(manager.import(init), { code: 'ABZU_EXPORT_INVALID' })
  t.equal(readings, 2)
  t.same(manager.list(), [])
  await manager.close()
  await judge(t, scene, 'broken')
})
