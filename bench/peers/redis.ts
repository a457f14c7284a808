/**
 * Redis as a mailbox: a stream for each recipient. `appendfsync always` syncs before it answers, as
 * we do. No encryption, no sender checks: the floor of what durable delivery costs.
 * @module
 */

import { join } from 'node:path'
import type { Send } from '../load.ts'
import { findProgram, freePort, startChild, untilListening } from '../child.ts'
import type { Peer, PeerInit, RunningPeer } from './peer.ts'
import { TextSocket } from './text-socket.ts'

const program = 'redis-server'

export const redis: Peer = {
  name: 'redis',
  promise: 'appendfsync always: synced before the answer',
  missing: () => (findProgram(program) ? undefined : `${program} is not installed`),
  start: startRedis,
}

async function startRedis(init: PeerInit): Promise<RunningPeer> {
  const { pid, port } = await startServer(init)
  const senders: Send<string>[] = []
  for (let client = 0; client < init.clients; client++) {
    const socket = init.open.add(await TextSocket.open(port))
    senders.push((body) => appendToStream(socket, `mailbox:${client}`, body))
  }
  return { pid, senders }
}

/** Starts a server that syncs before it answers. `open` takes it.
 *  @param more settings */
export async function startServer(
  { dir, scheduler, signal, open }: Omit<PeerInit, 'clients'>,
  more: Readonly<Record<string, string | number>> = {},
): Promise<{ pid: number; port: number }> {
  const port = await freePort()
  const settings = {
    port,
    bind: '127.0.0.1',
    dir,
    daemonize: 'no',
    save: '',
    appendonly: 'yes',
    appendfsync: 'always',
    ...more,
  }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])
  const command = findProgram(program) ?? program
  const logFile = join(dir, 'redis.log')
  const server = open.add(await startChild({ command, args, scheduler, logFile }))
  await untilListening(server, port, { scheduler, signal })
  return { pid: server.pid, port }
}

/** Resolves with the answer of XADD: the bulk string of the new entry's id.
 *  @throws {Error} where redis answers with an error */
export async function appendToStream(socket: TextSocket, key: string, body: string): Promise<void> {
  socket.write(request(['XADD', key, '*', 'envelope', body]))
  const [answer, error] = await socket.read(/^-(.*)\r\n|^\$\d+\r\n\d+-\d+\r\n/)
  if (error !== undefined) throw new Error(`redis refused ${answer.trim()}`)
}

/** A command as an array of bulk strings. @see https://redis.io/docs/latest/develop/reference/protocol-spec */
export function request(parts: readonly string[]): string {
  const bulks = parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`)
  return `*${parts.length}\r\n${bulks.join('')}`
}
