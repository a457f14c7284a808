/** A redis that becomes a replica of another one: its snapshot, and then what is new. @module */

import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { sleep, withTimeout } from '../../src/base/util/wait.ts'
import type { Copier, CopierInit, CopierKind } from './copier.ts'
import { redis, request, startServer } from './redis.ts'
import { TextSocket } from './text-socket.ts'

export const redisReplica: CopierKind = {
  name: 'redis',
  promise: 'REPLICAOF until the entries are there: snapshot synced, its log not yet written anew',
  missing: redis.missing,
  start: startPair,
}

const stream = 'mailbox'
/** Commands that are sent together. */
const together = 250
const copyMs = 30_000
const lookMs = 1

async function startPair(init: CopierInit): Promise<Copier> {
  const { dir, open, items, itemBytes, scheduler, signal } = init
  const start = async (name: string) => {
    const folder = join(dir, name)
    await mkdir(folder, { mode: 0o700 })
    // A snapshot is not held back for further replicas.
    const server = await startServer({ ...init, dir: folder }, { 'repl-diskless-sync-delay': 0 })
    return { ...server, socket: open.add(await TextSocket.open(server.port)) }
  }
  const source = await start('source')
  const replica = await start('replica')
  await fill(source.socket, { items, itemBytes })

  const tell = async (...command: string[]) => {
    replica.socket.write(request(command))
    await replica.socket.read(/^\+OK\r\n/)
  }
  const length = async () => {
    replica.socket.write(request(['XLEN', stream]))
    const [, count] = await replica.socket.read(/^:(\d+)\r\n|^-LOADING.*\r\n/)
    return Number(count ?? 0)
  }
  return {
    async clear() {
      await tell('REPLICAOF', 'NO', 'ONE')
      await tell('FLUSHALL')
    },
    async copy() {
      await tell('REPLICAOF', '127.0.0.1', String(source.port))
      const bound = { timeoutMs: copyMs, what: 'a replica of redis', signal }
      await withTimeout(scheduler, bound, async (signal) => {
        while ((await length()) < items) await sleep(scheduler, lookMs, signal)
      })
    },
  }
}

async function fill(
  socket: TextSocket,
  { items, itemBytes }: { items: number; itemBytes: number },
): Promise<void> {
  const text = () => randomBytes((itemBytes / 4) * 3).toString('base64')
  for (let left = items; left > 0; left -= together) {
    const commands = Array.from({ length: Math.min(left, together) }, () =>
      request(['XADD', stream, '*', 'envelope', text()]),
    )
    socket.write(commands.join(''))
    for (const _ of commands) await socket.read(/^\$\d+\r\n\d+-\d+\r\n/)
  }
}
