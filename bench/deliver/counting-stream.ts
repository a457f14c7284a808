/** The delivery stream without a delivery: what the wire alone costs. Both ends of it. @module */

import { readU32be, u32be } from '../../src/base/util/bytes.ts'
import { encodeDeliverRequest } from '../../src/base/wire/deliver.ts'
import type { Parcel } from '../../src/machine/mailbox/courier.ts'
import type { FrameStream } from '../../src/machine/transport/frame-stream.ts'
import type { Send } from '../load.ts'

const idBytes = 32
/** What a receipt has besides its ids: a signature, field names, request ids. */
const restBytes = 120

/** Answers each batch by its number of messages, u32be, and as many bytes more as a receipt has. */
export async function answerAll(stream: FrameStream): Promise<void> {
  for await (const payloads of stream.batches()) {
    const answer = new Uint8Array(restBytes + idBytes * payloads.length)
    answer.set(u32be(payloads.length))
    stream.send(answer)
  }
}

/** Sends what a courier would send. Answers come in order. */
export function countedSender(stream: FrameStream): Send<Parcel> {
  const waiting: PromiseWithResolvers<void>[] = []
  let requestId = 0
  void readCounts(stream, (count) => {
    for (const { resolve } of waiting.splice(0, count)) resolve()
  }).catch((error: unknown) => {
    for (const { reject } of waiting.splice(0)) reject(error)
  })
  return async (parcel) => {
    await stream.ready()
    stream.send(encodeDeliverRequest({ requestId: requestId++, ...parcel }))
    const answered = Promise.withResolvers<void>()
    waiting.push(answered)
    return answered.promise
  }
}

async function readCounts(stream: FrameStream, take: (count: number) => void): Promise<never> {
  for await (const payloads of stream.batches()) {
    for (const payload of payloads) take(readU32be(payload))
  }
  throw new Error('the server ended the stream')
}
