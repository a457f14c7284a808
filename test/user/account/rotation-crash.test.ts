/** Whatever is cut off while an account gets new keys, it opens, lacks nothing, and the rotation comes to its end. */

import t, { type Test } from 'tap'
import type { AbzuError } from '../../../src/base/util/errors.ts'
import { toHex } from '../../../src/base/util/bytes.ts'
import { isAbzuError } from '../../../src/base/util/errors.ts'
import type { RotateInit } from '../../../src/user/household/key-changes.ts'
import {
  befriended,
  inboxOf,
  password,
  textsOf,
  type Household,
  type World,
} from '../../support/household.ts'
import {
  generationsIn,
  identityIn,
  mailboxOf,
  otherPassword,
  rowOf,
  signersIn,
} from '../../support/rotating.ts'

async function scene() {
  const { world, alice, bob } = await befriended()
  for (const text of ['one', 'two']) {
    await bob.member.messages.send({ to: 'alice', text })
    await world.settle()
    await inboxOf(alice)
  }
  await alice.member.messages.send({ to: 'bob', text: 'three' })
  await world.settle()
  await alice.manager.lock('alice')
  await bob.member.messages.send({ to: 'alice', text: 'waiting' })
  await world.settle()
  return { world, alice, bob }
}

type Scene = Awaited<ReturnType<typeof scene>>

/** After the crash: the account opens with one of the two passwords. */
async function reopened({ world, alice }: Scene) {
  alice.node.revive()
  const manager = await world.manager(alice.node)
  for (const one of [password, otherPassword]) {
    try {
      return { manager, member: await manager.unlock('alice', one), opener: one }
    } catch (error) {
      if (!isAbzuError(error, 'ABZU_WRONG_PASSWORD')) throw error
    }
  }
  throw new Error('neither password opens it')
}

async function judge(t: Test, scene: Scene, what: string, init: RotateInit): Promise<boolean> {
  const { world, alice, bob } = scene
  const { manager, member, opener } = await reopened(scene)
  t.same(await textsOf({ member }), ['one', 'two', 'waiting'], what)
  t.equal(rowOf(alice.node, member).rotation, undefined, `${what}: what had begun has ended`)
  const mailbox = mailboxOf(alice.node, member)
  const isDone = opener === otherPassword
  if (isDone) expectRotated(t, { world, alice }, what)
  const after = await manager.keys.rotate('alice', init)
  expectRotated(t, { world, alice }, `${what}, once more`)
  t.equal(identityIn(world, mailbox).devices.length, 1, `${what}: nothing is left of an attempt`)
  t.same(await textsOf({ member: after }), ['one', 'two', 'waiting'], what)
  await after.messages.send({ to: 'bob', text: 'back' })
  await world.settle()
  t.same((await textsOf(bob)).slice(-2), ['three', 'back'], what)
  await bob.member.messages.send({ to: 'alice', text: 'good' })
  await world.settle()
  t.equal((await textsOf({ member: after })).at(-1), 'good', what)
  await manager.close()
  return isDone
}

function expectRotated(
  t: Test,
  { world, alice }: { readonly world: World; readonly alice: Household },
  what: string,
): void {
  const mailbox = mailboxOf(alice.node, alice.member)
  const { devices } = identityIn(world, mailbox)
  t.same(signersIn(mailbox), new Set(devices.map(({ signPk }) => toHex(signPk))), what)
  t.equal(generationsIn(mailbox).size, 1, what)
}

t.test('a disk that fails at any write, before or after it took effect', async (t) => {
  const outcomes = new Map<string, number>()
  for (const when of ['before', 'after'] as const) {
    for (let write = 1; ; write++) {
      const one = await scene()
      const { world, alice } = one
      const init = { words: alice.words, password: otherPassword }
      alice.node.disk.failAt(write, when)
      const outcome = await alice.manager.keys.rotate('alice', init).then(
        () => 'rotated',
        (error: AbzuError) => error.code,
      )
      await world.settle()
      await alice.manager.close()
      const { hasFailed } = alice.node.disk
      const isDone = await judge(t, one, `write ${write} ${when}`, init)
      const ended = `${outcome}, ${isDone ? 'goes on' : 'begins anew'}`
      outcomes.set(ended, (outcomes.get(ended) ?? 0) + 1)
      if (!hasFailed) break
    }
  }
  t.ok((outcomes.get('ABZU_STORE_FAILED, begins anew') ?? 0) >= 5, 'before the row')
  t.ok((outcomes.get('ABZU_STORE_FAILED, goes on') ?? 0) >= 9, 'behind it')
  t.ok((outcomes.get('rotated, goes on') ?? 0) >= 2)
})

t.test('cut off twice', async (t) => {
  for (const first of [2, 3, 5, 7]) {
    for (const second of [1, 3, 5]) {
      const one = await scene()
      const { world, alice } = one
      const init = { words: alice.words, password: otherPassword }
      alice.node.disk.failAt(first, 'after')
      await t.rejects(alice.manager.keys.rotate('alice', init), { code: 'ABZU_STORE_FAILED' })
      await alice.manager.close()
      alice.node.revive()
      const again = await world.manager(alice.node)
      alice.node.disk.failAt(second, 'before')
      await again.keys.rotate('alice', init).catch((error: unknown) => {
        if (!isAbzuError(error, 'ABZU_STORE_FAILED')) throw error
      })
      await again.close()
      await judge(t, one, `writes ${first} and ${second}`, init)
    }
  }
})

t.test('without the words', async (t) => {
  for (let write = 1; ; write++) {
    const one = await scene()
    const { alice } = one
    alice.node.disk.failAt(write, 'after')
    await alice.manager.keys.rotate('alice', { password }).catch((error: unknown) => {
      if (!isAbzuError(error, 'ABZU_STORE_FAILED')) throw error
    })
    await alice.manager.close()
    const { hasFailed } = alice.node.disk
    await judge(t, one, `write ${write}`, { password })
    if (!hasFailed) break
  }
})
