/** The user half on the real mailboxes and outboxes of the machine half, without sockets. */

import t from 'tap'
import { mailboxIdOf, rootKeyOf } from '../../src/base/crypto/address.ts'
import { openMailboxRecord } from '../../src/base/crypto/mailbox-record.ts'
import { systemClock, systemScheduler } from '../../src/base/util/system-time.ts'
import { pool } from '../../src/machine/mailbox/admission.ts'
import type { Member } from '../../src/user/household/member.ts'
import { house } from '../support/house.ts'
import { collect, password, quickPlatform } from '../support/household.ts'
import { MailNetwork } from '../support/mail-node.ts'

const time = { ...systemClock, ...systemScheduler }
const waitMs = 10_000

async function delivered(member: Member, to: string, text: string): Promise<string> {
  const { msgId } = await member.messages.send({ to, text })
  const { state } = await member.messages.settled(msgId, { timeoutMs: waitMs })
  return state
}

async function texts({ messages }: Member): Promise<string[]> {
  return (await collect(messages.inbox())).map(({ text }) => text)
}

t.test('two households, from a link to a conversation, through locks', async (t) => {
  const platform = quickPlatform()
  const network = new MailNetwork()
  const init = { network, platform, time }
  const [a, b] = [await house(init), await house(init)]
  const [manager, other] = [await a.open(), await b.open()]
  t.teardown(async () => void (await Promise.all([a.close(), b.close()])))
  const create = { role: 'admin', password } as const
  const { member: alice } = await manager.create({ name: 'alice', ...create })
  const { member: bob } = await other.create({ name: 'bob', ...create })
  await alice.contacts.add({ link: await bob.contacts.link(), as: 'bob' })
  t.equal(await delivered(alice, 'bob', 'hello'), 'delivered')
  t.match(await collect(bob.messages.inbox()), [{ text: 'hello', request: true, name: 'alice' }])
  await bob.contacts.add({ link: alice.id, as: 'alice' })
  t.equal(await delivered(bob, 'alice', 'welcome'), 'delivered')
  t.same(await texts(alice), ['welcome'])

  await other.lock('bob')
  t.equal(await delivered(alice, 'bob', 'while you were away'), 'delivered')
  const again = await other.unlock('bob', password)
  t.same(await texts(again), ['hello', 'while you were away'])

  const many = Array.from({ length: 200 }, (_, n) => `message ${n}`)
  const states = await Promise.all(many.map(async (text) => delivered(again, 'alice', text)))
  t.ok(states.every((state) => state === 'delivered'))
  t.same((await texts(alice)).toSorted(), ['welcome', ...many].toSorted())
  t.equal((await collect(alice.messages.conversation('bob'))).length, 203)

  await again.contacts.block('alice')
  t.equal(await delivered(alice, 'bob', 'hello?'), 'refused')
})

t.test('a stranger with nothing but the address, from a stamp to a conversation', async (t) => {
  const platform = quickPlatform()
  const network = new MailNetwork()
  const init = { network, platform, time }
  const b = await house(init)
  const a = await house({ ...init, known: [b.node.home] })
  const [manager, other] = [await a.open(), await b.open()]
  t.teardown(async () => void (await Promise.all([a.close(), b.close()])))
  const create = { role: 'admin', password } as const
  const { member: alice } = await manager.create({ name: 'alice', ...create })
  const { member: bob } = await other.create({ name: 'bob', ...create })
  await alice.contacts.add({ link: bob.id, as: 'bob' })
  await other.lock('bob')
  t.equal(await delivered(alice, 'bob', 'you do not know me'), 'delivered')
  const usage = b.node.store.items.usage(mailboxIdOf(platform, rootKeyOf(bob.id)))
  t.equal(usage[pool.stranger]?.items, 1, 'in the room for strangers')
  t.equal(usage[pool.contact]?.items, 0)
  t.equal(usage[pool.request]?.items, 0)

  const again = await other.unlock('bob', password)
  t.match(await collect(again.messages.inbox()), [
    { text: 'you do not know me', request: true, name: 'alice' },
  ])
  await again.contacts.add({ link: alice.id, as: 'alice' })
  t.equal(await delivered(again, 'alice', 'now I do'), 'delivered')
  t.same(await texts(alice), ['now I do'])
  await other.lock('bob')
  t.equal(await delivered(alice, 'bob', 'through a door'), 'delivered')
  t.equal(usage[pool.stranger]?.items, 0)
  t.equal(usage[pool.contact]?.items, 1, 'like any contact')
})

t.test('two accounts of one node', async (t) => {
  const platform = quickPlatform()
  const home = await house({ network: new MailNetwork(), platform, time })
  const manager = await home.open()
  t.teardown(home.close)
  const { member: alice } = await manager.create({ name: 'alice', role: 'admin', password })
  const { member: bob } = await manager.create({ name: 'bob', role: 'admin', password })
  await alice.contacts.add({ link: await bob.contacts.link(), as: 'bob' })
  t.equal(await delivered(alice, 'bob', 'across the hall'), 'delivered')
  t.same(await texts(bob), ['across the hall'])
})

t.test(
  'a home that is reached elsewhere says so, and a locked account says it later',
  async (t) => {
    const platform = quickPlatform()
    const a = await house({ network: new MailNetwork(), platform, time })
    t.teardown(async () => a.close())
    const manager = await a.open()
    const create = { role: 'admin', password } as const
    const { member: alice } = await manager.create({ name: 'alice', ...create })
    const { member: bob } = await manager.create({ name: 'bob', ...create })
    await manager.lock('bob')
    const addressOf = async ({ id }: Member): Promise<string | undefined> => {
      const signed = await a.node.mailboxes.record(mailboxIdOf(platform, rootKeyOf(id)))
      const { hosts } = openMailboxRecord(platform, signed ?? new Uint8Array(), rootKeyOf(id))
      return hosts[0]?.addresses?.[0]
    }
    const moved = '/ip4/192.0.2.7/tcp/4180'
    a.move([moved])
    manager.homeMoved()
    await eventually(async () => (await addressOf(alice)) === moved, 'the record of alice')
    t.not(await addressOf(bob), moved)
    await manager.unlock('bob', password)
    await eventually(async () => (await addressOf(bob)) === moved, 'the record of bob')
  },
)

t.test('who agreed to hold copies is named; who agreed with another home stays', async (t) => {
  const platform = quickPlatform()
  const a = await house({ network: new MailNetwork(), platform, time })
  t.teardown(async () => a.close())
  const manager = await a.open()
  const { member: alice } = await manager.create({ name: 'alice', role: 'admin', password })
  const named = async (): Promise<string[]> => {
    const signed = await a.node.mailboxes.record(mailboxIdOf(platform, rootKeyOf(alice.id)))
    const { hosts } = openMailboxRecord(platform, signed ?? new Uint8Array(), rootKeyOf(alice.id))
    return hosts.map(({ peerId, role }) => (role === 'home' ? role : peerId))
  }
  const holder = (peerId: string) => ({ peerId, role: 'replica', addresses: [] }) as const
  const after = async (agreed: Parameters<typeof a.agree>[0], expected: string[]) => {
    a.agree(agreed)
    manager.homeMoved()
    await eventually(async () => (await named()).join() === expected.join(), expected.join())
  }
  await after({ holders: [holder('ann'), holder('bob')], parted: [] }, ['home', 'ann', 'bob'])
  await after({ holders: [holder('eve')], parted: [] }, ['home', 'eve', 'ann', 'bob'])
  await after({ holders: [holder('eve')], parted: ['ann'] }, ['home', 'eve', 'bob'])
  const many = ['c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'].map(holder)
  await after({ holders: many, parted: [] }, ['home', 'c', 'd', 'e', 'f', 'g', 'h', 'i'])
})

t.test('an account that comes back from its words, over what real hosts check', async (t) => {
  const platform = quickPlatform()
  const init = { network: new MailNetwork(), platform, time }
  const [a, c] = [await house(init), await house(init)]
  const b = await house({ ...init, known: [c.node.home] })
  t.teardown(async () => void (await Promise.all([a.close(), b.close(), c.close()])))
  const [manager, other, third] = [await a.open(), await b.open(), await c.open()]
  const create = { role: 'admin', password } as const
  const { member: alice, words } = await manager.create({ name: 'alice', ...create })
  const { member: bob } = await other.create({ name: 'bob', ...create })
  await alice.contacts.add({ link: await bob.contacts.link(), as: 'bob' })
  t.equal(await delivered(alice, 'bob', 'hello'), 'delivered')
  await bob.contacts.add({ link: alice.id, as: 'alice' })
  t.equal(await delivered(bob, 'alice', 'welcome'), 'delivered')
  t.same(await texts(alice), ['welcome'])
  await manager.close()

  const recovered = await third.recover({
    words,
    name: 'alice',
    password,
    peer: `/ip4/192.0.2.1/tcp/1/p2p/${a.node.peerId}`,
    progress: () => undefined,
    signal: new AbortController().signal,
  })
  await a.node.stop()
  t.same(await texts(recovered), ['welcome'])
  t.equal(await delivered(recovered, 'bob', 'at a new home'), 'delivered')
  t.same((await texts(bob)).at(-1), 'at a new home')
  await eventually(
    async () => (await delivered(bob, 'alice', 'found you')) === 'delivered',
    'a letter to the new home',
  )
  await third.lock('alice')
  const again = await third.unlock('alice', password)
  t.ok((await texts(again)).includes('found you'), 'the host has the devices right after a lock')
})

async function eventually(isSo: () => Promise<boolean>, what: string): Promise<void> {
  const giveUpAtMs = performance.now() + waitMs
  while (!(await isSo())) {
    if (performance.now() > giveUpAtMs) throw new Error(`never: ${what}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
