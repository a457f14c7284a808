import t, { type Test } from 'tap'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { openStore } from '../../../src/base/store/store.ts'
import type { PeerId } from '../../../src/base/util/brand.ts'
import { concatBytes, equalBytes, toHex } from '../../../src/base/util/bytes.ts'
import { AbzuError } from '../../../src/base/util/errors.ts'
import { silentLog } from '../../../src/base/util/log.ts'
import { plainSlotKind, plainSlotName } from '../../../src/base/wire/plain-slot.ts'
import { defaultMailboxLimits } from '../../../src/machine/mailbox/mailbox-limits.ts'
import { Mailboxes } from '../../../src/machine/mailbox/mailboxes.ts'
import { OwnMailbox } from '../../../src/machine/mailbox/own-mailbox.ts'
import { MailboxOwner, testHome } from '../../support/mailbox-owner.ts'
import { ManualTime } from '../../support/manual-time.ts'

const platform = nodePlatform()
const peer = '12D3KooWpeer' as PeerId
const hourMs = 3_600_000

async function setUp(t: Test, limits: Partial<typeof defaultMailboxLimits> = {}) {
  const time = new ManualTime()
  const store = await openStore({
    dir: undefined,
    platform,
    clock: time,
    scheduler: time,
    log: silentLog,
  })
  t.teardown(() => store.close())
  const open = () =>
    new Mailboxes({
      platform,
      store,
      limits: { ...defaultMailboxLimits, ...limits },
      self: testHome,
      clock: time,
      log: silentLog,
    })
  const mailboxes = open()
  const owner = new MailboxOwner({ platform, nowMs: time.nowMs() })
  const mailbox = await mailboxes.host(owner.rootPk, [owner.identity(), owner.record()])
  const door = owner.door()
  await mailbox.putSlots([door.slot])
  return { time, store, mailboxes, owner, mailbox, door, reopen: open }
}

t.test('what is durable is listed once, in order of arrival', async (t) => {
  const { mailboxes, owner, mailbox, door } = await setUp(t)
  const letters = [await owner.letter(door), await owner.letter(door)]
  const taken = await mailboxes.take([...letters, letters[0] as (typeof letters)[0]], peer)
  t.strictSame(
    taken.map(({ kind }) => kind),
    ['durable', 'durable', 'durable'],
    'a repetition has its receipt too',
  )
  const { items, next } = await mailbox.mail({ limit: 10 })
  t.strictSame(
    items.map(({ id }) => toHex(id)),
    letters.map(({ id }) => toHex(id)),
  )
  t.ok(items[0] && equalBytes(items[0].envelope, (letters[0] as (typeof letters)[0]).envelope))
  t.equal(next, undefined)
})

t.test('a restart knows doors, keys and mail', async (t) => {
  const { mailboxes, owner, door, reopen } = await setUp(t)
  const letter = await owner.letter(door)
  await mailboxes.take([letter], peer)
  const again = reopen()
  const [first, second] = await again.take([letter, await owner.letter(door)], peer)
  t.match([first, second], [{ kind: 'durable' }, { kind: 'durable' }])
  t.equal((await again.mailbox(owner.mailbox).mail({ limit: 10 })).items.length, 2)
  const records = [await again.record(owner.mailbox), await mailboxes.record(owner.mailbox)]
  t.equal(...(records.map((record) => record && toHex(record)) as [string, string]))
})

t.test('each check refuses with its own error and stores nothing', async (t) => {
  const { time, mailboxes, owner, mailbox, door } = await setUp(t)
  const good = await owner.letter(door)
  const stranger = new MailboxOwner({ platform, nowMs: time.nowMs() })
  const other = owner.door()
  const expired = await owner.letter(door, { expiresInHours: 1 })
  const shut = owner.door({ untilHours: owner.nowHours })
  await mailbox.putSlots([shut.slot])
  const flipped = concatBytes(good.proof)
  flipped[3] = (flipped[3] as number) ^ 1
  time.jump(hourMs)
  const cases = {
    ABZU_NOT_HOSTED: await stranger.letter(stranger.door()),
    ABZU_STALE_KEY: { ...good, envelope: withByte(good.envelope, 5) },
    ABZU_EXPIRED: expired,
    'ABZU_DOOR_CLOSED unknown door': { ...good, doorId: other.id },
    'ABZU_DOOR_CLOSED wrong proof': { ...good, proof: flipped },
    'ABZU_DOOR_CLOSED proof of another item': {
      ...good,
      proof: (await owner.letter(door)).proof,
    },
    'ABZU_DOOR_CLOSED other envelope': { ...good, envelope: withByte(good.envelope, 1300) },
    'ABZU_DOOR_CLOSED past its end': await owner.letter(shut),
    'ABZU_MALFORMED version': { ...good, envelope: withByte(good.envelope, 0) },
    'ABZU_MALFORMED suite': { ...good, envelope: withByte(good.envelope, 1) },
    'ABZU_MALFORMED truncated': { ...good, envelope: good.envelope.subarray(0, 200) },
    'ABZU_MALFORMED far future': await owner.letter(door, { expiresInHours: 24 * 40 }),
    ABZU_TOO_LARGE: { ...good, envelope: new Uint8Array(300_000).fill(1) },
  }
  for (const [name, request] of Object.entries(cases)) {
    const [taken] = await mailboxes.take([request], peer)
    t.match(taken, { kind: 'refused', error: name.split(' ')[0] }, name)
  }
  t.equal((await mailbox.mail({ limit: 10 })).items.length, 0)
})

function withByte(bytes: Uint8Array, at: number): Uint8Array {
  const changed = concatBytes(bytes)
  changed[at] = (changed[at] as number) ^ 0x40
  return changed
}

t.test('a stale key is answered with the newest record, a prior one is accepted', async (t) => {
  const { time, mailboxes, owner, mailbox, door } = await setUp(t)
  const early = await owner.letter(door, { expiresInHours: 24 * 20 })
  const late = await owner.letter(door, { expiresInHours: 24 * 20 })
  const rotated = owner.record({ rotate: true, priorHours: 168 })
  await mailbox.putSlots([rotated])
  t.match(await mailboxes.take([early], peer), [{ kind: 'durable' }])
  time.jump(169 * hourMs)
  const [refused] = await mailboxes.take([late], peer)
  t.match(refused, { kind: 'refused', error: 'ABZU_STALE_KEY', record: rotated.body.subarray(1) })
})

t.test('acknowledged mail goes in the same commit and does not come back', async (t) => {
  const { time, mailboxes, owner, mailbox, door, reopen } = await setUp(t)
  const letter = await owner.letter(door, { expiresInHours: 24 * 29 })
  await mailboxes.take([letter], peer)
  await mailbox.putSlots([owner.acknowledge([letter.id])])
  t.equal((await mailbox.mail({ limit: 10 })).items.length, 0)
  for (const node of [mailboxes, reopen()]) {
    t.match(await node.take([letter], peer), [{ kind: 'durable' }], 'a repetition has its receipt')
  }
  t.equal((await mailbox.mail({ limit: 10 })).items.length, 0, 'and stores nothing')
  time.jump(33 * 24 * hourMs)
  while ((await mailboxes.sweep(100)) > 0);
  t.match(await mailboxes.take([letter], peer), [{ error: 'ABZU_EXPIRED' }], 'its header says so')
})

t.test('mail that comes again while its acknowledgement is written does not stay', async (t) => {
  const { mailboxes, owner, mailbox, door } = await setUp(t)
  for (let turns = 0; turns < 12; turns++) {
    const letter = await owner.letter(door)
    await mailboxes.take([letter], peer)
    const acknowledged = mailbox.putSlots([owner.acknowledge([letter.id])])
    for (let turn = 0; turn < turns; turn++) await Promise.resolve()
    const again = mailboxes.take([letter], peer)
    t.match(await again, [{ kind: 'durable' }])
    await acknowledged
    const { items } = await mailbox.mail({ limit: 100 })
    t.notOk(
      items.some(({ id }) => equalBytes(id, letter.id)),
      `${turns} turns later`,
    )
  }
})

t.test('I30: strangers fill their own pool and no more; contacts still get through', async (t) => {
  const { mailboxes, owner, mailbox, door } = await setUp(t, {
    requestItemsMax: 5,
    requestBytesMax: 20_000,
  })
  const link = owner.door({ pool: 'request' })
  await mailbox.putSlots([link.slot])
  const flood = await Promise.all(Array.from({ length: 40 }, async () => owner.letter(link)))
  const taken = [
    ...(await mailboxes.take(flood.slice(0, 20), peer)),
    ...(await Promise.all(flood.slice(20).map(async (one) => mailboxes.take([one], peer)))).flat(),
  ]
  t.equal(taken.filter(({ kind }) => kind === 'durable').length, 5)
  t.match(taken.at(-1), { kind: 'refused', error: 'ABZU_QUOTA_EXCEEDED' })
  const [contact] = await mailboxes.take([await owner.letter(door)], peer)
  t.match(contact, { kind: 'durable' })
  t.equal((await mailbox.mail({ limit: 100 })).items.length, 6)
})

t.test('a counted door closes after its uses, also across a restart', async (t) => {
  const { mailboxes, owner, mailbox, reopen } = await setUp(t)
  const door = owner.door({ uses: 2 })
  await mailbox.putSlots([door.slot])
  const first = await owner.letter(door)
  const together = await mailboxes.take([first, first], peer)
  t.match(together, [{ kind: 'durable' }, { kind: 'durable' }])
  const again = reopen()
  t.match(await again.take([await owner.letter(door)], peer), [{ kind: 'durable' }])
  t.match(await again.take([await owner.letter(door)], peer), [{ error: 'ABZU_DOOR_CLOSED' }])
})

t.test('an emptied door is shut without touching the others', async (t) => {
  const { mailboxes, owner, mailbox, door } = await setUp(t)
  const other = owner.door()
  await mailbox.putSlots([other.slot])
  await mailbox.putSlots([owner.slot(plainSlotName.door(other.id), new Uint8Array())])
  t.match(await mailboxes.take([await owner.letter(other)], peer), [{ error: 'ABZU_DOOR_CLOSED' }])
  t.match(await mailboxes.take([await owner.letter(door)], peer), [{ kind: 'durable' }])
})

t.test('limits of rate name the time to wait', async (t) => {
  const { time, mailboxes, owner, door } = await setUp(t, {
    peerInbound: { perSecond: 1, burst: 2 },
  })
  const letters = await Promise.all(Array.from({ length: 4 }, async () => owner.letter(door)))
  const taken = await mailboxes.take(letters, peer)
  t.match(
    taken.map((one) => (one.kind === 'refused' ? one.error : one.kind)),
    ['durable', 'durable', 'ABZU_RATE_LIMITED', 'ABZU_RATE_LIMITED'],
  )
  t.match(taken[2], { retryAfterMs: 1000 })
  const other = '12D3KooWother' as PeerId
  t.match(await mailboxes.take([letters[2] as (typeof letters)[0]], other), [{ kind: 'durable' }])
  await time.advance(1000)
  t.match(await mailboxes.take([letters[3] as (typeof letters)[0]], peer), [{ kind: 'durable' }])
})

t.test('slots of others, forged, misplaced or rolled back are refused whole', async (t) => {
  const { time, owner, mailbox, mailboxes } = await setUp(t)
  const stranger = new MailboxOwner({ platform, nowMs: time.nowMs() })
  const door = owner.door()
  const forged = { signed: withByte(door.slot.signed, 150), body: door.slot.body }
  const swapped = { signed: door.slot.signed, body: owner.door().slot.body }
  const old = owner.record()
  const newer = owner.record()
  await mailbox.putSlots([newer])
  const cases = {
    'ABZU_MALFORMED another mailbox': stranger.door().slot,
    'ABZU_SIGNATURE_INVALID another device': owner.slot(
      'x',
      owner.door().slot.body.subarray(0, 0),
      platform.random(32),
    ),
    'ABZU_SIGNATURE_INVALID flipped': forged,
    'ABZU_MALFORMED body of another': swapped,
    'ABZU_MALFORMED another name': owner.slot(plainSlotName.record, door.slot.body),
    'ABZU_MALFORMED older record': old,
    'ABZU_MALFORMED unknown kind': owner.slot('x', new Uint8Array([99])),
    'ABZU_MALFORMED empty door': owner.plain(plainSlotKind.door, 'x', new Uint8Array()),
  }
  for (const [name, slot] of Object.entries(cases)) {
    await t.rejects(mailbox.putSlots([door.slot, slot]), { code: name.split(' ')[0] }, name)
  }
  t.match(await mailboxes.take([await owner.letter(door)], peer), [{ error: 'ABZU_DOOR_CLOSED' }])
  await mailbox.putSlots([door.slot])
  t.match(await mailboxes.take([await owner.letter(door)], peer), [{ kind: 'durable' }])
})

t.test('a mailbox is hosted once', async (t) => {
  const { mailboxes, owner } = await setUp(t)
  const slots = [owner.identity(), owner.record()]
  await t.rejects(mailboxes.host(owner.rootPk, slots), { code: 'ABZU_ALREADY_EXISTS' })
})

for (const few of [{ hostedInMemoryMax: 2 }, { hostedDoorsMax: 1 }]) {
  t.test(`more than fits in memory works all the same: ${JSON.stringify(few)}`, async (t) => {
    const { time, mailboxes } = await setUp(t, few)
    const people = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const owner = new MailboxOwner({ platform, nowMs: time.nowMs() })
        const mailbox = await mailboxes.host(owner.rootPk, [owner.identity(), owner.record()])
        const door = owner.door()
        await mailbox.putSlots([door.slot])
        return { owner, door, mailbox }
      }),
    )
    const letters = await Promise.all(people.map(async ({ owner, door }) => owner.letter(door)))
    t.strictSame(
      (await mailboxes.take(letters, peer)).map(({ kind }) => kind),
      letters.map(() => 'durable'),
    )
    for (const { mailbox } of people) t.equal((await mailbox.mail({ limit: 9 })).items.length, 1)
  })
}

t.test('the owner is told of new mail once it is durable', async (t) => {
  const { mailboxes, owner, mailbox, door } = await setUp(t)
  const heard = Promise.withResolvers<number>()
  const cancel = mailbox.watch(() => {
    void mailbox.mail({ limit: 10 }).then(({ items }) => heard.resolve(items.length))
  })
  await mailboxes.take([await owner.letter(door)], peer)
  t.equal(await heard.promise, 1)
  cancel()
})

t.test('I12: one damaged item is reported and does not hold up the others', async (t) => {
  const { store, mailboxes, owner, door } = await setUp(t)
  const letters = [await owner.letter(door), await owner.letter(door)]
  await mailboxes.take(letters, peer)
  const [damaged, sound] = letters as [(typeof letters)[0], (typeof letters)[0]]
  const reported: string[] = []
  const items = Object.create(store.items) as typeof store.items
  items.list = async (...args) => store.items.list(...args)
  items.get = async (mailbox, id) => {
    if (equalBytes(id, damaged.id)) throw new AbzuError('ABZU_STORE_DAMAGED', 'a flipped bit')
    return store.items.get(mailbox, id)
  }
  const log = { ...silentLog, error: (event: string) => void reported.push(event) }
  const own = new OwnMailbox({ desk: mailboxes, items, log }, owner.mailbox)
  const { items: mail } = await own.mail({ limit: 10 })
  t.strictSame(
    mail.map(({ id }) => toHex(id)),
    [toHex(sound.id)],
  )
  t.strictSame(reported, ['mail-damaged'])
})
