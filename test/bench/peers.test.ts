import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { CloseStack } from '../../src/base/util/close-stack.ts'
import { systemScheduler } from '../../src/base/util/system-time.ts'
import { prosody } from '../../bench/peers/prosody.ts'
import { appendToStream, redis } from '../../bench/peers/redis.ts'
import { TextSocket } from '../../bench/peers/text-socket.ts'
import type { Peer } from '../../bench/peers/peer.ts'

const body = 'sixteen letters!'.repeat(64)

/** A server that answers the bytes of each connection by `answer`, one character a write. */
async function fakeServer(answer: string): Promise<{ port: number; close: () => void }> {
  const server = createServer((socket) => {
    socket.setNoDelay(true)
    socket.on('data', () => {
      for (const character of answer) socket.write(character)
    })
    socket.on('error', () => socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, close: () => server.close() }
}

t.test('an answer of redis may come in pieces; an error is one', async (t) => {
  const good = await fakeServer('$15\r\n1700000000000-0\r\n')
  const bad = await fakeServer('-OOM command not allowed\r\n')
  const open = new CloseStack()
  const accepted = open.add(await TextSocket.open(good.port))
  await appendToStream(accepted, 'mailbox', body)
  await appendToStream(accepted, 'mailbox', body)
  const refused = open.add(await TextSocket.open(bad.port))
  await t.rejects(appendToStream(refused, 'mailbox', body), /OOM command not allowed/)
  await open.close()
  good.close()
  bad.close()
  await t.rejects(appendToStream(accepted, 'mailbox', body), /closed the connection/)
})

t.test('a text socket has one reader', async (t) => {
  const server = await fakeServer('x')
  const socket = await TextSocket.open(server.port)
  const first = socket.read(/never/)
  await t.rejects(socket.read(/never/), /one reader/)
  socket.close()
  server.close()
  await t.rejects(first)
})

/** Starts a peer, delivers over two connections, and returns what its files then hold. */
async function deliverTo(peer: Peer, dir: string, file: string): Promise<string> {
  const open = new CloseStack()
  const { signal } = new AbortController()
  try {
    const running = await peer.start({ dir, clients: 2, scheduler: systemScheduler, signal, open })
    for (const send of running.senders) {
      for (let message = 0; message < 3; message++) await send(body)
    }
    const path = join(dir, file)
    return existsSync(path) ? readFileSync(path, 'utf8') : ''
  } finally {
    await open.close()
  }
}

const installed: [Peer, string, number][] = [
  [redis, 'appendonlydir/appendonly.aof.1.incr.aof', 6],
  [prosody, 'localhost/offline/recipient0.list', 3],
]
for (const [peer, file, count] of installed) {
  const skip = peer.missing() ?? false
  t.test(`${peer.name} has on its disk what it acknowledged`, { skip }, async (t) => {
    const stored = await deliverTo(peer, t.testdir(), file)
    t.equal(stored.split(body).length - 1, count)
  })
}
