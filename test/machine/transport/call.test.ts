import t from 'tap'
import { AbzuError } from '../../../src/base/util/errors.ts'
import { systemScheduler as scheduler } from '../../../src/base/util/system-time.ts'
import type { Protocol } from '../../../src/base/wire/protocols.ts'
import { call, serveCalls } from '../../../src/machine/transport/call.ts'
import { listening, MemoryLog, openTestTransport } from '../../support/transports.ts'

const protocol: Protocol = { id: '/abzu/test-call/1.0.0', streamsMax: 4 }
const timeoutMs = 5000

t.test('calls and their answers', async (t) => {
  const log = new MemoryLog()
  const [server, client] = [await listening(t, { log }), await openTestTransport(t, { tcp: [] })]
  const addresses = server.addresses()
  serveCalls(server, protocol, {
    timeoutMs: 300,
    scheduler,
    answer: async (request, { peer, signal }) => {
      t.equal(peer, client.peerId)
      if (request[0] === 1) throw new AbzuError('ABZU_NOT_FOUND', 'none')
      if (request[0] === 2) throw new Error('a bug')
      if (request[0] === 3)
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
      return request.slice().reverse()
    },
  })
  const askBytes = async (request: Uint8Array) =>
    call(client, server.peerId, protocol, request, { addresses, timeoutMs, scheduler })
  const ask = async (...request: number[]) => askBytes(new Uint8Array(request))

  t.same([...(await ask(7, 8, 9))], [9, 8, 7])
  t.same([...(await ask())], [])
  t.equal((await askBytes(new Uint8Array(300_000))).length, 300_000)
  await t.rejects(ask(1), { code: 'ABZU_NOT_FOUND' })
  await t.rejects(ask(2), { code: 'ABZU_INTERNAL' })
  t.same(log.events('error'), ['inbound stream failed'])
  await t.rejects(ask(3), { code: 'ABZU_INTERNAL' }, 'the server gives up in its time')
  const answers = await Promise.all(Array.from({ length: 60 }, async (_, n) => ask(9, n)))
  t.same(
    answers.map(([n]) => n),
    Array.from({ length: 60 }, (_, n) => n),
  )
})

t.test('a server that does not answer, or says too much or too little', async (t) => {
  const [server, client] = [await listening(t), await openTestTransport(t, { tcp: [] })]
  const addresses = server.addresses()
  let behaviour: 'silent' | 'two' | 'none' = 'silent'
  server.handle(protocol, async (stream) => {
    if (behaviour === 'silent') await stream.closed
    if (behaviour === 'two') for (const n of [1, 2]) stream.send(new Uint8Array([n]))
  })
  const ask = async (init: { timeoutMs: number; signal?: AbortSignal }) =>
    call(client, server.peerId, protocol, new Uint8Array(), { addresses, scheduler, ...init })

  await t.rejects(ask({ timeoutMs: 100 }), { code: 'ABZU_TIMEOUT' })
  const controller = new AbortController()
  const asking = ask({ timeoutMs, signal: controller.signal })
  controller.abort(new AbzuError('ABZU_CLOSED', 'changed my mind'))
  await t.rejects(asking, { code: 'ABZU_CLOSED' })
  behaviour = 'two'
  await t.rejects(ask({ timeoutMs }), { code: 'ABZU_PROTOCOL_VIOLATION' })
  behaviour = 'none'
  await t.rejects(ask({ timeoutMs }), { code: 'ABZU_PROTOCOL_VIOLATION' })
})

t.test('a caller that says too much or too little', async (t) => {
  const [server, client] = [await listening(t), await openTestTransport(t, { tcp: [] })]
  const answer = async (request: Uint8Array) => request
  serveCalls(server, protocol, { timeoutMs, scheduler, answer })
  for (const count of [0, 2]) {
    const stream = await client.open(server.peerId, protocol, { addresses: server.addresses() })
    for (let n = 0; n < count; n++) stream.send(new Uint8Array([n]))
    await stream.end()
    await t.rejects(
      async () => {
        for await (const batch of stream.batches()) t.fail(`an answer of ${batch.length}`)
      },
      { code: 'ABZU_PROTOCOL_VIOLATION' },
    )
  }
})
