/** First letters to people of whom nothing is known but the address. */

import t from 'tap'
import { accountIdOf, rootKeyOf } from '../../../src/base/crypto/address.ts'
import { signDeviceCertificate } from '../../../src/base/crypto/certificate.ts'
import { openMailboxRecord, signMailboxRecord } from '../../../src/base/crypto/mailbox-record.ts'
import { sealEnvelope } from '../../../src/base/crypto/envelope.ts'
import { rootKeysOf } from '../../../src/base/crypto/words.ts'
import { encode } from '../../../src/base/wire/codec.ts'
import type { MailboxRecord } from '../../../src/base/wire/records.ts'
import { inboxOf, statesOf, textsOf, World, type Household } from '../../support/household.ts'
import type { MemoryMailbox } from '../../support/memory-ports.ts'
import { testLetter, testPerson } from '../../support/persons.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

function mailboxOf({ node }: Household): MemoryMailbox {
  const [mailbox] = node.mailboxes.values()
  if (!mailbox) throw new Error('no mailbox')
  return mailbox
}

function recordOf(world: World, household: Household): MailboxRecord {
  const signed = mailboxOf(household).record ?? new Uint8Array()
  return openMailboxRecord(world.platform, signed, rootKeyOf(household.member.id))
}

/** Two households in a world with a directory; neither knows the other. */
async function strangers() {
  const world = new World()
  world.network.hasDirectory = true
  const alice = await world.household('alice')
  const bob = await world.household('bob')
  return { world, alice, bob }
}

/** The same, and the first has added the second by the address alone. */
async function approached() {
  const pair = await strangers()
  const { alice, bob } = pair
  await alice.member.contacts.add({ link: bob.member.id, as: 'bob' })
  return pair
}

/** Of each letter that was carried: what let it in. */
function passes({ network }: World): string[] {
  return network.carried.map((outgoing) => ('stamp' in outgoing ? 'stamp' : 'door'))
}

/** Puts a letter of a made-up person into a mailbox, as one that came with a stamp or through a link. */
async function inject(
  world: World,
  to: Household,
  {
    seed,
    text = `from ${seed}`,
    isStrange = true,
  }: { seed: number; text?: string; isStrange?: boolean },
): Promise<void> {
  const { platform, time } = world
  const person = testPerson(platform, seed)
  const envelope = await sealEnvelope(platform, {
    recipientRoot: rootKeyOf(to.member.id),
    prekey: recordOf(world, to).prekey,
    expiresAtHours: Math.floor(time.nowMs() / hourMs) + 24,
    deviceSeed: person.deviceSeed,
    letter: testLetter(person, {
      msgId: platform.random(16),
      body: encode({ text, name: `person ${seed}` }),
    }),
  })
  mailboxOf(to).inject(envelope, isStrange)
}

t.test('an address alone leads to a conversation, and from stamps to doors', async (t) => {
  const { world, alice, bob } = await approached()
  t.match(alice.member.contacts.list(), [{ name: 'bob', request: false, verified: false }])
  const first = await alice.member.messages.send({ to: 'bob', text: 'you do not know me' })
  const second = await alice.member.messages.send({ to: 'bob', text: 'yet' })
  await world.settle()
  t.same(await statesOf(alice, first.msgId), ['queued', 'delivered'])
  t.same(await statesOf(alice, second.msgId), ['queued', 'delivered'])
  t.same(passes(world), ['stamp', 'stamp'])
  const request = { name: 'alice', request: true, from: alice.member.id }
  t.match(await inboxOf(bob), [
    { text: 'you do not know me', ...request },
    { text: 'yet', ...request },
  ])

  await bob.member.contacts.add({ link: alice.member.id, as: 'alice' })
  await world.settle()
  t.same(passes(world).slice(2), ['door'], 'the answer goes through the door she made for him')
  await alice.member.messages.send({ to: 'bob', text: 'now you do' })
  await bob.member.messages.send({ to: 'alice', text: 'I do' })
  await world.settle()
  t.same(passes(world).slice(3), ['door', 'door'])
  t.same(await textsOf(alice), ['I do'])
  t.same(await textsOf(bob), ['you do not know me', 'yet', 'now you do'])
})

t.test('a stranger that is blocked is not heard, and costs nobody else a thing', async (t) => {
  const { world, alice, bob } = await approached()
  const carol = await world.household('carol')
  await carol.member.contacts.add({ link: await bob.member.contacts.link(), as: 'bob' })
  await carol.member.messages.send({ to: 'bob', text: 'a friend' })
  await alice.member.messages.send({ to: 'bob', text: 'spam' })
  await world.settle()
  await bob.member.contacts.block(alice.member.id)
  await alice.member.messages.send({ to: 'bob', text: 'more spam' })
  await carol.member.messages.send({ to: 'bob', text: 'still here' })
  await world.settle()
  t.same(await textsOf(bob), ['a friend', 'still here'])
  t.equal(mailboxOf(bob).mailOnDisk.length, 0, 'what she sends is taken away')
})

t.test('nothing is written to whom nobody knows, or who takes no strangers', async (t) => {
  const { world, alice, bob } = await strangers()
  const { contacts } = alice.member
  const add = async () => contacts.add({ link: bob.member.id, as: 'bob' })
  world.network.hasDirectory = false
  await t.rejects(add(), { code: 'ABZU_UNREACHABLE' })
  world.network.hasDirectory = true
  await bob.member.contacts.letStrangersBe('refused')
  t.equal(bob.member.contacts.strangers(), 'refused')
  t.equal(recordOf(world, bob).stampBits, 0)
  await t.rejects(add(), { code: 'ABZU_STRANGERS_REFUSED' })
  t.same(contacts.list(), [], 'nothing is stored')

  // a rotation does not open the mailbox again, and nor does a restart
  await world.time.advance(2 * dayMs)
  const again = await world.restart(bob)
  t.equal(again.member.contacts.strangers(), 'refused')
  t.equal(recordOf(world, again).stampBits, 0)
  await again.member.contacts.letStrangersBe('welcome')
  t.equal(recordOf(world, again).stampBits, 14)
  const { seq } = recordOf(world, again)
  await again.member.contacts.letStrangersBe('welcome')
  t.equal(recordOf(world, again).seq, seq, 'what is so already makes no record')
  await add()
})

t.test('a door stays open when the mailbox is closed to strangers', async (t) => {
  const { world, alice, bob } = await approached()
  await alice.member.messages.send({ to: 'bob', text: 'first' })
  await world.settle()
  await bob.member.contacts.add({ link: alice.member.id, as: 'alice' })
  const carol = await world.household('carol')
  await carol.member.contacts.add({ link: bob.member.id, as: 'bob' })
  await bob.member.contacts.letStrangersBe('refused')
  await world.settle()
  const heard = await alice.member.messages.send({ to: 'bob', text: 'second' })
  const refused = await carol.member.messages.send({ to: 'bob', text: 'hello?' })
  await world.settle()
  t.same(await statesOf(alice, heard.msgId), ['queued', 'delivered'])
  t.same(await statesOf(carol, refused.msgId), ['queued', 'refused'])
  t.same(await textsOf(bob), ['first', 'second'])
})

/** A record of the household's account that says otherwise, as another device of it could sign. */
function otherRecord(
  world: World,
  household: Household,
  changes: Partial<MailboxRecord>,
): Uint8Array {
  const { platform } = world
  const last = recordOf(world, household)
  const { rootSeed } = rootKeysOf(platform, household.words)
  const deviceSeed = platform.random(32)
  const deviceCertificate = signDeviceCertificate(platform, rootSeed, {
    v: 1,
    account: last.account,
    signPk: platform.ed25519.publicKey(deviceSeed),
    sealPkHash: platform.sha256(deviceSeed),
    caps: 1,
    docSeq: 1,
  })
  const record = { ...last, seq: last.seq + 1, deviceCertificate, ...changes }
  return signMailboxRecord(platform, deviceSeed, record)
}

t.test('a record that asks for absurd work costs none', async (t) => {
  const { world, alice, bob } = await strangers()
  for (const stampBits of [21, 32]) {
    mailboxOf(bob).record = otherRecord(world, bob, { stampBits })
    await t.rejects(alice.member.contacts.add({ link: bob.member.id, as: 'bob' }), {
      code: 'ABZU_STAMP_TOO_COSTLY',
    })
  }
  t.same(alice.member.contacts.list(), [])
})

t.test('a stamp that is worth too little by now is made again, under the same id', async (t) => {
  const { world, alice, bob } = await approached()
  const host = mailboxOf(bob)
  host.record = otherRecord(world, bob, { stampBits: 17 })
  const accept = host.accept.bind(host)
  let tries = 0
  // One in eight that was made to be worth 14 bits is worth 17 by chance.
  host.accept = (outgoing) => (tries++ === 0 ? 'ABZU_STAMP_INVALID' : accept(outgoing))
  const sent = await alice.member.messages.send({ to: 'bob', text: 'hello' })
  await world.settle()
  t.same(await statesOf(alice, sent.msgId), ['queued', 'delivered'])
  t.same(passes(world), ['stamp', 'stamp'])
  t.match(await inboxOf(bob), [{ msgId: sent.msgId, text: 'hello' }])
  await alice.member.messages.send({ to: 'bob', text: 'again' })
  await world.settle()
  t.equal(passes(world).length, 3, 'the new record is remembered')
})

t.test('a link is news of somebody who was added by the address', async (t) => {
  const { world, alice, bob } = await approached()
  await alice.member.messages.send({ to: 'bob', text: 'with a stamp' })
  await world.settle()
  const add = async (link: string, as = 'bob') => alice.member.contacts.add({ link, as })
  await t.rejects(add(bob.member.id), { code: 'ABZU_ALREADY_EXISTS' })
  t.match(await add(await bob.member.contacts.link(), 'robert'), { name: 'robert' })
  await alice.member.messages.send({ to: 'robert', text: 'through a door' })
  await world.settle()
  t.same(passes(world), ['stamp', 'door'])
  t.same(await textsOf(bob), ['with a stamp', 'through a door'])
  await t.rejects(add(await bob.member.contacts.link()), { code: 'ABZU_ALREADY_EXISTS' })
  await world.time.advance(8 * dayMs)
  t.equal((await textsOf(bob)).length, 2, 'who came by a link stays a request')
})

t.test('a mailbox that opened again is written to at the second try', async (t) => {
  const { world, alice, bob } = await approached()
  await bob.member.contacts.letStrangersBe('refused')
  await alice.manager.lock('alice')
  await world.time.advance(9 * dayMs)
  const again = await world.restart(alice)
  const send = async () => again.member.messages.send({ to: 'bob', text: 'hello' })
  const { msgId } = await send()
  await world.settle()
  t.same(await statesOf(again, msgId), ['queued', 'refused'], 'his host said why, with the record')
  await bob.member.contacts.letStrangersBe('welcome')
  await t.rejects(send(), { code: 'ABZU_STRANGERS_REFUSED' }, 'by the record that she has')
  await world.settle()
  await send()
  await world.settle()
  t.same(await textsOf(bob), ['hello'])
})

t.test('a host that never likes a stamp is not worked for without end', async (t) => {
  const { world, alice, bob } = await approached()
  mailboxOf(bob).accept = () => 'ABZU_STAMP_INVALID'
  const same = await alice.member.messages.send({ to: 'bob', text: 'hello' })
  await world.settle()
  t.same(await statesOf(alice, same.msgId), ['queued', 'refused'])
  t.equal(passes(world).length, 1, 'the record asks for no more than was done')
  mailboxOf(bob).record = otherRecord(world, bob, { stampBits: 25 })
  const absurd = await alice.member.messages.send({ to: 'bob', text: 'hello?' })
  await world.settle()
  t.same(await statesOf(alice, absurd.msgId), ['queued', 'refused'])
  t.equal(passes(world).length, 2)
  await t.rejects(alice.member.messages.send({ to: 'bob', text: 'and now?' }), {
    code: 'ABZU_STAMP_TOO_COSTLY',
  })
  t.equal(alice.node.outbox.length, 0)
})

t.test('a lock does not wait for a stamp, and what was not sent is not there', async (t) => {
  const world = new World()
  world.network.hasDirectory = true
  world.stampSearch = { search: async () => new Promise(() => undefined) }
  const alice = await world.household('alice')
  const bob = await world.household('bob')
  await alice.member.contacts.add({ link: bob.member.id, as: 'bob' })
  const sending = alice.member.messages.send({ to: 'bob', text: 'never mind' })
  const refused = t.rejects(sending, { code: 'ABZU_LOCKED' })
  await world.time.settle(5)
  await alice.manager.lock('alice')
  await refused
  const again = await world.restart(alice)
  await world.settle()
  const all = []
  for await (const { text } of again.member.messages.conversation('bob')) all.push(text)
  t.same(all, [])
  t.same(passes(world), [])
})

t.test('a crash before the stamp was found loses no message', async (t) => {
  const { world, alice, bob } = await approached()
  // the envelope is in the vault, and nothing in the outbox
  alice.node.disk.failAt(2, 'before')
  await t.rejects(alice.member.messages.send({ to: 'bob', text: 'hello' }))
  const again = await world.restart(alice)
  await world.settle()
  t.same(passes(world), ['stamp'])
  t.same(await textsOf(bob), ['hello'])
  t.ok(again)
})

t.test('a request without a way to answer is answered with a stamp', async (t) => {
  const { world, alice, bob } = await strangers()
  const { platform, time } = world
  const { rootSeed } = rootKeysOf(platform, alice.words)
  const rootPk = rootKeyOf(alice.member.id)
  const deviceSeed = platform.random(32)
  const deviceCertificate = signDeviceCertificate(platform, rootSeed, {
    v: 1,
    account: rootPk,
    signPk: platform.ed25519.publicKey(deviceSeed),
    sealPkHash: platform.sha256(deviceSeed),
    caps: 1,
    docSeq: 1,
  })
  const envelope = await sealEnvelope(platform, {
    recipientRoot: rootKeyOf(bob.member.id),
    prekey: recordOf(world, bob).prekey,
    expiresAtHours: Math.floor(time.nowMs() / hourMs) + 24,
    deviceSeed,
    letter: {
      ...testLetter(testPerson(platform, 1)),
      from: rootPk,
      deviceCertificate,
      body: encode({ text: 'no return address', name: 'alice' }),
    },
  })
  mailboxOf(bob).inject(envelope, true)
  await world.settle()
  await bob.member.contacts.add({ link: alice.member.id, as: 'alice' })
  await bob.member.messages.send({ to: 'alice', text: 'found you' })
  await world.settle()
  t.same(passes(world), ['stamp', 'stamp'], 'a greeting with a door, and the message')
  t.match(await inboxOf(alice), [{ text: 'found you', request: true }])
})

t.test(
  'an unanswered request of a stranger goes after seven days, one of a link stays',
  async (t) => {
    const { world, bob } = await strangers()
    await inject(world, bob, { seed: 1 })
    await inject(world, bob, { seed: 1, text: 'once more' })
    await inject(world, bob, { seed: 2, isStrange: false })
    await inject(world, bob, { seed: 3 })
    await inject(world, bob, { seed: 4 })
    await inject(world, bob, { seed: 5 })
    await world.settle()
    t.equal((await inboxOf(bob)).length, 6)
    await bob.member.contacts.block(accountIdOf(testPerson(world.platform, 3).rootPk))
    await world.time.advance(6 * dayMs)
    t.equal((await inboxOf(bob)).length, 5)
    await inject(world, bob, { seed: 4, text: 'by a link', isStrange: false })
    await world.settle()
    await world.time.advance(dayMs + 2 * hourMs)
    const left = ['from 2', 'from 4', 'by a link']
    t.same(await textsOf(bob), left)
    t.equal(bob.member.contacts.list().length, 3, 'the blocked one is one of them')
    const again = await world.restart(bob)
    t.same(await textsOf(again), left)
    await inject(world, again, { seed: 1, text: 'is anybody there' })
    await world.settle()
    t.same(await textsOf(again), [...left, 'is anybody there'], 'and may ask again')
  },
)

t.test('a flood of strangers leaves room for those who hold a link', async (t) => {
  const { world, bob } = await strangers()
  for (let seed = 0; seed < 110; seed++) await inject(world, bob, { seed })
  await world.settle()
  t.equal((await inboxOf(bob)).length, 100)
  t.equal(mailboxOf(bob).mailOnDisk.length, 10, 'the rest waits where its room is bounded')
  await inject(world, bob, { seed: 500, isStrange: false })
  t.equal((await textsOf(bob)).at(-1), 'from 500')
  for (let n = 0; n < 200; n++) await inject(world, bob, { seed: n % 3, text: `${n}` })
  await world.settle()
  const counted = (await inboxOf(bob)).length
  t.equal(counted, 251, 'strangers have half of the messages')
  await world.time.advance(7 * dayMs + 2 * hourMs)
  t.ok(mailboxOf(bob).mailOnDisk.length < 60, 'a week later the room is free for who waited')
})
