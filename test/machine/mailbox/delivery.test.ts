import t, { type Test } from 'tap'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { signReceipt } from '../../../src/base/crypto/receipt.ts'
import type { MailboxId, PeerId } from '../../../src/base/util/brand.ts'
import { toHex } from '../../../src/base/util/bytes.ts'
import { AbzuError } from '../../../src/base/util/errors.ts'
import { systemScheduler } from '../../../src/base/util/system-time.ts'
import {
  decodeDeliverRequest,
  encodeDeliverAnswer,
  encodeDeliverRequest,
} from '../../../src/base/wire/deliver.ts'
import type { OutboxOutcome } from '../../../src/machine/mailbox/outbox-row.ts'
import type { Outgoing } from '../../../src/machine/mailbox/outbox.ts'
import type { FrameStream } from '../../../src/machine/transport/frame-stream.ts'
import { PipeFrameStream } from '../../../src/machine/transport/pipe-frame-stream.ts'
import { defaultTransportLimits } from '../../../src/machine/transport/transport-limits.ts'
import { MailboxOwner } from '../../support/mailbox-owner.ts'
import { MailNetwork, MailNode, type MailNodeInit } from '../../support/mail-node.ts'
import { ManualTime } from '../../support/manual-time.ts'
import { MemoryPipe } from '../../support/pipe.ts'
import { watchWrites } from '../../support/watched-media.ts'

const platform = nodePlatform()
const sender = new Uint8Array(32).fill(7) as MailboxId

async function setUp(t: Test, init: { home?: Partial<MailNodeInit> } = {}) {
  const time = new ManualTime()
  const network = new MailNetwork()
  const origin = await new MailNode(network, { platform, time }).start()
  const home = await new MailNode(network, { platform, time, ...init.home }).start()
  t.teardown(async () => {
    await Promise.all([origin.stop(), home.stop()])
    await Promise.all([origin.store.close(), home.store.close()])
  })
  const owner = new MailboxOwner({ platform, nowMs: time.nowMs(), home: home.home })
  const mailbox = await home.mailboxes.host(owner.rootPk, [owner.identity(), owner.record()])
  const door = owner.door()
  await mailbox.putSlots([door.slot])
  const letter = async (): Promise<Outgoing> => {
    const { mailbox: to, ...rest } = await owner.letter(door)
    return { from: sender, to: to as MailboxId, hosts: [home.home], ...rest }
  }
  /** Lets time pass until there are `count` outcomes. */
  const outcomes = async (count: number): Promise<OutboxOutcome[]> => {
    for (let second = 0; second < 120; second++) {
      const found = await origin.outbox.outcomes(sender)
      if (found.length >= count) return found
      await time.advance(1000)
    }
    throw new Error('the outcomes did not come')
  }
  const arrived = async () => {
    const { items } = await home.mailboxes.mailbox(owner.mailbox).mail({ limit: 1000 })
    return items.map(({ id }) => toHex(id)).toSorted()
  }
  return { time, network, origin, home, owner, mailbox, door, letter, outcomes, arrived }
}

t.test('a posted letter is delivered, once, by a receipt of its home', async (t) => {
  const { origin, home, letter, outcomes, arrived } = await setUp(t)
  const id = await origin.outbox.post(await letter())
  const [outcome] = await outcomes(1)
  t.match(outcome, { state: 'delivered', by: home.peerId })
  t.equal(outcome && toHex(outcome.id), toHex(id))
  t.strictSame(await arrived(), [toHex(id)])
  await origin.outbox.settle(sender, [{ id, state: 'delivered' }])
  t.strictSame(await origin.outbox.outcomes(sender), [])
})

t.test('300 posted at once arrive, each once', async (t) => {
  const { origin, letter, arrived, time } = await setUp(t)
  const letters = await Promise.all(Array.from({ length: 300 }, letter))
  const ids = await Promise.all(letters.map(async (one) => origin.outbox.post(one)))
  await time.advance(5000)
  t.strictSame(await arrived(), ids.map(toHex).toSorted())
})

t.test('the outbox survives a restart, and so do outcomes', async (t) => {
  const { origin, home, letter, outcomes, arrived, network } = await setUp(t)
  network.remove(home.peerId)
  const ids = [await origin.outbox.post(await letter()), await origin.outbox.post(await letter())]
  await origin.stop()
  network.add(home)
  await origin.start()
  t.equal((await outcomes(2)).length, 2)
  await origin.stop()
  await origin.start()
  t.equal((await origin.outbox.outcomes(sender)).length, 2)
  t.strictSame(await arrived(), ids.map(toHex).toSorted())
  const third = await origin.outbox.post(await letter())
  t.ok(
    (await outcomes(3)).some(({ id }) => toHex(id) === toHex(third)),
    'places go on',
  )
})

t.test('a home that stops midway gets the rest when it is back', async (t) => {
  const { origin, home, letter, outcomes, arrived, time } = await setUp(t)
  const ids = []
  for (let n = 0; n < 30; n++) {
    ids.push(await origin.outbox.post(await letter()))
    if (n % 10 === 5) await home.stop()
    if (n % 10 === 9) await home.start()
    await time.settle(1)
  }
  t.ok((await outcomes(30)).every(({ state }) => state === 'delivered'))
  t.strictSame(await arrived(), ids.map(toHex).toSorted())
})

t.test('a stale key comes back with the record', async (t) => {
  const { origin, owner, mailbox, letter, outcomes, time } = await setUp(t)
  const early = await letter()
  const record = owner.record({ rotate: true, priorHours: 1 })
  await mailbox.putSlots([record])
  time.jump(2 * 3_600_000)
  await origin.outbox.post(early)
  const [outcome] = await outcomes(1)
  t.equal(outcome?.state, 'stale-key')
  t.equal(outcome?.record && toHex(outcome.record), toHex(record.body.subarray(1)))
})

t.test('a final refusal is an outcome with its reason', async (t) => {
  const { origin, letter, outcomes } = await setUp(t)
  await origin.outbox.post({ ...(await letter()), proof: new Uint8Array(16) })
  t.match(await outcomes(1), [{ state: 'refused', error: 'ABZU_DOOR_CLOSED' }])
})

t.test('a letter to the own node takes the same checks and no stream', async (t) => {
  const { home, letter, arrived, time } = await setUp(t)
  const id = await home.outbox.post(await letter())
  await home.outbox.post({ ...(await letter()), proof: new Uint8Array(16) })
  await time.advance(1000)
  t.match(await home.outbox.outcomes(sender), [
    { state: 'delivered', by: home.peerId },
    { state: 'refused', error: 'ABZU_DOOR_CLOSED' },
  ])
  t.strictSame(await arrived(), [toHex(id)])
})

t.test('limits of the sender: rate, and room in the outbox', async (t) => {
  const time = new ManualTime()
  const network = new MailNetwork()
  const limits = { accountOutbound: { perSecond: 1, burst: 3 }, outboxItemsMax: 4 }
  const origin = await new MailNode(network, { platform, time, limits }).start()
  t.teardown(async () => {
    await origin.stop()
    await origin.store.close()
  })
  const owner = new MailboxOwner({ platform, nowMs: time.nowMs() })
  const door = owner.door()
  const post = async () => {
    const { mailbox: to, ...rest } = await owner.letter(door)
    const hosts = [{ peerId: '12D3KooWoff', role: 'home' as const }]
    return origin.outbox.post({ from: sender, to: to as MailboxId, hosts, ...rest })
  }
  for (let n = 0; n < 3; n++) await post()
  await t.rejects(post(), { code: 'ABZU_RATE_LIMITED' })
  await time.advance(2000)
  await post()
  await t.rejects(post(), { code: 'ABZU_QUOTA_EXCEEDED' })
})

t.test('a receipt is believed only from the home itself, for the item itself', async (t) => {
  const { origin, home, letter, time } = await setUp(t)
  const impostor = platform.random(32)
  const lies: ((stream: FrameStream, payload: Uint8Array) => void)[] = [
    (stream, payload) => answer(stream, payload, { seed: impostor }),
    (stream, payload) => answer(stream, payload, { ids: platform.random(32) }),
    (stream, payload) => answer(stream, payload, { flip: true }),
    (stream) => stream.send(platform.random(40)),
    (stream) => stream.send(new Uint8Array()),
  ]
  for (const lie of lies) {
    let heard = 0
    home.handler = async (stream) => {
      for await (const payloads of stream.batches()) {
        for (const payload of payloads) {
          heard++
          lie(stream, payload)
        }
      }
    }
    await origin.outbox.post(await letter())
    await time.advance(15_000)
    t.ok(heard > 0, 'the letter was sent')
    t.strictSame(await origin.outbox.outcomes(sender), [], 'and no lie was believed')
  }
  home.handler = undefined
  await time.advance(15_000)
  t.equal((await origin.outbox.outcomes(sender)).length, lies.length, 'the truth is')

  function answer(
    stream: FrameStream,
    payload: Uint8Array,
    { seed = home.machineSeed, ids, flip }: { seed?: Uint8Array; ids?: Uint8Array; flip?: boolean },
  ): void {
    const { requestId, envelope } = decodeDeliverRequest(payload)
    const statement = signReceipt((bytes) => platform.ed25519.sign(seed, bytes), {
      v: 1,
      as: 'home',
      ids: ids ?? platform.sha256(envelope),
      holdUntilHours: 1,
    })
    if (flip) statement[20] = (statement[20] as number) ^ 1
    stream.send(encodeDeliverAnswer({ kind: 'receipt', requestIds: [requestId], statement }))
  }
})

t.test('a stored receipt of an earlier letter is void for another', async (t) => {
  const { origin, home, letter, time } = await setUp(t)
  let recorded: Uint8Array | undefined
  home.handler = async (stream) => {
    for await (const payloads of stream.batches()) {
      for (const payload of payloads) {
        const { requestId, envelope } = decodeDeliverRequest(payload)
        recorded ??= signReceipt((bytes) => home.sign(bytes), {
          v: 1,
          as: 'home',
          ids: platform.sha256(envelope),
          holdUntilHours: 1,
        })
        const requestIds = [requestId]
        stream.send(encodeDeliverAnswer({ kind: 'receipt', requestIds, statement: recorded }))
      }
    }
  }
  const first = await origin.outbox.post(await letter())
  await origin.outbox.post(await letter())
  await time.advance(10_000)
  const outcomes = await origin.outbox.outcomes(sender)
  t.strictSame(
    outcomes.map(({ id }) => toHex(id)),
    [toHex(first)],
  )
})

t.test(
  'I10: after a failed commit nothing is acknowledged, and the sender tries again',
  async (t) => {
    let isBroken = false
    const { origin, home, letter, time, outcomes } = await setUp(t, {
      home: {
        decorate: (media) =>
          watchWrites(media, () => {
            if (isBroken) throw new AbzuError('ABZU_STORE_FAILED', 'fsync: EIO')
          }),
      },
    })
    await origin.outbox.post(await letter())
    await outcomes(1)
    isBroken = true
    await origin.outbox.post(await letter())
    await time.advance(30_000)
    t.equal((await origin.outbox.outcomes(sender)).length, 1)
    isBroken = false
    await time.advance(30_000)
    t.equal(
      (await origin.outbox.outcomes(sender)).length,
      1,
      'not even when the disk is well again',
    )
    t.match(await home.store.failure, { code: 'ABZU_STORE_FAILED' })
  },
)

t.test('hostile requests end the stream and nothing else', async (t) => {
  const { home, door, owner, letter, origin, outcomes, time } = await setUp(t)
  const good = encodeDeliverRequest(await owner.letter(door))
  const hostile: [string, Uint8Array[]][] = [
    ['ABZU_MALFORMED', [new Uint8Array()]],
    ['ABZU_MALFORMED', [platform.random(300).fill(0xc1, 0, 1)]],
    ['ABZU_MALFORMED', [good.subarray(0, good.length - 1)]],
    ['ABZU_MALFORMED', [new Uint8Array([...good, 0])]],
    ['ABZU_MALFORMED', [good.with(0, 0x97)]],
    ['ABZU_PROTOCOL_VIOLATION', Array.from({ length: 520 }, () => good)],
  ]
  for (const [code, payloads] of hostile) {
    const stream = dial(home)
    for (const payload of payloads) stream.send(payload)
    const end = Promise.withResolvers<unknown>()
    void (async () => {
      for await (const _ of stream.batches());
    })().then(() => end.resolve(undefined), end.resolve)
    await time.advance(1000)
    t.match(await end.promise, { code }, code)
  }
  await origin.outbox.post(await letter())
  t.match(await outcomes(1), [{ state: 'delivered' }], 'others are served')
})

/** A stream of a peer that keeps to no rule. */
function dial(home: MailNode): FrameStream {
  const [near, far] = MemoryPipe.pair()
  const parts = { limits: defaultTransportLimits, scheduler: systemScheduler }
  home.serve(new PipeFrameStream({ peer: '12D3KooWrude' as PeerId, pipe: far, ...parts }))
  return new PipeFrameStream({ peer: home.peerId, pipe: near, ...parts })
}
