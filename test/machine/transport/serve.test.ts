import t, { type Test } from 'tap'
import type { PeerId } from '../../../src/base/util/brand.ts'
import { systemScheduler } from '../../../src/base/util/system-time.ts'
import { AbzuError, type ErrorCode } from '../../../src/base/util/errors.ts'
import type { Protocol } from '../../../src/base/wire/protocols.ts'
import { PipeFrameStream } from '../../../src/machine/transport/pipe-frame-stream.ts'
import { StreamServer } from '../../../src/machine/transport/serve.ts'
import { defaultTransportLimits } from '../../../src/machine/transport/transport-limits.ts'
import type { StreamHandler } from '../../../src/machine/transport/transport.ts'
import { ManualTime } from '../../support/manual-time.ts'
import { MemoryPipe } from '../../support/pipe.ts'
import { MemoryLog } from '../../support/transports.ts'

const protocol: Protocol = { id: '/abzu/test/1.0.0', streamsMax: 2 }
const limits = {
  ...defaultTransportLimits,
  handlersMax: 7,
  handlersReserved: 1,
  resetGraceMs: 5,
  lingerMs: 50,
}

function openServer(t: Test, handler: StreamHandler, scheduler = systemScheduler) {
  const alive = setInterval(() => undefined, 1000)
  t.teardown(() => clearInterval(alive))
  const log = new MemoryLog()
  const server = new StreamServer({
    limits,
    scheduler,
    log,
    isKept: (peer) => peer === 'kept',
  })
  const connect = (peer = 'client') => {
    const [near, far] = MemoryPipe.pair()
    const client = new PipeFrameStream({ peer: 'server' as PeerId, pipe: near, limits, scheduler })
    const served = new PipeFrameStream({ peer: peer as PeerId, pipe: far, limits, scheduler })
    server.serve(protocol, served, handler)
    return client
  }
  return { connect, log }
}

async function outcome(stream: PipeFrameStream): Promise<{ messages: number; code?: ErrorCode }> {
  let messages = 0
  try {
    for await (const batch of stream.batches()) messages += batch.length
    return { messages }
  } catch (error) {
    return { messages, code: (error as AbzuError).code }
  }
}

t.test('a handler that returns ends its side', async (t) => {
  const { connect, log } = openServer(t, async (stream) => stream.send(new Uint8Array(1)))
  const client = connect()
  t.same(await outcome(client), { messages: 1 })
  await client.end()
  await client.closed
  t.same(log.entries, [])
})

t.test('a typed error travels as its number; only bugs are logged as errors', async (t) => {
  const { connect, log } = openServer(t, async () => {
    throw new AbzuError('ABZU_RATE_LIMITED', 'slow down')
  })
  t.same(await outcome(connect()), { messages: 0, code: 'ABZU_RATE_LIMITED' })
  t.same(log.events('error'), [])
  t.match(log.entries, [{ level: 'debug', fields: { code: 'ABZU_RATE_LIMITED', peer: 'client' } }])
})

t.test('a bug is logged and told without detail', async (t) => {
  const bugs: StreamHandler[] = [
    async () => {
      throw new TypeError('secret detail')
    },
    () => {
      throw new RangeError('before the first await')
    },
    async () => Promise.reject(),
  ]
  for (const bug of bugs) {
    const { connect, log } = openServer(t, bug)
    t.same(await outcome(connect()), { messages: 0, code: 'ABZU_INTERNAL' })
    t.same(log.events('error'), ['inbound stream failed'])
  }
})

t.test('a peer that reports a bug of its own is none of ours', async (t) => {
  const { connect, log } = openServer(t, async (stream) => {
    for await (const batch of stream.batches()) t.ok(batch)
  })
  const client = connect()
  client.abort(new AbzuError('ABZU_INTERNAL', 'theirs'))
  await client.closed
  await new ManualTime().settle()
  t.same(log.events('error'), [])
  t.same(log.events('debug'), ['inbound stream refused'])
})

t.test('handlers that never return are bounded, for one peer and for all', async (t) => {
  const { connect } = openServer(t, async () => new Promise(() => undefined))
  const first = Array.from({ length: 4 }, () => connect('greedy'))
  t.same(await outcome(connect('greedy')), { messages: 0, code: 'ABZU_OVERLOADED' })
  const others = Array.from({ length: 2 }, (_, n) => connect(`other${n}`))
  t.same(await outcome(connect('late')), { messages: 0, code: 'ABZU_OVERLOADED' })
  const kept = connect('kept')
  kept.send(new Uint8Array(1))
  await new ManualTime().settle()
  await kept.ready()
  for (const gone of [kept, first[0] as PipeFrameStream]) {
    gone.abort(new AbzuError('ABZU_CLOSED', 'gone'))
    await gone.closed
  }
  await new ManualTime().settle()
  const next = connect('late')
  await new ManualTime().settle()
  await next.ready()
  for (const stream of [...first, ...others, next]) stream.breakOff()
})

t.test('a peer that does not end its side does not keep the stream', async (t) => {
  const { connect } = openServer(t, async () => undefined)
  const client = connect()
  t.same(await outcome(client), { messages: 0 })
  await client.closed
  t.throws(() => client.send(new Uint8Array()))
})
