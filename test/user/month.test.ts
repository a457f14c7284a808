/** Prekeys over a month, on the real mailboxes and outboxes, by a manual clock. */

import t, { type Test } from 'tap'
import { mailboxIdOf, rootKeyOf } from '../../src/base/crypto/address.ts'
import { openMailboxRecord, prekeyIdOf } from '../../src/base/crypto/mailbox-record.ts'
import type { ItemId } from '../../src/base/util/brand.ts'
import { equalBytes } from '../../src/base/util/bytes.ts'
import { AbzuError } from '../../src/base/util/errors.ts'
import { parseEnvelopeHeader } from '../../src/base/wire/envelope.ts'
import { parsePlainSlot, plainSlotKind } from '../../src/base/wire/plain-slot.ts'
import type { MailboxRecord } from '../../src/base/wire/records.ts'
import { slotClass } from '../../src/base/wire/slot.ts'
import type { Parcel } from '../../src/machine/mailbox/courier.ts'
import type { AccountManager } from '../../src/user/household/account-manager.ts'
import type { Member } from '../../src/user/household/member.ts'
import { house, type House } from '../support/house.ts'
import { collect, password, quickPlatform } from '../support/household.ts'
import { MailNetwork } from '../support/mail-node.ts'
import { ManualTime } from '../support/manual-time.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const platform = quickPlatform()

interface Person {
  readonly house: House
  readonly manager: AccountManager
  member: Member
}

/** Two contacts who have written to each other, and every envelope that the second one's home took. */
async function friends(t: Test) {
  const time = new ManualTime()
  const network = new MailNetwork()
  const init = { network, platform, time }
  const person = async (name: string): Promise<Person> => {
    const home = await house(init)
    t.teardown(home.close)
    const manager = await home.open()
    const { member } = await manager.create({ name, role: 'admin', password })
    return { house: home, manager, member }
  }
  const alice = await person('alice')
  const bob = await person('bob')
  const taken: Parcel['envelope'][] = []
  const { mailboxes } = bob.house.node
  const take = mailboxes.take.bind(mailboxes)
  mailboxes.take = async (requests, ...rest) => {
    taken.push(...requests.map(({ envelope }) => Uint8Array.from(envelope)))
    return take(requests, ...rest)
  }
  /** Sends and lets seconds pass until there is an outcome. */
  const send = async (from: Person, to: string, text: string) => {
    const { msgId } = await from.member.messages.send({ to, text })
    for (let second = 0; second < 60; second++) {
      await time.advance(1000)
      const { state, history } = await from.member.messages.show(msgId)
      if (state !== 'queued') return { msgId, state, states: history.map((one) => one.state) }
    }
    throw new Error('no outcome in a minute')
  }
  /** Days in which both nodes sweep, as they do. */
  const live = async (days: number): Promise<void> => {
    for (let day = 0; day < days; day++) {
      await time.advance(dayMs)
      for (const { house: home } of [alice, bob]) {
        while ((await home.node.mailboxes.sweep(500)) > 0);
      }
    }
  }
  await alice.member.contacts.add({ link: await bob.member.contacts.link(), as: 'bob' })
  await send(alice, 'bob', 'it is me')
  await bob.member.contacts.add({ link: alice.member.id, as: 'alice' })
  await send(bob, 'alice', 'so it is')
  return { time, network, alice, bob, taken, send, live }
}

async function texts({ member }: Person): Promise<string[]> {
  return (await collect(member.messages.inbox())).map(({ text }) => text)
}

async function recordOf({ house: home, member }: Person): Promise<MailboxRecord> {
  const rootPk = rootKeyOf(member.id)
  const signed = await home.node.mailboxes.record(mailboxIdOf(platform, rootPk))
  return openMailboxRecord(platform, signed ?? new Uint8Array(), rootPk)
}

/** Secrets in the keyring that were not emptied: two and the prekeys. */
async function secretsOf({ house: home, member }: Person): Promise<number> {
  const mailbox = home.node.mailboxes.mailbox(mailboxIdOf(platform, rootKeyOf(member.id)))
  const slots = await collect(mailbox.slots(slotClass.plain))
  return slots.filter(
    ({ body }) => body.length > 0 && parsePlainSlot(body).kind === plainSlotKind.keyring,
  ).length
}

t.test('a contact that was silent for a month still gets through, readably', async (t) => {
  const { alice, bob, taken, send, live } = await friends(t)
  const old = await recordOf(bob)
  await alice.manager.lock('alice')
  await live(31)
  const now = await recordOf(bob)
  t.ok(now.seq >= old.seq + 30, `the record is ${now.seq - old.seq} rotations on`)
  const oldKey = prekeyIdOf(platform, old.prekey)
  t.notOk(
    now.priorKeys.some(({ keyId }) => equalBytes(keyId, oldKey)),
    'the key is not taken',
  )
  alice.member = await alice.manager.unlock('alice', password)

  const before = taken.length
  const sent = await send(alice, 'bob', 'long time no see')
  t.same(sent.states, ['queued', 'delivered'])
  const keys = taken.slice(before).map((envelope) => parseEnvelopeHeader(envelope).keyId)
  t.same(keys, [oldKey, prekeyIdOf(platform, now.prekey)], 'sealed once more, to the newest key')
  const [last] = (await collect(bob.member.messages.inbox())).slice(-1)
  t.match(last, { msgId: sent.msgId, text: 'long time no see', request: false })
  await send(bob, 'alice', 'welcome back')
  t.same(await texts(alice), ['so it is', 'welcome back'])
  await send(alice, 'bob', 'and again')
  t.equal(taken.length, before + 3, 'the new record is remembered')
})

t.test('a message that waited three weeks for its home is sealed again there', async (t) => {
  const { time, network, alice, bob, send, live } = await friends(t)
  network.remove(bob.house.node.peerId)
  for (const stream of bob.house.node.streams) stream.abort(new AbzuError('ABZU_CLOSED', 'off'))
  const { msgId } = await alice.member.messages.send({ to: 'bob', text: 'are you there?' })
  await live(21)
  t.same((await alice.member.messages.show(msgId)).state, 'queued')
  network.add(bob.house.node)
  for (let second = 0; second < 30; second++) await time.advance(1000)
  t.same((await alice.member.messages.show(msgId)).state, 'delivered')
  t.match((await collect(bob.member.messages.inbox())).at(-1), { msgId, text: 'are you there?' })
  t.equal((await send(alice, 'bob', 'good')).state, 'delivered')
})

t.test('an account that was locked for a month reads what did not expire', async (t) => {
  const { alice, bob, send, live } = await friends(t)
  await bob.manager.lock('bob')
  const seq = (await recordOf(bob)).seq
  for (const text of ['day 0', 'day 10', 'day 20', 'day 30']) {
    const { states } = await send(alice, 'bob', text)
    t.same(states, ['queued', 'delivered'], text)
    await live(10)
  }
  t.equal((await recordOf(bob)).seq, seq, 'nobody rotates for him')
  bob.member = await bob.manager.unlock('bob', password)
  t.same(await texts(bob), ['it is me', 'day 20', 'day 30'], 'mail lives for 29 days')
  await live(1)
  t.ok((await recordOf(bob)).seq > seq, 'the key is replaced at the unlock')
  t.equal((await send(alice, 'bob', 'now')).state, 'delivered')
  t.same((await texts(bob)).at(-1), 'now')
  await live(9)
  const { priorKeys } = await recordOf(bob)
  t.equal(await secretsOf(bob), 2 + 1 + priorKeys.length, 'and no more old ones than are taken')
})

t.test('a destroyed prekey opens nothing any more, after a restart neither', async (t) => {
  const { time, network, alice, bob, live } = await friends(t)
  // two letters of which the home has heard nothing, and somebody on the way has copies
  network.remove(bob.house.node.peerId)
  for (const stream of bob.house.node.streams) stream.abort(new AbzuError('ABZU_CLOSED', 'off'))
  for (const text of ['in time', 'too late']) {
    await alice.member.messages.send({ to: 'bob', text })
  }
  const copies = await collect(
    alice.house.node.store.table('outbox-envelopes').range({ limit: 10 }),
  )
  const [early, late] = copies.map(({ value }) => value)
  if (!early || !late) throw new Error('no copies')
  const mailbox = mailboxIdOf(platform, rootKeyOf(bob.member.id))
  const inject = async (envelope: Uint8Array): Promise<void> => {
    await bob.house.node.store.items.append([
      {
        mailbox,
        kind: 'mail',
        id: platform.sha256(envelope) as ItemId,
        receivedAtMs: time.nowMs(),
        expiresAtHours: parseEnvelopeHeader(envelope).expiresAtHours,
        pool: 1,
        body: envelope,
      },
    ])
  }
  await inject(early)
  t.same(await texts(bob), ['it is me', 'in time'], 'the key is there yet')
  await live(10)
  await inject(late)
  t.same(await texts(bob), ['it is me', 'in time'])
  await bob.manager.lock('bob')
  const again = await bob.house.open()
  bob.member = await again.unlock('bob', password)
  t.same(await texts(bob), ['it is me', 'in time'], 'the disk has it no more')
  const { items } = await bob.house.node.mailboxes.mailbox(mailbox).mail({ limit: 10 })
  t.equal(items.length, 1, 'it lies there, sealed')
})
