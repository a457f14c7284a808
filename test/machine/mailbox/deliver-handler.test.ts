import t from 'tap'
import type { ItemId, PeerId } from '../../../src/base/util/brand.ts'
import { systemScheduler } from '../../../src/base/util/system-time.ts'
import {
  decodeDeliverAnswer,
  deliveriesInFlightMax,
  encodeDeliverRequest,
} from '../../../src/base/wire/deliver.ts'
import { deliverHandler } from '../../../src/machine/mailbox/deliver-handler.ts'
import type { Taken } from '../../../src/machine/mailbox/mailboxes.ts'
import type { FrameStream } from '../../../src/machine/transport/frame-stream.ts'
import { ManualTime } from '../../support/manual-time.ts'

const request = (requestId: number) =>
  encodeDeliverRequest({
    requestId,
    mailbox: new Uint8Array(32),
    doorId: new Uint8Array(8),
    proof: new Uint8Array(16),
    envelope: new Uint8Array(1),
  })

/** A stream that brings these batches, and then its end. */
function streamOf(
  batches: AsyncIterable<Uint8Array[]> | Iterable<Uint8Array[]>,
  sent: Uint8Array[] = [],
): FrameStream {
  return {
    peer: 'peer' as PeerId,
    neighbour: undefined,
    async *batches() {
      yield* batches
    },
    send: (payload) => void sent.push(payload),
    ready: async () => {},
    end: async () => {},
    abort() {},
    closed: new Promise(() => {}),
  }
}

t.test('a peer has so many deliveries unanswered and no more', async (t) => {
  let inFlight = 0
  const handler = deliverHandler({
    mailboxes: {
      take: async (requests) => {
        inFlight += requests.length
        return new Promise(() => {})
      },
    },
    sign: () => new Uint8Array(64),
    scheduler: systemScheduler,
  })
  const batches = Array.from({ length: deliveriesInFlightMax / 8 + 1 }, (_, batch) =>
    Array.from({ length: 8 }, (_, n) => request(8 * batch + n)),
  )
  await t.rejects(handler(streamOf(batches)), { code: 'ABZU_PROTOCOL_VIOLATION' })
  t.equal(inFlight, deliveriesInFlightMax, 'what fits is taken')
})

/** A handler whose batches are answered when the test says so. */
function answering() {
  const taken: ((answers: Taken[]) => void)[] = []
  const sent: Uint8Array[] = []
  const time = new ManualTime()
  const ending = Promise.withResolvers<void>()
  const handler = deliverHandler({
    mailboxes: { take: async () => new Promise((resolve) => taken.push(resolve)) },
    sign: () => new Uint8Array(64),
    scheduler: time,
  })
  const run = (batches: readonly Uint8Array[][]) => {
    async function* all() {
      yield* batches
      await ending.promise
    }
    return handler(streamOf(all(), sent))
  }
  const answer = async (batch: number, answers: Taken[]) => {
    taken[batch]?.(answers)
    await time.settle()
    return sent.map((payload) => {
      const told = decodeDeliverAnswer(payload)
      return told.kind === 'receipt' ? told.requestIds.length : told.kind
    })
  }
  return { time, run, answer, end: ending.resolve }
}

const durable = (count: number): Taken[] =>
  Array.from({ length: count }, () => ({
    kind: 'durable',
    id: new Uint8Array(32) as ItemId,
    holdUntilHours: 1,
  }))
const requests = (from: number, count: number) =>
  Array.from({ length: count }, (_, n) => request(from + n))

t.test(
  'a receipt for a handful waits for one more commit of its stream, and no longer',
  async (t) => {
    const { time, run, answer, end } = answering()
    const running = run([requests(0, 4), requests(4, 4), requests(8, 4), requests(12, 20)])
    await time.settle()
    t.strictSame(await answer(0, durable(4)), [], 'more is on the way')
    t.strictSame(await answer(1, durable(4)), [8], 'it has waited once')
    t.strictSame(await answer(3, durable(20)), [8, 20], 'this many are worth it')
    t.strictSame(await answer(2, durable(4)), [8, 20, 4], 'nothing else is on the way')
    end()
    await running
  },
)

t.test('what a handful waits for may be refused', async (t) => {
  const { time, run, answer, end } = answering()
  const running = run([requests(0, 2), requests(2, 1)])
  await time.settle()
  t.strictSame(await answer(0, durable(2)), [])
  const refused: Taken = { kind: 'refused', error: 'ABZU_DOOR_CLOSED', retryAfterMs: 0 }
  t.strictSame(await answer(1, [refused]), ['refused', 2])
  end()
  await running
})
