/** What streams of frames promise, whatever pipe of bytes is below. @module */

import type { Test } from 'tap'
import type { PeerId } from '../../src/base/util/brand.ts'
import { concatBytes, u32be } from '../../src/base/util/bytes.ts'
import { systemScheduler } from '../../src/base/util/system-time.ts'
import type { Scheduler } from '../../src/base/util/clock.ts'
import { AbzuError, isAbzuError, type ErrorCode } from '../../src/base/util/errors.ts'
import { encodeFrame, frameType } from '../../src/base/wire/frame.ts'
import { wireLimits } from '../../src/base/wire/limits.ts'
import type { BytePipe } from '../../src/machine/transport/byte-pipe.ts'
import type { FrameStream } from '../../src/machine/transport/frame-stream.ts'
import { PipeFrameStream } from '../../src/machine/transport/pipe-frame-stream.ts'
import {
  defaultTransportLimits,
  type TransportLimits,
} from '../../src/machine/transport/transport-limits.ts'
import { ManualTime } from '../support/manual-time.ts'
import { until } from '../support/transports.ts'
import { CountingPipe } from '../support/counting-pipe.ts'

/** Two ends of a new pipe. */
export type OpenPipes = (t: Test) => Promise<[BytePipe, BytePipe]>

const peer = '12D3KooWpeer' as PeerId
const empty = new Uint8Array()
const { creditBytes, frameBytesMax } = wireLimits

interface FramedInit {
  readonly limits?: Partial<TransportLimits>
  readonly scheduler?: Scheduler
}

function framed(pipe: BytePipe, { limits, scheduler }: FramedInit = {}): PipeFrameStream {
  return new PipeFrameStream({
    peer,
    pipe,
    limits: { ...defaultTransportLimits, resetGraceMs: 10, ...limits },
    scheduler: scheduler ?? systemScheduler,
  })
}

async function readAll(stream: FrameStream): Promise<Uint8Array[]> {
  const messages: Uint8Array[] = []
  for await (const batch of stream.batches()) messages.push(...batch)
  return messages
}

/** Reads to the end, whatever it is, and returns what came and the error's code. */
async function readUntilError(
  stream: FrameStream,
): Promise<{ messages: number; code?: ErrorCode }> {
  let messages = 0
  try {
    for await (const batch of stream.batches()) messages += batch.length
    return { messages }
  } catch (error) {
    if (!isAbzuError(error)) throw error
    return { messages, code: error.code }
  }
}

/** A peer that speaks bytes, not frames. */
class RawPeer {
  readonly #pipe: BytePipe
  readonly received: Uint8Array[] = []
  /** The other side will say nothing more. QUIC shows no more than that of a reset. */
  readonly closed: Promise<void>

  constructor(pipe: BytePipe) {
    this.#pipe = pipe
    const closed = Promise.withResolvers<void>()
    this.closed = closed.promise
    pipe.listen({
      bytes: (chunk) => this.received.push(chunk.slice()),
      drain: () => undefined,
      end: closed.resolve,
      closed: closed.resolve,
    })
  }

  send(...parts: Uint8Array[]): void {
    this.#pipe.send(concatBytes(...parts))
  }

  close(): void {
    this.#pipe.close()
  }

  reset(): void {
    this.#pipe.abort()
  }
}

const data = (payload: Uint8Array) => encodeFrame(frameType.data, payload)
const end = encodeFrame(frameType.end, empty)

/** What a peer may send that no honest peer sends, and what our reader says to it. */
const hostileBytes: Record<string, { bytes: () => Uint8Array; code: ErrorCode }> = {
  'a frame beyond the limit': {
    bytes: () => concatBytes(u32be(frameBytesMax + 2), new Uint8Array([frameType.data])),
    code: 'ABZU_TOO_LARGE',
  },
  'a frame of 4 GiB': { bytes: () => new Uint8Array(5).fill(255), code: 'ABZU_TOO_LARGE' },
  'a frame without a type': { bytes: () => new Uint8Array(5), code: 'ABZU_MALFORMED' },
  'an unknown type': { bytes: () => new Uint8Array([0, 0, 0, 1, 99]), code: 'ABZU_MALFORMED' },
  garbage: {
    bytes: () => new TextEncoder().encode('GET / HTTP/1.1\r\nHost: example.org\r\n\r\n'),
    code: 'ABZU_TOO_LARGE',
  },
  'more than was granted': {
    bytes: () => concatBytes(...Array.from({ length: 3 }, () => data(new Uint8Array(400_000)))),
    code: 'ABZU_PROTOCOL_VIOLATION',
  },
  'a million empty messages': {
    bytes: () => concatBytes(...Array.from({ length: 10_000 }, () => data(empty))),
    code: 'ABZU_PROTOCOL_VIOLATION',
  },
  'a message after the end': {
    bytes: () => concatBytes(end, data(empty)),
    code: 'ABZU_PROTOCOL_VIOLATION',
  },
  'a second end': { bytes: () => concatBytes(end, end), code: 'ABZU_PROTOCOL_VIOLATION' },
  'an end that says more': {
    bytes: () => encodeFrame(frameType.end, new Uint8Array(1)),
    code: 'ABZU_PROTOCOL_VIOLATION',
  },
  'credit for what was never sent': {
    bytes: () => encodeFrame(frameType.credit, u32be(creditBytes)),
    code: 'ABZU_PROTOCOL_VIOLATION',
  },
  'credit by the byte': {
    bytes: () => encodeFrame(frameType.credit, u32be(1)),
    code: 'ABZU_PROTOCOL_VIOLATION',
  },
  'credit without a number': {
    bytes: () => encodeFrame(frameType.credit, new Uint8Array(3)),
    code: 'ABZU_PROTOCOL_VIOLATION',
  },
  'a flood of pings': {
    bytes: () =>
      concatBytes(...Array.from({ length: 1000 }, () => encodeFrame(frameType.ping, empty))),
    code: 'ABZU_PROTOCOL_VIOLATION',
  },
  'a ping that says more': {
    bytes: () => encodeFrame(frameType.ping, new Uint8Array(1)),
    code: 'ABZU_PROTOCOL_VIOLATION',
  },
  'an error without a number': {
    bytes: () => encodeFrame(frameType.error, new Uint8Array(1)),
    code: 'ABZU_PROTOCOL_VIOLATION',
  },
}

export function testFrameStreams(t: Test, openPipes: OpenPipes): void {
  // pending timers of the code under test do not keep the process alive
  const alive = setInterval(() => undefined, 1000)
  t.teardown(() => clearInterval(alive))

  const openPair = async (t: Test, init?: FramedInit): Promise<[FrameStream, FrameStream]> => {
    const [left, right] = await openPipes(t)
    return [framed(left, init), framed(right, init)]
  }

  t.test('messages of every size arrive in order, both ways at once', async (t) => {
    const sizes = [0, 1, 250, 1024, 65_535, 65_536, 300_000, frameBytesMax]
    const messages = sizes.map((size, n) => new Uint8Array(size).fill(n + 1))
    const streams = await openPair(t)
    const received = await Promise.all(
      streams.map(async (stream) => {
        const reading = readAll(stream)
        for (const message of messages) {
          await stream.ready()
          stream.send(message)
        }
        await stream.end()
        return reading
      }),
    )
    for (const side of received) t.same(side.map(String), messages.map(String))
    await Promise.all(streams.map(async (stream) => stream.closed))
  })

  t.test('what is queued in one turn leaves as one write', async (t) => {
    const [left, right] = await openPipes(t)
    const counting = new CountingPipe(left)
    const [writer, reader] = [framed(counting), framed(right)]
    for (let n = 0; n < 200; n++) writer.send(new Uint8Array(64).fill(n))
    const batches: number[] = []
    for await (const batch of reader.batches()) {
      batches.push(batch.length)
      if (batches.reduce((sum, count) => sum + count) === 200) break
    }
    t.equal(counting.writes, 1)
    t.ok(batches.length <= 4, `${batches.length} batches`)
    writer.abort(new AbzuError('ABZU_CLOSED', 'done'))
  })

  t.test('a stream carries far more than its credit', async (t) => {
    const [writer, reader] = await openPair(t)
    const reading = (async () => {
      let bytes = 0
      for await (const batch of reader.batches()) for (const { length } of batch) bytes += length
      await reader.end()
      return bytes
    })()
    for (let n = 0; n < 400; n++) {
      await writer.ready()
      writer.send(new Uint8Array(50_000))
    }
    await writer.end()
    t.equal(await reading, 400 * 50_000)
    t.same(await readUntilError(writer), { messages: 0 })
    await Promise.all([writer.closed, reader.closed])
  })

  t.test('who has said all still listens, and grants credit', async (t) => {
    const [asker, answerer] = await openPair(t)
    asker.send(new Uint8Array(1))
    await asker.end()
    t.equal((await readAll(answerer)).length, 1)
    const reading = readAll(asker)
    for (let n = 0; n < 40; n++) {
      await answerer.ready()
      answerer.send(new Uint8Array(100_000))
    }
    await answerer.end()
    t.equal((await reading).length, 40)
    await Promise.all([asker.closed, answerer.closed])
  })

  t.test('a slow reader holds its writer back', async (t) => {
    const [writer, reader] = await openPair(t)
    const message = new Uint8Array(10_000)
    let sent = 0
    const sendAll = async () => {
      for (;;) {
        await writer.ready()
        writer.send(message)
        sent += message.length
      }
    }
    const sending = sendAll().catch((error: unknown) => error as AbzuError)
    const first = await firstBatch(reader)
    t.ok(first)
    await new ManualTime().settle(200)
    const most = creditBytes + defaultTransportLimits.sendQueueBytesLow + 2 * message.length
    t.ok(sent <= most + creditBytes / 4, `${sent} bytes were sent to a reader that stopped`)
    t.ok(sent > creditBytes / 2)
    reader.abort(new AbzuError('ABZU_OVERLOADED', 'enough'))
    const error = await sending
    t.ok(isAbzuError(error), String(error))
  })

  t.test('a writer that does not wait is refused, and goes on after waiting', async (t) => {
    const [writer, reader] = await openPair(t)
    let count = 0
    try {
      for (;;) {
        writer.send(new Uint8Array(100_000))
        count++
      }
    } catch (error) {
      t.match(error, { code: 'ABZU_OVERLOADED' })
    }
    t.ok(count * 100_000 <= defaultTransportLimits.sendQueueBytesMax)
    const reading = readAll(reader)
    await writer.ready()
    writer.send(new Uint8Array(1))
    await writer.end()
    t.equal((await reading).length, count + 1)
    t.throws(() => writer.send(empty), { code: 'ABZU_CLOSED' })
    reader.abort(new AbzuError('ABZU_CLOSED', 'done'))
    await Promise.all([writer.closed, reader.closed])
  })

  t.test('a message beyond the frame limit is refused to its sender', async (t) => {
    const [writer] = await openPair(t)
    t.throws(() => writer.send(new Uint8Array(frameBytesMax + 1)), { code: 'ABZU_TOO_LARGE' })
    writer.abort(new AbzuError('ABZU_CLOSED', 'done'))
  })

  t.test('waiting for room ends with its signal', async (t) => {
    const [writer] = await openPair(t)
    for (let n = 0; n < 15; n++) writer.send(new Uint8Array(100_000))
    const controller = new AbortController()
    const waiting = writer.ready(controller.signal)
    controller.abort(new AbzuError('ABZU_TIMEOUT', 'no patience'))
    await t.rejects(waiting, { code: 'ABZU_TIMEOUT' })
    await t.rejects(writer.ready(controller.signal), { code: 'ABZU_TIMEOUT' })
    writer.abort(new AbzuError('ABZU_CLOSED', 'done'))
  })

  t.test('another reader goes on where the first left off', async (t) => {
    const [writer, reader] = await openPair(t)
    writer.send(new Uint8Array([1]))
    const first = await firstBatch(reader)
    t.same(first?.map(String), ['1'])
    writer.send(new Uint8Array([2]))
    await writer.end()
    t.same((await readAll(reader)).map(String), ['2'])
    await reader.end()
  })

  t.test('two readers at once are a bug', async (t) => {
    const [writer, reader] = await openPair(t)
    const reading = readAll(reader)
    await t.rejects(readAll(reader), { message: /assertion/ })
    await writer.end()
    await reading
    await reader.end()
  })

  t.test('a reset midway is an error, after what had arrived', async (t) => {
    const [left, right] = await openPipes(t)
    const stream = framed(left)
    const raw = new RawPeer(right)
    raw.send(data(new Uint8Array(10)), data(new Uint8Array(10)))
    const batches = stream.batches()[Symbol.asyncIterator]()
    const first = await batches.next()
    t.equal((first.value as Uint8Array[]).length, 2)
    raw.reset()
    await t.rejects(batches.next(), { code: 'ABZU_UNREACHABLE' })
    t.throws(() => stream.send(empty), { code: 'ABZU_UNREACHABLE' })
    await t.rejects(stream.ready(), { code: 'ABZU_UNREACHABLE' })
    await t.rejects(stream.end(), { code: 'ABZU_UNREACHABLE' })
    await stream.closed
  })

  t.test('an end of bytes without an END frame is an error', async (t) => {
    for (const tail of [empty, data(new Uint8Array(100)).subarray(0, 50)]) {
      const [left, right] = await openPipes(t)
      const stream = framed(left)
      const raw = new RawPeer(right)
      raw.send(data(new Uint8Array(10)), tail)
      raw.close()
      t.same(await readUntilError(stream), { messages: 1, code: 'ABZU_UNREACHABLE' })
      await stream.closed
    }
  })

  t.test('giving up tells the peer why', async (t) => {
    const [left, right] = await openPair(t)
    right.send(new Uint8Array(1))
    right.abort(new AbzuError('ABZU_QUOTA_EXCEEDED', 'a text that does not travel'))
    const { code } = await readUntilError(left)
    t.equal(code, 'ABZU_QUOTA_EXCEEDED')
    t.same(await readUntilError(right), { messages: 0, code: 'ABZU_QUOTA_EXCEEDED' })
    await Promise.all([left.closed, right.closed])
    right.abort(new AbzuError('ABZU_INTERNAL', 'a second time'))
  })

  t.test('a peer that said all before it went is read to the end', async (t) => {
    const [left, right] = await openPipes(t)
    const stream = framed(left)
    const raw = new RawPeer(right)
    raw.send(data(new Uint8Array(10)), end)
    const batches = stream.batches()[Symbol.asyncIterator]()
    t.equal((await batches.next()).done, false)
    raw.reset()
    await stream.closed
    t.equal((await batches.next()).done, true)
    await t.rejects(stream.end(), { code: 'ABZU_UNREACHABLE' })
  })

  t.test('a local abort loses what was not read, and says so', async (t) => {
    const [left, right] = await openPipes(t)
    const stream = framed(left)
    const raw = new RawPeer(right)
    const first = firstBatch(stream)
    raw.send(data(new Uint8Array(10)))
    await first
    raw.send(data(new Uint8Array(10)), end)
    await new ManualTime().settle()
    stream.abort(new AbzuError('ABZU_TIMEOUT', 'enough'))
    t.same(await readUntilError(stream), { messages: 0, code: 'ABZU_TIMEOUT' })
    await stream.closed
  })

  for (const [name, { bytes, code }] of Object.entries(hostileBytes)) {
    t.test(`a peer that sends ${name} is shut out`, async (t) => {
      const [left, right] = await openPipes(t)
      const stream = framed(left)
      const raw = new RawPeer(right)
      raw.send(bytes())
      // not read: a limit that only holds for who reads is none
      await stream.closed
      const result = await readUntilError(stream)
      t.equal(result.code, code)
      await raw.closed
    })
  }

  t.test('a silent peer is given up', async (t) => {
    const time = new ManualTime()
    const [left, right] = await openPipes(t)
    const stream = framed(left, { scheduler: time })
    const raw = new RawPeer(right)
    const reading = readUntilError(stream)
    // a peer that dribbles a frame is silent too
    raw.send(u32be(1000))
    await time.advance(60_000)
    raw.send(new Uint8Array([frameType.data, 1, 2, 3]))
    await time.advance(29_000)
    t.throws(() => stream.send(new Uint8Array(frameBytesMax + 1)), { code: 'ABZU_TOO_LARGE' })
    await time.advance(2_000)
    t.match(await reading, { code: 'ABZU_TIMEOUT' })
    await time.advance(2_000)
    await stream.closed
    t.equal(time.pending, 0)
  })

  t.test('an idle stream stays alive by pings', async (t) => {
    const time = new ManualTime()
    const pipes = (await openPipes(t)).map((pipe) => new CountingPipe(pipe))
    const streams = pipes.map((pipe) => framed(pipe, { scheduler: time }))
    const [left, right] = streams as [PipeFrameStream, PipeFrameStream]
    for (let pings = 1; pings <= 20; pings++) {
      await time.advance(30_000)
      await until(() => pipes.every(({ reads }) => reads >= pings), 'both are pinged')
    }
    left.send(new Uint8Array([7]))
    await Promise.all([left.end(), right.end()])
    t.same((await readAll(right)).map(String), ['7'])
    await Promise.all([left.closed, right.closed])
    t.equal(time.pending, 0)
  })

  t.test('a peer that takes nothing is given up', async (t) => {
    const time = new ManualTime()
    const [left, right] = await openPipes(t)
    const stream = framed(left, { scheduler: time })
    const raw = new RawPeer(right)
    for (let n = 0; n < 15; n++) stream.send(new Uint8Array(100_000))
    const ended = stream.end()
    ended.catch(() => undefined)
    const receivedBytes = () => raw.received.reduce((sum, { length }) => sum + length, 0)
    await until(() => receivedBytes() > 0.9 * creditBytes, 'all that was granted is sent')
    for (let minute = 0; minute < 3; minute++) {
      raw.send(encodeFrame(frameType.ping, empty))
      await time.advance(30_000)
    }
    await t.rejects(ended, { code: 'ABZU_TIMEOUT' })
    await time.advance(2_000)
    await stream.closed
  })

  t.test('a peer that does not close is reset', async (t) => {
    const time = new ManualTime()
    const [left, right] = await openPipes(t)
    const stream = framed(left, { scheduler: time })
    const raw = new RawPeer(right)
    raw.send(end)
    t.same(await readUntilError(stream), { messages: 0 })
    await stream.end()
    await time.advance(defaultTransportLimits.lingerMs + 1)
    await stream.closed
    await raw.closed
  })

  t.test('dropped promises of a stream that breaks are no unhandled rejections', async (t) => {
    const [left, right] = await openPipes(t)
    const stream = framed(left)
    const raw = new RawPeer(right)
    for (let n = 0; n < 15; n++) stream.send(new Uint8Array(100_000))
    void stream.end()
    raw.reset()
    await stream.closed
    await new ManualTime().settle()
    t.pass('the process lives')
  })
}

async function firstBatch(stream: FrameStream): Promise<Uint8Array[] | undefined> {
  for await (const batch of stream.batches()) return batch
  return undefined
}
