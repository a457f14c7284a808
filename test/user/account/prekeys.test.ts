/** Prekeys: a new one each day, and honest destruction. */

import t from 'tap'
import { rootKeyOf } from '../../../src/base/crypto/address.ts'
import { openMailboxRecord, prekeyIdOf } from '../../../src/base/crypto/mailbox-record.ts'
import { toHex } from '../../../src/base/util/bytes.ts'
import { surpassingRecord } from '../../../src/user/account/own-record.ts'
import type { MailboxRecord } from '../../../src/base/wire/records.ts'
import { parseSlotHeader, slotClass } from '../../../src/base/wire/slot.ts'
import { parsePlainSlot, plainSlotKind } from '../../../src/base/wire/plain-slot.ts'
import {
  befriended,
  inboxOf,
  password,
  statesOf,
  textsOf,
  World,
  type Household,
} from '../../support/household.ts'
import type { MemoryMailbox } from '../../support/memory-ports.ts'
import { RecordSigner } from '../../support/record-signer.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

function mailboxOf({ node }: Household): MemoryMailbox {
  const [mailbox] = node.mailboxes.values()
  if (!mailbox) throw new Error('no mailbox')
  return mailbox
}

function recordOf(world: World, household: Household): MailboxRecord {
  const { record } = mailboxOf(household)
  if (!record) throw new Error('no record')
  return openMailboxRecord(world.platform, record, rootKeyOf(household.member.id))
}

/** Secrets in the keyring that were not emptied: two and the prekeys. */
function secretsOf(household: Household): number {
  return [...mailboxOf(household).slotsOnDisk.values()].filter(
    ({ signed, body }) =>
      parseSlotHeader(signed).header.class === slotClass.plain &&
      body.length > 0 &&
      parsePlainSlot(body).kind === plainSlotKind.keyring,
  ).length
}

t.test('a new prekey each day, in the record once its secret is durable', async (t) => {
  const world = new World()
  const alice = await world.household('alice')
  const first = recordOf(world, alice)
  await world.time.advance(23 * hourMs)
  t.equal(recordOf(world, alice).seq, first.seq)
  await world.time.advance(2 * hourMs)
  const second = recordOf(world, alice)
  t.equal(second.seq, first.seq + 1)
  t.notSame(second.prekey, first.prekey)
  const nowHours = Math.floor(world.time.nowMs() / hourMs)
  t.match(second.priorKeys, [{ untilHours: Number }])
  t.same(second.priorKeys[0]?.keyId, prekeyIdOf(world.platform, first.prekey))
  t.ok(Math.abs((second.priorKeys[0]?.untilHours ?? 0) - nowHours - 168) <= 1, 'for seven days')
  await world.time.advance(20 * dayMs)
  const { priorKeys } = recordOf(world, alice)
  t.equal(priorKeys.length, 7, 'as many as are accepted')
  t.ok(secretsOf(alice) <= 2 + 1 + 8, `${secretsOf(alice)} secrets`)
})

t.test('an account that was away rotates at its unlock', async (t) => {
  const world = new World()
  const alice = await world.household('alice')
  await alice.manager.lock('alice')
  await world.time.advance(3 * dayMs)
  t.equal(recordOf(world, alice).seq, 1)
  await alice.manager.unlock('alice', password)
  await world.settle()
  t.equal(recordOf(world, alice).seq, 2)
})

t.test('where there are holders, no record names a prekey that none of them has', async (t) => {
  const world = new World()
  const alice = await world.household('alice')
  const { node } = alice
  node.holders = [{ peerId: 'ann', role: 'replica', addresses: [] }]
  node.isCovered = false
  alice.manager.homeMoved()
  await world.settle()
  const first = recordOf(world, alice)
  t.match(first.hosts, [{ role: 'home' }, { peerId: 'ann' }])
  await world.time.advance(3 * dayMs)
  t.same(recordOf(world, alice).prekey, first.prekey)
  const waiting = secretsOf(alice)
  await world.time.advance(3 * dayMs)
  t.equal(secretsOf(alice), waiting, 'one that waits, however often it is tried')
  node.isCovered = true
  await world.time.advance(2 * hourMs)
  const { prekey, priorKeys } = recordOf(world, alice)
  t.notSame(prekey, first.prekey)
  t.same(
    priorKeys.map(({ keyId }) => toHex(keyId)),
    [toHex(prekeyIdOf(world.platform, first.prekey))],
  )
})

t.test('a record follows its home', async (t) => {
  const world = new World()
  const alice = await world.household('alice')
  alice.node.addresses.push('/ip4/192.0.2.1/tcp/4001')
  await world.time.advance(hourMs)
  const { seq, hosts } = recordOf(world, alice)
  t.equal(seq, 2)
  t.same(hosts[0]?.addresses, alice.node.addresses)
})

t.test('mail to a superseded prekey is opened until its end, and no longer', async (t) => {
  const { world, alice, bob } = await befriended()
  await bob.manager.lock('bob')
  await alice.member.messages.send({ to: 'bob', text: 'before' })
  await world.settle()
  await world.time.advance(dayMs + hourMs)
  const member = await bob.manager.unlock('bob', password)
  const again = { ...bob, member }
  await world.settle()
  t.same(await textsOf(again), ['it is me', 'before'])
  const old = world.network.carried.at(-1)
  if (!old) throw new Error('nothing was carried')

  await world.time.advance(6 * dayMs)
  t.same(recordOf(world, again).priorKeys.length > 0, true)
  const erasedBefore = mailboxOf(again).erased
  const secretsBefore = secretsOf(again)
  await world.time.advance(2 * dayMs)
  t.ok(mailboxOf(again).erased > erasedBefore, 'the disk was asked to drop it')
  t.ok(secretsOf(again) <= secretsBefore, 'and the keyring has it no more')
  mailboxOf(again).forgetAcknowledgements()
  mailboxOf(again).inject(old.envelope)
  await world.settle()
  t.equal((await inboxOf(again)).length, 2)
  t.equal(mailboxOf(again).mailOnDisk.length, 1, 'it stays sealed until it expires')
})

t.test('no prekey goes before the mailbox was drained after its end', async (t) => {
  const { world, alice, bob } = await befriended()
  await bob.manager.lock('bob')
  await alice.member.messages.send({ to: 'bob', text: 'for later' })
  await world.settle()
  // its key is superseded and past its end when he is back, and so would be destroyed at once
  await world.time.advance(dayMs)
  await bob.manager.unlock('bob', password)
  await bob.manager.lock('bob')
  await world.settle()
  world.time.jump(12 * dayMs)
  const member = await bob.manager.unlock('bob', password)
  await world.settle()
  t.same(await textsOf({ member }), ['it is me', 'for later'])
})

t.test('a drain that fails keeps the key', async (t) => {
  const { world, alice, bob } = await befriended()
  await alice.member.messages.send({ to: 'bob', text: 'hello' })
  await world.settle()
  const mailbox = mailboxOf(bob)
  const mail = mailbox.mail.bind(mailbox)
  mailbox.mail = async () => {
    throw new Error('no page today')
  }
  await world.time.advance(12 * dayMs + hourMs)
  t.equal(secretsOf(bob), 2 + 13, 'all are kept')
  mailbox.mail = mail
  await world.time.advance(2 * hourMs)
  t.ok(secretsOf(bob) <= 2 + 1 + 8, 'until it succeeds')
})

t.test('a write whose end was not seen does not fork the record', async (t) => {
  for (const when of ['before', 'after'] as const) {
    for (const write of [1, 2]) {
      const { world, alice, bob } = await befriended()
      bob.node.disk.failAt(write, when)
      await world.time.advance(dayMs + hourMs)
      t.ok(bob.node.disk.hasFailed)
      // as a full disk that has room again: the account stays unlocked
      bob.node.disk.revive()
      await world.time.advance(2 * hourMs)
      await alice.member.messages.send({ to: 'bob', text: 'hello' })
      await world.settle()
      t.same(await textsOf(bob), ['it is me', 'hello'], `${when} write ${write}`)
      t.ok(recordOf(world, bob).seq >= 2)
    }
  }
})

t.test('a clock that ran ahead and came back stops nothing', async (t) => {
  const { world, alice, bob } = await befriended()
  world.time.jump(3650 * dayMs)
  await world.time.advance(2 * hourMs)
  world.time.jump(-3650 * dayMs)
  await world.time.advance(2 * hourMs)
  const { priorKeys } = recordOf(world, bob)
  const nowHours = Math.floor(world.time.nowMs() / hourMs)
  t.ok(priorKeys.every(({ untilHours }) => untilHours <= nowHours + 169))
  const { msgId } = await alice.member.messages.send({ to: 'bob', text: 'hello' })
  await world.settle()
  t.same(await textsOf(bob), ['it is me', 'hello'])
  t.same(await statesOf(alice, msgId), ['queued', 'delivered'])
  const doors = new Set(
    world.network.carried.flatMap((out) => ('doorId' in out ? [toHex(out.doorId)] : [])),
  )
  t.ok(doors.size >= 2)
})

t.test('a message to a stale prekey is sealed again under its id', async (t) => {
  const { world, alice, bob } = await befriended()
  await alice.manager.lock('alice')
  await world.time.advance(10 * dayMs)
  const member = await alice.manager.unlock('alice', password)
  const again = { ...alice, member }
  const before = world.network.carried.length
  const sent = await member.messages.send({ to: 'bob', text: 'long time' })
  await world.settle()
  t.equal(world.network.carried.length, before + 2, 'two envelopes')
  t.same(await statesOf(again, sent.msgId), ['queued', 'delivered'])
  const inbox = await inboxOf(bob)
  t.match(inbox.at(-1), { msgId: sent.msgId, text: 'long time' })
  await member.messages.send({ to: 'bob', text: 'and again' })
  await world.settle()
  t.equal(world.network.carried.length, before + 3, 'the new record is remembered')
})

t.test('a host that always says stale is not believed for ever', async (t) => {
  const { world, alice, bob } = await befriended()
  mailboxOf(bob).accept = () => 'ABZU_STALE_KEY'
  const sent = await alice.member.messages.send({ to: 'bob', text: 'hello?' })
  await world.settle()
  t.same(await statesOf(alice, sent.msgId), ['queued', 'refused'])
})

t.test('a host that answers with a forged or older record changes nothing', async (t) => {
  for (const what of ['forged', 'older', 'of another'] as const) {
    const { world, alice, bob } = await befriended()
    const mailbox = mailboxOf(bob)
    const older = mailbox.record
    await world.time.advance(dayMs + hourMs)
    const forged = Uint8Array.from(mailbox.record ?? [])
    forged[100] = (forged[100] as number) ^ 1
    const records = { forged, older, 'of another': mailboxOf(alice).record }
    // his letter speaks of the newer record, and she asks for it
    await bob.member.messages.send({ to: 'alice', text: 'a new day' })
    await world.settle()
    mailbox.record = records[what]
    mailbox.accept = () => 'ABZU_STALE_KEY'
    const carried = world.network.carried.length
    const { msgId } = await alice.member.messages.send({ to: 'bob', text: 'hello?' })
    await world.settle()
    t.same(await statesOf(alice, msgId), ['queued', 'refused'], what)
    t.equal(world.network.carried.length, carried + 1, 'nothing is sealed to it')
  }
})

t.test('a record that another node showed to be newer is surpassed', async (t) => {
  const world = new World()
  const alice = await world.household('alice')
  const first = mailboxOf(alice).record as Uint8Array
  alice.node.recordAhead = first
  await world.time.advance(hourMs)
  t.equal(recordOf(world, alice).seq, 2, 'the same number, and another one was used')
  await world.time.advance(hourMs)
  t.equal(recordOf(world, alice).seq, 2, 'an older one is none to surpass')

  const { platform } = world
  const signer = new RecordSigner(platform, { seed: 1, nowMs: world.time.nowMs() })
  const opened = (signed: Uint8Array) => openMailboxRecord(platform, signed, signer.person.rootPk)
  const device = {
    ...signer.person,
    signSeed: signer.person.deviceSeed,
    signPk: signer.person.devicePk,
  }
  const last = opened(signer.record({ seq: 3 }))
  const ahead = opened(signer.record({ seq: 40, changes: { stampBits: 12 } }))
  const next = opened(surpassingRecord({ platform, device }, last, ahead))
  t.match(next, { seq: 41, stampBits: 0 }, 'what this home says counts')
})

t.test('what surpasses a record and what the owner changes meanwhile both count', async (t) => {
  const world = new World()
  const alice = await world.household('alice')
  const first = mailboxOf(alice).record as Uint8Array
  let change: Promise<void> | undefined
  alice.node.directory.ahead = async () => {
    change ??= alice.member.contacts.letStrangersBe('refused')
    return first
  }
  await world.time.advance(hourMs)
  await change
  t.equal(recordOf(world, alice).stampBits, 0)
})
