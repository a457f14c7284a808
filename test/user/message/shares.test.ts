/** Words that are split among friends, kept by them, told back, and put together again. */

import t from 'tap'
import {
  isCheckOf,
  joinShares,
  parseShare,
  parseShareText,
  splitWords,
} from '../../../src/base/crypto/recovery-share.ts'
import { newWords } from '../../../src/base/crypto/words.ts'
import { rootKeyOf } from '../../../src/base/crypto/address.ts'
import { sealEnvelope } from '../../../src/base/crypto/envelope.ts'
import { concatBytes, toHex, utf8 } from '../../../src/base/util/bytes.ts'
import { silentLog } from '../../../src/base/util/log.ts'
import { encode } from '../../../src/base/wire/codec.ts'
import { newDevice } from '../../../src/user/account/device.ts'
import { Keyring } from '../../../src/user/account/keyring.ts'
import { readPlainSlots } from '../../../src/user/account/plain-slots.ts'
import { Vault } from '../../../src/user/account/vault.ts'
import { VersionClock } from '../../../src/user/account/version-clock.ts'
import { wordKeys } from '../../../src/user/account/recovery.ts'
import { collect, password, textsOf, World, type Household } from '../../support/household.ts'
import { addressOf, heldElsewhere, recordOn, recovering } from '../../support/recovering.ts'
import { mailboxOf } from '../../support/rotating.ts'

/** Alice, and friends of hers who have added her too. */
async function circle(names: readonly string[]) {
  const world = new World()
  const alice = await world.household('alice')
  const friends: Household[] = []
  for (const name of names) {
    const friend = await world.household(name)
    const link = await friend.member.contacts.link()
    await alice.member.contacts.add({ link, as: name })
    await alice.member.messages.send({ to: name, text: 'hello' })
    await world.settle()
    await friend.member.contacts.add({ link: alice.member.id, as: 'alice' })
    await world.settle()
    friends.push(friend)
  }
  return { world, alice, friends }
}

async function readShares(friend: Household): Promise<string[]> {
  await textsOf(friend)
  return friend.member.shares.show('alice').map(({ text }) => text)
}

t.test('split, kept, told, joined, recovered', async (t) => {
  const { world, alice, friends } = await circle(['bob', 'carl', 'dora'])
  const given = await alice.member.shares.give({
    words: alice.words,
    need: 2,
    to: ['bob', 'carl', 'dora'],
  })
  await world.settle()
  t.match(given, [{ name: 'bob' }, { name: 'carl' }, { name: 'dora' }])
  for (const { msgId } of given) {
    t.equal((await alice.member.messages.show(msgId)).state, 'delivered')
  }
  const texts: string[] = []
  for (const [n, friend] of friends.entries()) {
    const [text = '', ...more] = await readShares(friend)
    t.same(more, [])
    texts.push(text)
    t.match(friend.member.shares.list(), [
      { id: alice.member.id, name: 'alice', need: 2, of: 3, number: n + 1, receivedAt: String },
    ])
    t.same(await textsOf(friend), ['hello'], 'nothing to read')
    t.equal((await collect(friend.member.messages.conversation('alice'))).length, 1)
  }
  const told = [texts[2] ?? '', texts[0] ?? ''].map(parseShareText)
  t.same(await joinShares(world.platform, told), alice.words)

  // the house burns down, with the words
  const holder = await heldElsewhere(world, alice)
  await alice.manager.close()
  alice.node.isOnline = false
  const manager = await world.manager(world.node())
  const words = await joinShares(world.platform, told)
  const member = await manager.recover(recovering({ words }, { peer: addressOf(holder) }))
  t.equal(member.id, alice.member.id)
})

t.test('a friend keeps it over a restart', async (t) => {
  const { world, alice, friends } = await circle(['bob', 'carl'])
  const [bob] = friends as [Household]
  await alice.member.shares.give({ words: alice.words, need: 2, to: ['bob', 'carl'] })
  await world.settle()
  const before = await readShares(bob)
  t.equal(before.length, 1)
  const again = await world.restart(bob)
  t.same(
    again.member.shares.show('alice').map(({ text }) => text),
    before,
  )
})

t.test('who splits keeps nothing but sealed letters', async (t) => {
  const { world, alice, friends } = await circle(['bob', 'carl'])
  for (const { node } of friends) node.isOnline = false
  await alice.member.shares.give({ words: alice.words, need: 2, to: ['bob', 'carl'] })
  await world.settle()
  // all that the account's keys open in its vault while the letters wait
  const opened = toHex(concatBytes(...(await vaultOf(world, alice))))
  t.ok(opened.includes(toHex(utf8('hello'))), 'it can be read')
  for (const { node } of friends) node.isOnline = true
  await world.settle()
  for (const friend of friends) {
    const [text = ''] = await readShares(friend)
    t.notOk(opened.includes(toHex(parseShareText(text).value)))
  }
})

/** Whatever lies in the vault of an account, opened by its words. */
async function vaultOf(world: World, { node, member, words }: Household): Promise<Uint8Array[]> {
  const { platform, time } = world
  const { recoverySeed: sealSeed, rootPk } = wordKeys(platform, words)
  const port = mailboxOf(node, member)
  const versions = new VersionClock(time)
  const init = { platform, port, versions, log: silentLog }
  const { secrets, isOwn } = await readPlainSlots({ ...init, rootPk, sealSeed })
  const keyring = new Keyring(platform)
  for (const secret of secrets) keyring.keep(secret)
  const vault = new Vault({ ...init, keyring, isOwn, scheduler: time })
  return (await collect(vault.entries())).map(({ value }) => value)
}

t.test('a new splitting, and the one before it', async (t) => {
  const { world, alice, friends } = await circle(['bob', 'carl'])
  const sets: string[][] = []
  for (let n = 0; n < 3; n++) {
    await alice.member.shares.give({ words: alice.words, need: 2, to: ['bob', 'carl'] })
    await world.settle()
    await world.time.advance(1000)
    sets.push(await readShares(friends[0] as Household))
  }
  t.same(
    sets.map((texts) => texts.length),
    [1, 2, 2],
  )
  t.equal(sets[2]?.[1], sets[1]?.[0], 'the newest first, the oldest gone')
  const [bobs, carls] = [sets[2] ?? [], await readShares(friends[1] as Household)]
  const newest = [bobs[0] ?? '', carls[0] ?? ''].map(parseShareText)
  t.same(await joinShares(world.platform, newest), alice.words)
  const mixed = [bobs[0] ?? '', carls[1] ?? ''].map(parseShareText)
  await t.rejects(joinShares(world.platform, mixed), { code: 'ABZU_SHARE_INVALID' })
})

t.test('a share of somebody else is not kept, nor is one of a stranger', async (t) => {
  const { world, alice, friends } = await circle(['bob', 'carl'])
  const [bob] = friends as [Household]
  const others = await splitWords(world.platform, newWords(world.platform), { need: 2, of: 2 })
  t.notOk(
    isCheckOf(world.platform, parseShare(others[0] as Uint8Array), rootKeyOf(alice.member.id)),
  )
  await sendShare(world, { by: alice, to: bob, share: others[0] as Uint8Array })
  await world.settle()
  await textsOf(bob)
  t.same(bob.member.shares.list(), [])
  t.throws(() => bob.member.shares.show('alice'), { code: 'ABZU_NOT_FOUND' })

  const eve = await world.household('eve')
  await eve.member.contacts.add({ link: await bob.member.contacts.link(), as: 'bob' })
  const mine = await splitWords(world.platform, eve.words, { need: 2, of: 2 })
  await sendShare(world, { by: eve, to: bob, share: mine[0] as Uint8Array })
  await world.settle()
  await textsOf(bob)
  t.same(
    bob.member.contacts.list().map(({ name }) => name),
    ['alice'],
    'it is no request either',
  )
  await eve.member.messages.send({ to: 'bob', text: 'it is eve' })
  await world.settle()
  await textsOf(bob)
  await sendShare(world, { by: eve, to: bob, share: mine[0] as Uint8Array })
  await world.settle()
  await textsOf(bob)
  t.same(bob.member.shares.list(), [], 'who asks to be added waits')
  await bob.member.contacts.add({ link: eve.member.id, as: 'eve' })
  await world.settle()
  await textsOf(bob)
  t.match(bob.member.shares.list(), [{ name: 'eve', number: 1 }])
})

/** A share letter that `Shares.give` would not write: by a device that the words certify, straight into the mailbox. */
async function sendShare(
  world: World,
  { by, to, share }: { by: Household; to: Household; share: Uint8Array },
): Promise<void> {
  const { platform, time } = world
  const { rootSeed, rootPk } = wordKeys(platform, by.words)
  const device = newDevice(platform, { rootSeed, docSeq: 1 })
  const envelope = await sealEnvelope(platform, {
    recipientRoot: rootKeyOf(to.member.id),
    prekey: recordOn(world, to.node, to.member).prekey,
    expiresAtHours: Math.floor(time.nowMs() / 3_600_000) + 24,
    deviceSeed: device.signSeed,
    letter: {
      v: 1,
      from: rootPk,
      deviceCertificate: device.certificate,
      msgId: platform.random(16),
      sentAt: time.nowMs(),
      type: 'share',
      body: encode({ share, name: 'somebody' }),
      recordSeq: 1,
    },
  })
  mailboxOf(to.node, to.member).inject(envelope)
}

t.test('what cannot be given', async (t) => {
  const { alice, world } = await circle(['bob', 'carl'])
  const give = (changes: Partial<Parameters<Household['member']['shares']['give']>[0]>) =>
    alice.member.shares.give({ words: alice.words, need: 2, to: ['bob', 'carl'], ...changes })
  await t.rejects(give({ words: newWords(world.platform) }), { code: 'ABZU_WORDS_INVALID' })
  await t.rejects(give({ words: ['no'] }), { code: 'ABZU_WORDS_INVALID' })
  for (const need of [0, 1, 3, 1.5]) {
    await t.rejects(give({ need }), { code: 'ABZU_INVALID_ARGUMENT' }, `${need} of 2`)
  }
  await t.rejects(give({ to: ['bob'] }), { code: 'ABZU_INVALID_ARGUMENT' }, 'of one')
  await t.rejects(give({ to: ['bob', 'BOB'] }), { code: 'ABZU_INVALID_ARGUMENT' }, 'bob twice')
  await t.rejects(give({ to: ['bob', 'nobody'] }), { code: 'ABZU_NOT_FOUND' })
  await alice.member.contacts.block('carl')
  await t.rejects(give({}), { code: 'ABZU_DENIED' })
  await alice.manager.lock('alice')
  await t.rejects(give({}), { code: 'ABZU_LOCKED' })
  t.throws(() => alice.member.shares.list(), { code: 'ABZU_LOCKED' })
  t.ok(await alice.manager.unlock('alice', password))
})

t.test('a friend who cannot open it any more refuses it, and that is told', async (t) => {
  const { world, alice, friends } = await circle(['bob', 'carl'])
  const [bob] = friends as [Household]
  bob.node.isOnline = false
  const [sent] = await alice.member.shares.give({
    words: alice.words,
    need: 2,
    to: ['bob', 'carl'],
  })
  await world.settle()
  // nine days later the key of the letter is none of bob's any more
  bob.node.isOnline = true
  for (let day = 0; day < 9; day++) {
    alice.node.isOnline = day === 8
    await world.time.advance(25 * 3_600_000)
    await world.settle()
  }
  t.equal((await alice.member.messages.show(sent?.msgId ?? '')).state, 'refused')
  t.throws(() => bob.member.shares.show('alice'), { code: 'ABZU_NOT_FOUND' })
  await alice.member.shares.give({ words: alice.words, need: 2, to: ['bob', 'carl'] })
  await world.settle()
  t.equal((await readShares(bob)).length, 1, 'another splitting goes to the key of the day')
})
