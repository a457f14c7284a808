import t from 'tap'
import { rootKeyOf } from '../../../src/base/crypto/address.ts'
import { signDeviceCertificate } from '../../../src/base/crypto/certificate.ts'
import { doorIdOf, doorKeyOf, doorProof } from '../../../src/base/crypto/door.ts'
import { itemIdOf, mailboxIdOf } from '../../../src/base/crypto/address.ts'
import { sealEnvelope } from '../../../src/base/crypto/envelope.ts'
import { formatContactLink, parseContactLink } from '../../../src/base/crypto/link.ts'
import { openMailboxRecord, prekeyIdOf } from '../../../src/base/crypto/mailbox-record.ts'
import { rootKeysOf } from '../../../src/base/crypto/words.ts'
import { encode } from '../../../src/base/wire/codec.ts'
import { parseEnvelopeHeader } from '../../../src/base/wire/envelope.ts'
import {
  acquainted,
  befriended,
  inboxOf,
  statesOf,
  textsOf,
  World,
  type Household,
} from '../../support/household.ts'
import type { MemoryMailbox } from '../../support/memory-ports.ts'
import { testLetter, testPerson } from '../../support/persons.ts'

const hourMs = 3_600_000

function mailboxOf({ node }: Household): MemoryMailbox {
  const [mailbox] = node.mailboxes.values()
  if (!mailbox) throw new Error('no mailbox')
  return mailbox
}

/** Puts a letter of a made-up person into a mailbox, as its host could. */
async function injectLetter(
  world: World,
  to: Household,
  { seed, ...init }: { seed: number; text?: string; name?: string; recordSeq?: number },
): Promise<void> {
  const { platform, time } = world
  const person = testPerson(platform, seed)
  const root = rootKeyOf(to.member.id)
  const { record } = mailboxOf(to)
  const { text = `from ${seed}`, name = `person ${seed}`, recordSeq = 1 } = init
  const envelope = await sealEnvelope(platform, {
    recipientRoot: root,
    prekey: openMailboxRecord(platform, record ?? new Uint8Array(), root).prekey,
    expiresAtHours: Math.floor(time.nowMs() / hourMs) + 24,
    deviceSeed: person.deviceSeed,
    letter: testLetter(person, {
      msgId: platform.random(16),
      body: encode({ text, name }),
      recordSeq,
    }),
  })
  mailboxOf(to).inject(envelope)
}

t.test('links are checked before anything is asked or stored', async (t) => {
  const { world, alice, bob } = await acquainted()
  const { contacts } = alice.member
  const carol = await world.household('carol')
  const link = await carol.member.contacts.link()
  const add = async (text: string, as = 'carol') => contacts.add({ link: text, as })
  for (const text of ['', 'abzu:', 'http://x', link.slice(0, -4), `${link}#x`]) {
    await t.rejects(add(text), { code: 'ABZU_LINK_INVALID' }, text.slice(0, 12))
  }
  await t.rejects(add(await contacts.link()), { code: 'ABZU_INVALID_ARGUMENT' }, 'the own one')
  await t.rejects(
    add(carol.member.id),
    { code: 'ABZU_UNREACHABLE' },
    'an address that nobody knows',
  )
  await t.rejects(add(`${carol.member.id}x`), { code: 'ABZU_ADDRESS_INVALID' })
  await t.rejects(add(await bob.member.contacts.link(), 'robert'), { code: 'ABZU_ALREADY_EXISTS' })
  for (const name of ['bob', ' BOB', '\uff22ob']) {
    await t.rejects(add(link, name), { code: 'ABZU_ALREADY_EXISTS' }, name)
  }
  for (const name of ['', ' ', 'a\u001b[31m', 'a\u202eb', 'abzu1abc', 'x'.repeat(200)]) {
    await t.rejects(add(link, name), { code: 'ABZU_INVALID_ARGUMENT' }, JSON.stringify(name))
  }
  carol.node.isOnline = false
  await t.rejects(add(link), { code: 'ABZU_UNREACHABLE' })
  carol.node.isOnline = true
  const { link: content } = parseContactLink(link)
  await t.rejects(
    add(formatContactLink(testAccount(bob), { ...content, home: { ...content.home } })),
    { code: /ABZU_(ALREADY_EXISTS|NOT_FOUND)/ },
  )
  mailboxOf(carol).record = mailboxOf(bob).record
  await t.rejects(add(link), { code: 'ABZU_SIGNATURE_INVALID' }, 'a record of somebody else')
  t.equal(contacts.list().length, 1, 'nothing was stored')
})

function testAccount({ member }: Household) {
  return member.id
}

t.test('links have bounds, and doors of their own', async (t) => {
  const { world, alice, bob } = await acquainted()
  const { contacts } = bob.member
  for (const init of [{ uses: 0 }, { uses: 1.5 }, { uses: 10_001 }, { days: 0 }, { days: 401 }]) {
    await t.rejects(contacts.link(init), { code: 'ABZU_INVALID_ARGUMENT' })
  }
  t.not(await contacts.link(), await contacts.link())
  const carol = await world.household('carol')
  await carol.member.contacts.add({ link: await contacts.link({ uses: 1, days: 1 }), as: 'bob' })
  const first = await carol.member.messages.send({ to: 'bob', text: 'one' })
  await world.settle()
  const second = await carol.member.messages.send({ to: 'bob', text: 'two' })
  await world.settle()
  t.same(await statesOf(carol, first.msgId), ['queued', 'delivered'])
  t.same(await statesOf(carol, second.msgId), ['queued', 'refused'], 'it was for one letter')
  t.same(await textsOf(bob), ['one'])
  const dave = await world.household('dave')
  await dave.member.contacts.add({ link: await contacts.link({ days: 1 }), as: 'bob' })
  await world.time.advance(25 * hourMs)
  const late = await dave.member.messages.send({ to: 'bob', text: 'late' })
  await world.settle()
  t.same(await statesOf(dave, late.msgId), ['queued', 'refused'])
  t.ok(alice)
})

t.test(
  'a letter that found its door shut goes through the one that was learned since',
  async (t) => {
    const world = new World()
    const [alice, bob] = [await world.household('alice'), await world.household('bob')]
    const link = await bob.member.contacts.link({ uses: 1 })
    await alice.member.contacts.add({ link, as: 'bob' })
    await alice.member.messages.send({ to: 'bob', text: 'one' })
    await world.settle()
    alice.node.isOnline = false
    const second = await alice.member.messages.send({ to: 'bob', text: 'two' })
    await bob.member.contacts.add({ link: alice.member.id, as: 'alice' })
    bob.node.isOnline = true
    await world.settle()
    // his hello reaches her before her letter leaves
    const waiting = alice.node.outbox.splice(0)
    alice.node.isOnline = true
    await world.settle()
    alice.node.outbox.push(...waiting)
    await world.settle()
    t.same(await statesOf(alice, second.msgId), ['queued', 'delivered'])
    t.same(await textsOf(bob), ['one', 'two'])
  },
)

t.test('safety numbers are the same on both sides, and a person confirms them', async (t) => {
  const { world, alice, bob } = await befriended()
  const digits = alice.member.contacts.safetyNumber('bob')
  t.match(digits, /^(\d{5} ){11}\d{5}$/)
  t.equal(bob.member.contacts.safetyNumber('alice'), digits)
  const { contacts } = alice.member
  await t.rejects(
    contacts.confirm(
      'bob',
      digits.replace(/\d/, (d) => `${(+d + 1) % 10}`),
    ),
    {
      code: 'ABZU_INVALID_ARGUMENT',
    },
  )
  await t.rejects(contacts.confirm('bob', ''), { code: 'ABZU_INVALID_ARGUMENT' })
  t.equal(contacts.get('bob').verified, false)
  t.equal((await contacts.confirm('bob', digits.replaceAll(' ', ''))).verified, true)
  await bob.member.messages.send({ to: 'alice', text: 'verified' })
  await world.settle()
  t.match(await inboxOf(alice), [{ verified: true }])
  const again = await world.restart(alice)
  t.equal(again.member.contacts.get('bob').verified, true)
})

t.test('a device that was not seen before is a notice until a person confirms', async (t) => {
  const { world, alice, bob } = await befriended()
  const { platform } = world
  const digits = alice.member.contacts.safetyNumber('bob')
  await alice.member.contacts.confirm('bob', digits)

  // a second device of Bob, certified by his root: as after a recovery, or in the hands of a thief
  const { rootSeed } = rootKeysOf(platform, bob.words)
  const rootPk = platform.ed25519.publicKey(rootSeed)
  const deviceSeed = platform.random(32)
  const deviceCertificate = signDeviceCertificate(platform, rootSeed, {
    v: 1,
    account: rootPk,
    signPk: platform.ed25519.publicKey(deviceSeed),
    sealPkHash: new Uint8Array(32),
    caps: 1,
    docSeq: 2,
  })
  const aliceRoot = rootKeyOf(alice.member.id)
  const letterOf = async (text: string) =>
    sealEnvelope(platform, {
      recipientRoot: aliceRoot,
      prekey: openMailboxRecord(platform, mailboxOf(alice).record ?? aliceRoot, aliceRoot).prekey,
      expiresAtHours: Math.floor(world.time.nowMs() / hourMs) + 24,
      deviceSeed,
      letter: {
        v: 1,
        from: rootPk,
        deviceCertificate,
        msgId: platform.random(16),
        sentAt: world.time.nowMs() + 1e9,
        type: 'text',
        body: encode({ text, name: 'bob' }),
        recordSeq: 1,
      },
    })
  mailboxOf(alice).inject(await letterOf('new phone'))
  await world.settle()
  const [message] = await inboxOf(alice)
  t.match(message, { text: 'new phone', verified: false })
  t.ok(Date.parse(message?.sentAt ?? '') <= world.time.nowMs(), 'not from the future')
  const noticed = alice.member.contacts.get('bob')
  t.match(noticed, { verified: false, keysChangedAt: new Date(world.time.nowMs()).toISOString() })
  await world.time.advance(hourMs)
  mailboxOf(alice).inject(await letterOf('me again'))
  await world.settle()
  t.match(alice.member.contacts.get('bob'), noticed, 'since then')
  const again = await world.restart(alice)
  t.match(again.member.contacts.get('bob'), noticed)
  const confirmed = await again.member.contacts.confirm('bob', digits)
  t.match(confirmed, { verified: true })
  t.notOk('keysChangedAt' in confirmed)
  mailboxOf(alice).inject(await letterOf('known now'))
  await world.settle()
  t.match((await inboxOf(again)).at(-1), { text: 'known now', verified: true })
})

t.test('a blocked contact is not heard until it is added again', async (t) => {
  const { world, alice, bob } = await befriended()
  t.match(await bob.member.contacts.block('alice'), { blocked: true, request: false })
  t.same(await textsOf(bob), [], 'what was received is out of sight')
  await t.rejects(bob.member.messages.send({ to: 'alice', text: 'no' }), { code: 'ABZU_DENIED' })
  const refused = await alice.member.messages.send({ to: 'bob', text: 'why?' })
  await world.settle()
  t.same(await statesOf(alice, refused.msgId), ['queued', 'refused'])

  // through any other door she is not heard either
  const { token } = parseContactLink(await bob.member.contacts.link()).link
  const { platform } = world
  const key = doorKeyOf(platform, token)
  const to = mailboxIdOf(platform, rootKeyOf(bob.member.id))
  const { envelope } = world.network.carried.at(-1) ?? { envelope: new Uint8Array() }
  const proof = doorProof(platform, key, to, itemIdOf(platform, envelope))
  const doorId = doorIdOf(platform, key)
  const mailbox = mailboxOf(bob)
  t.equal(mailbox.accept({ doorId, proof, envelope }), undefined)
  await world.settle()
  t.equal(mailbox.mailOnDisk.length, 0, 'taken away')

  await bob.member.contacts.add({ link: alice.member.id, as: 'alice' })
  await world.settle()
  await alice.member.messages.send({ to: 'bob', text: 'thank you' })
  await world.settle()
  t.same(await textsOf(bob), ['it is me', 'thank you'])
})

t.test('strangers have bounded room, and the rest waits sealed', async (t) => {
  const world = new World()
  const bob = await world.household('bob')
  for (let seed = 0; seed < 205; seed++) await injectLetter(world, bob, { seed })
  t.equal((await inboxOf(bob)).length, 200)
  t.equal(mailboxOf(bob).mailOnDisk.length, 5)
  const [first] = bob.member.contacts.list()
  await bob.member.contacts.block(first?.id ?? '')
  await world.settle()
  t.equal(mailboxOf(bob).mailOnDisk.length, 4, 'a place became free')
  t.equal((await inboxOf(bob)).length, 200)
})

t.test('what a stranger calls itself is made harmless', async (t) => {
  const world = new World()
  const bob = await world.household('bob')
  const names = ['', 'e\u202evil\u001b[2J\nbob', 'x'.repeat(128), '\u{1f600}'.repeat(32)]
  for (const [seed, name] of names.entries()) await injectLetter(world, bob, { seed, name })
  const inbox = await inboxOf(bob)
  t.equal(inbox.length, 4)
  t.equal(inbox[0]?.name, inbox[0]?.from, 'who has no name has an address')
  t.equal(inbox[1]?.name, 'e<U+202E>vil<U+001B>[2J<U+000A>bob')
  t.ok((inbox[2]?.name.length ?? 99) <= 40)
  t.ok(inbox[3]?.name.isWellFormed())
  const again = await world.restart(bob)
  t.same(await inboxOf(again), inbox)
  t.match(bob.member.id && again.member.contacts.list().map(({ request }) => request), [
    true,
    true,
    true,
    true,
  ])
})

t.test('a request without a way to answer cannot be added', async (t) => {
  const world = new World()
  const bob = await world.household('bob')
  await injectLetter(world, bob, { seed: 1 })
  const [message] = await inboxOf(bob)
  await t.rejects(bob.member.contacts.add({ link: message?.from ?? '', as: 'somebody' }), {
    code: 'ABZU_UNREACHABLE',
  })
  t.match(bob.member.contacts.list(), [{ request: true }])
})

t.test('a newer record is asked for when a letter speaks of it', async (t) => {
  const { world, alice, bob } = await befriended()
  await alice.manager.lock('alice')
  await world.time.advance(26 * hourMs)
  await bob.member.messages.send({ to: 'alice', text: 'a day later' })
  await world.settle()
  const again = await world.restart(alice)
  await world.settle()
  const sent = await again.member.messages.send({ to: 'bob', text: 'answer' })
  await world.settle()
  t.same(await statesOf(again, sent.msgId), ['queued', 'delivered'])
  const root = rootKeyOf(bob.member.id)
  const record = openMailboxRecord(world.platform, mailboxOf(bob).record ?? root, root)
  t.ok(record.seq > 1)
  const { envelope } = world.network.carried.at(-1) ?? { envelope: root }
  t.same(
    parseEnvelopeHeader(envelope).keyId,
    prekeyIdOf(world.platform, record.prekey),
    'sealed to the newest prekey at once',
  )
})
