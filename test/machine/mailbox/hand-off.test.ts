/** A letter whose home is away or silent goes to a holder; what the sender is told of that, and when. */

import t from 'tap'
import { signReceipt } from '../../../src/base/crypto/receipt.ts'
import { toHex } from '../../../src/base/util/bytes.ts'
import { AbzuError, type ErrorCode } from '../../../src/base/util/errors.ts'
import {
  decodeDeliverRequest,
  encodeDeliverAnswer,
  type DeliverRequest,
} from '../../../src/base/wire/deliver.ts'
import { errorNumber } from '../../../src/base/wire/error-numbers.ts'
import type { Receipt } from '../../../src/base/wire/records.ts'
import { mailboxMetrics } from '../../../src/machine/mailbox/mailbox-metrics.ts'
import { placeKey } from '../../../src/machine/mailbox/outbox-row.ts'
import type { FrameStream } from '../../../src/machine/transport/frame-stream.ts'
import { handOff, platform, sender } from '../../support/hand-off.ts'
import type { MailNode } from '../../support/mail-node.ts'
import { watchWrites } from '../../support/watched-media.ts'

const hourMs = 3_600_000

/** Answers each request of a stream by `answer`, or not at all. */
function answering(answer: (request: DeliverRequest) => Uint8Array | undefined) {
  return async (stream: FrameStream): Promise<void> => {
    for await (const payloads of stream.batches()) {
      for (const payload of payloads) {
        const reply = answer(decodeDeliverRequest(payload))
        if (reply) stream.send(reply)
      }
    }
  }
}

const silent = answering(() => undefined)

function refusing(error: ErrorCode, record: Uint8Array = new Uint8Array()) {
  return answering(({ requestId }) =>
    encodeDeliverAnswer({
      kind: 'refused',
      requestId,
      error: errorNumber(error),
      retryAfterMs: 0,
      record,
    }),
  )
}

/** A node that gives receipts and keeps nothing. */
function claiming(node: MailNode, as: Receipt['as'], holdUntilHours = 500_000) {
  return answering(({ requestId, envelope }) => {
    const ids = platform.sha256(envelope)
    const receipt = { v: 1 as const, as, ids, holdUntilHours }
    const statement = signReceipt((bytes) => node.sign(bytes), receipt)
    return encodeDeliverAnswer({ kind: 'receipt', requestIds: [requestId], statement })
  })
}

t.test('the home is off: held by the holder named first, delivered when it is back', async (t) => {
  const { time, off, on, origin, home, holders, post, told, outcomes, mail } = await handOff(t)
  const [first, second] = holders as [MailNode, MailNode]
  off(home)
  const id = await post()
  await time.advance(1400)
  t.strictSame(await told(), [], 'the home has its time')
  await time.advance(200)
  const [held] = await outcomes()
  t.match(held, { state: 'held', by: first.peerId })
  const hoursLeft = (held?.holdUntilHours ?? 0) - Math.floor(time.nowMs() / hourMs)
  t.equal(hoursLeft, 24, 'until the letter ends')
  const metrics = await mailboxMetrics(origin)()
  const out = metrics.find(({ name }) => name === 'deliveries_out_total')
  t.strictSame(out?.samples, [{ labels: { outcome: 'held' }, value: 1 }])
  t.equal(origin.outbox.depth, 1, 'the home is still to get it')
  t.strictSame([await mail(first), await mail(second)], [[id], []])

  on(home)
  await time.advance(15_000)
  t.strictSame(await told(), [`${id} held`, `${id} delivered`])
  t.match((await outcomes())[1], { by: home.peerId })
  t.equal(origin.outbox.depth, 0)
  t.strictSame(await mail(home), [id])
})

t.test('a home that is there bothers no holder, however much there is to send', async (t) => {
  const limits = { peerOutbound: { perSecond: 20, burst: 20 } }
  const { time, holders, post, told } = await handOff(t, { origin: { limits } })
  for (let n = 0; n < 100; n++) await post()
  await time.advance(10_000)
  t.equal((await told()).filter((one) => one.endsWith('delivered')).length, 100)
  for (const holder of holders) t.equal(holder.streams.size, 0, 'not even a stream')
})

t.test('a home that takes letters and says nothing is not waited for', async (t) => {
  const { time, home, holders, post, told } = await handOff(t)
  home.handler = silent
  const id = await post()
  await time.advance(1600)
  t.strictSame(await told(), [`${id} held`])
  home.handler = undefined
  await time.advance(60_000)
  t.strictSame(await told(), [`${id} held`, `${id} delivered`])
  t.equal(holders[1]?.streams.size, 0)
})

t.test('behind a silent home 600 letters find a holder, each once', async (t) => {
  const { time, home, holders, post, told, mail } = await handOff(t, {
    origin: { limits: { accountOutbound: { perSecond: 1000, burst: 1000 } } },
  })
  home.handler = silent
  const ids: string[] = []
  for (let n = 0; n < 600; n++) ids.push(await post())
  await time.advance(10_000)
  t.strictSame((await mail(holders[0] as MailNode)).toSorted(), ids.toSorted())
  t.equal((await told()).length, 256, 'a page of what was told')
})

t.test('a holder that is off or silent costs 1.5 s, then the next one is asked', async (t) => {
  for (const isOff of [true, false]) {
    const { time, off, on, home, holders, post, told, outcomes, mail } = await handOff(t)
    const [first, second] = holders as [MailNode, MailNode]
    off(home)
    if (isOff) off(first)
    else first.handler = silent
    const id = await post()
    await time.advance(2900)
    t.strictSame(await told(), [])
    await time.advance(200)
    t.match(await outcomes(), [{ state: 'held', by: second.peerId }])
    on(first)
    first.handler = undefined
    await time.advance(60_000)
    t.strictSame(await told(), [`${id} held`], 'told once')
    t.strictSame(await mail(first), [], 'one holder is enough')
  }
})

t.test('those that keep a copy come before those that did', async (t) => {
  const { time, off, home, holders, post, outcomes } = await handOff(t, {
    roles: ['former', 'replica'],
  })
  off(home)
  off(holders[1] as MailNode)
  await post()
  await time.advance(2000)
  t.strictSame(await outcomes(), [], 'the replica had its time')
  await time.advance(1200)
  t.match(await outcomes(), [{ state: 'held', by: holders[0]?.peerId }])
})

t.test('what a holder refuses, the next one may take, and the home decides', async (t) => {
  const finals = ['ABZU_DOOR_CLOSED', 'ABZU_NOT_HOSTED', 'ABZU_STALE_KEY', 'ABZU_EXPIRED'] as const
  for (const error of [...finals, 'ABZU_QUOTA_EXCEEDED', 'ABZU_DISK_FULL'] as const) {
    const { time, off, on, home, holders, post, told, outcomes } = await handOff(t)
    const [first, second] = holders as [MailNode, MailNode]
    off(home)
    first.handler = refusing(error)
    const id = await post()
    await time.advance(3200)
    t.match(await outcomes(), [{ state: 'held', by: second.peerId }], error)

    second.handler = refusing(error)
    off(second)
    on(second)
    const other = await post()
    await time.advance(60_000)
    t.strictSame(await told(), [`${id} held`], 'a refusal of theirs is no end')
    on(home)
    await time.advance(15_000)
    t.strictSame(
      (await told()).slice(1).toSorted(),
      [`${id} delivered`, `${other} delivered`].toSorted(),
    )
  }
})

t.test(
  'a home that answers for the mailbox is not gone round, one that can do nothing is',
  async (t) => {
    for (const error of ['ABZU_QUOTA_EXCEEDED', 'ABZU_RATE_LIMITED'] as const) {
      const { time, home, post, told, holders } = await handOff(t)
      home.handler = refusing(error)
      await post()
      await time.advance(30_000)
      t.strictSame(await told(), [], error)
      t.ok(holders.every(({ streams }) => streams.size === 0))
    }
    for (const error of ['ABZU_DISK_FULL', 'ABZU_OVERLOADED', 'ABZU_STORE_FAILED'] as const) {
      const { time, home, post, told } = await handOff(t)
      home.handler = refusing(error)
      const id = await post()
      await time.advance(1600)
      t.strictSame(await told(), [`${id} held`], error)
    }
  },
)

t.test('a sender that restarts in between knows that a holder has it', async (t) => {
  const { time, off, on, origin, home, holders, post, told } = await handOff(t)
  off(home)
  const id = await post()
  await time.advance(1600)
  const opened = holders.map(() => 0)
  for (const [n, holder] of holders.entries()) {
    holder.handler = async () => void (opened[n] = (opened[n] ?? 0) + 1)
  }
  await origin.stop()
  await origin.start()
  await time.advance(60_000)
  t.strictSame(await told(), [`${id} held`])
  t.strictSame(opened, [0, 0], 'nobody is asked again')
  t.equal(origin.outbox.depth, 1)
  on(home)
  await time.advance(15_000)
  t.strictSame(await told(), [`${id} held`, `${id} delivered`])
  await origin.stop()
  await origin.start()
  t.strictSame(await told(), [`${id} held`, `${id} delivered`])
})

t.test('an outcome that comes while the one before is settled is not lost', async (t) => {
  const { time, off, on, origin, home, post, told, outcomes } = await handOff(t)
  off(home)
  const id = await post()
  await time.advance(1600)
  const taken = await outcomes()
  on(home)
  await time.advance(15_000)
  await origin.outbox.settle(sender, taken)
  t.strictSame(await told(), [`${id} delivered`])
})

t.test('a holder that calls itself the home is believed to hold, no more', async (t) => {
  const { time, off, on, home, holders, post, told } = await handOff(t)
  off(home)
  ;(holders[0] as MailNode).handler = claiming(holders[0] as MailNode, 'home')
  const id = await post()
  await time.advance(60_000)
  t.strictSame(await told(), [`${id} held`])
  on(home)
  await time.advance(15_000)
  t.strictSame(await told(), [`${id} held`, `${id} delivered`])
})

t.test(
  'a promise is worth its time: none when it is over, none past the end of the letter',
  async (t) => {
    const { time, off, home, holders, post, outcomes } = await handOff(t)
    const [first, second] = holders as [MailNode, MailNode]
    const nowHours = Math.floor(time.nowMs() / hourMs)
    off(home)
    first.handler = claiming(first, 'replica', nowHours)
    second.handler = claiming(second, 'replica', 2 ** 32 - 1)
    await post()
    await time.advance(1600)
    t.match(await outcomes(), [{ by: second.peerId, holdUntilHours: nowHours + 24 }])
  },
)

t.test('a home that is none any more holds, and is asked again in an hour', async (t) => {
  const { time, origin, home, post, told, outcomes } = await handOff(t)
  home.handler = claiming(home, 'replica')
  const id = await post()
  await time.advance(1000)
  const held = await outcomes()
  t.match(held, [{ state: 'held', by: home.peerId }])
  await origin.outbox.settle(sender, held)
  await time.advance(1000 + hourMs)
  t.strictSame(await told(), [], 'not told again')
  home.handler = undefined
  t.equal(home.streams.size, 1)
  await time.advance(hourMs - 10_000)
  t.strictSame(await told(), [])
  t.equal(home.streams.size, 0, 'nothing is kept open for so long')
  await time.advance(20_000)
  t.strictSame(await told(), [`${id} delivered`])
})

t.test('a home that has it through the holder answers for it, and has it once', async (t) => {
  const { time, off, on, home, letter, origin, told, mail } = await handOff(t)
  off(home)
  const one = await letter()
  const id = toHex(await origin.outbox.post(one))
  await time.advance(1600)
  await home.mailboxes.take([{ requestId: 0, mailbox: one.to, ...one }], origin.peerId)
  on(home)
  await time.advance(15_000)
  t.strictSame(await told(), [`${id} held`, `${id} delivered`])
  t.strictSame(await mail(home), [id])
})

t.test('at its end a letter expires, unless somebody holds it', async (t) => {
  const { time, off, origin, home, holders, post, told } = await handOff(t)
  off(home)
  const held = await post(3)
  await time.advance(2000)
  off(...holders)
  const lost = await post(3)
  await time.advance(4 * hourMs)
  t.strictSame(await told(), [`${held} held`, `${lost} expired`])
  t.equal(origin.outbox.depth, 0)
  await origin.stop()
  await origin.start()
  t.equal(origin.outbox.depth, 0, 'nothing is left on the disk')
})

t.test('a held letter gives back its place in the outbox when it ends', async (t) => {
  const limits = { outboxItemsMax: 2 }
  const { time, off, origin, home, post, outcomes } = await handOff(t, { origin: { limits } })
  off(home)
  await post(3)
  await time.advance(2000)
  await t.rejects(post(3), { code: 'ABZU_QUOTA_EXCEEDED' }, 'letter and outcome are two')
  await origin.outbox.settle(sender, await outcomes())
  await time.advance(4 * hourMs)
  await post()
  await time.advance(2000)
  await t.rejects(post(), { code: 'ABZU_QUOTA_EXCEEDED' })
})

t.test("a newer record that a holder shows is the account's word; any other is not", async (t) => {
  const { time, off, on, origin, home, holders, owner, letter, told, outcomes } = await handOff(t)
  off(home)
  const contentOf = ({ body }: { body: Uint8Array }) => body.subarray(1)
  const older = contentOf(owner.record())
  const early = await letter()
  const unlisting = contentOf(owner.record({ rotate: true, priorHours: 0 }))
  const late = await letter()
  const listing = contentOf(owner.record())
  const id = toHex(early.id)
  const forged = Uint8Array.from(unlisting, (byte, n) => (n === 500 ? byte ^ 1 : byte))
  const cases = [
    { name: 'forged', record: forged, sent: early },
    { name: 'none', record: new Uint8Array(), sent: early },
    { name: 'the one that it was sealed by', record: unlisting, sent: late },
    { name: 'an older one, which cannot know its key', record: older, sent: late },
    { name: 'one that lists its key', record: listing, sent: late },
    {
      name: 'of nobody knows when',
      record: unlisting,
      sent: { ...early, sealedBy: undefined },
    },
  ]
  for (const { name, record, sent } of cases) {
    for (const holder of holders) holder.handler = refusing('ABZU_STALE_KEY', record)
    await origin.outbox.post(sent)
    await time.advance(5000)
    t.strictSame(await told(), [], name)
    off(...holders)
    on(...holders)
  }
  for (const holder of holders) holder.handler = refusing('ABZU_STALE_KEY', unlisting)
  const before = origin.outbox.depth
  await origin.outbox.post(early)
  await time.advance(5000)
  t.strictSame(await told(), [`${id} stale-key`])
  const [outcome] = await outcomes()
  t.equal(outcome?.by, holders[0]?.peerId)
  t.equal(outcome?.record && toHex(outcome.record), toHex(unlisting))
  t.equal(origin.outbox.depth, before, 'that letter is over')
})

t.test('a node holds what its own people write, where it keeps a copy', async (t) => {
  const { time, off, on, home, holders, letter, mail } = await handOff(t)
  const [first] = holders as [MailNode]
  off(home)
  const id = toHex(await first.outbox.post(await letter()))
  await time.advance(1600)
  t.match(await first.outbox.outcomes(sender), [{ state: 'held', by: first.peerId }])
  t.strictSame(await mail(first), [id])
  on(home)
  await time.advance(15_000)
  t.match(await first.outbox.outcomes(sender), [{ state: 'held' }, { state: 'delivered' }])
  t.strictSame(await mail(home), [id])
})

t.test('a letter whose row is damaged hinders no other one', async (t) => {
  const { time, off, origin, home, post, told } = await handOff(t)
  off(home)
  await post()
  const id = await post()
  const value = new Uint8Array([1, 2, 3])
  await origin.store.commit([{ table: 'outbox', key: placeKey(1), value }])
  await time.advance(60_000)
  t.strictSame(await told(), [`${id} held`])
})

t.test('I3: nothing is held before it is durable at the holder, and at the sender', async (t) => {
  for (const whose of ['holder', 'origin'] as const) {
    let isBroken = false
    const { time, off, home, post, told } = await handOff(t, {
      roles: ['replica'],
      [whose]: {
        decorate: (media: Parameters<typeof watchWrites>[0]) =>
          watchWrites(media, () => {
            if (isBroken) throw new AbzuError('ABZU_STORE_FAILED', 'fsync: EIO')
          }),
      },
    })
    off(home)
    await post()
    await time.advance(1000)
    isBroken = true
    await time.advance(60_000)
    t.strictSame(await told(), [], whose)
  }
})
