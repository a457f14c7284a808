import t from 'tap'
import type { PeerId } from '../../../src/base/util/brand.ts'
import { systemScheduler } from '../../../src/base/util/system-time.ts'
import { deliveriesInFlightMax, encodeDeliverRequest } from '../../../src/base/wire/deliver.ts'
import { deliverHandler } from '../../../src/machine/mailbox/deliver-handler.ts'
import type { FrameStream } from '../../../src/machine/transport/frame-stream.ts'

const request = (requestId: number) =>
  encodeDeliverRequest({
    requestId,
    mailbox: new Uint8Array(32),
    doorId: new Uint8Array(8),
    proof: new Uint8Array(16),
    envelope: new Uint8Array(1),
  })

/** A stream that brings these batches, and then nothing for as long as the handler runs. */
function streamOf(batches: readonly Uint8Array[][]): FrameStream {
  return {
    peer: 'peer' as PeerId,
    async *batches() {
      yield* batches
    },
    send() {},
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
