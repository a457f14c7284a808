/** A real daemon as a child, in a home of its own. @module */

import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { PeerId } from '../src/base/util/brand.ts'
import { withTimeout } from '../src/base/util/wait.ts'
import { Child } from './child.ts'
import type { PartContext } from './harness.ts'

const executable = join(import.meta.dirname, '../bin/abzu.js')
const startTimeoutMs = 60_000
const commandTimeoutMs = 30_000

export interface Daemon {
  readonly pid: number
  readonly peerId: PeerId
  /** The first is of TCP. */
  readonly addresses: readonly string[]
  /** From the start of the process to its ready line. */
  readonly readyMs: number
}

/** Starts a daemon with one unlocked account that listens at 127.0.0.1, for the second time: the first start
 *  after a change of the source compiles it and holds the compiler's memory, which nobody has after npm ci.
 *  `context.open` takes it.
 *  @param listen further flags of `abzu start` */
export async function startDaemon(
  context: PartContext,
  listen: readonly string[] = [],
): Promise<Daemon> {
  const rehearsal = await launchDaemon(context, {
    home: await homeOf(context, 'rehearsal'),
    listen,
  })
  await rehearsal.close()
  const home = await homeOf(context, 'home')
  const daemon = await launchDaemon(context, { home, listen })
  await createAccount(context, home)
  return daemon
}

async function homeOf({ scratchDir }: PartContext, name: string): Promise<string> {
  const home = join(scratchDir, name)
  await mkdir(home, { mode: 0o700 })
  return home
}

function abzu(home: string, args: readonly string[]): ChildProcess {
  const env = { ...process.env, ABZU_HOME: home }
  return spawn(process.execPath, [executable, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Starts a daemon in a directory that is there. `context.open` takes it, and whoever started it may close it before. */
export async function launchDaemon(
  { clock, scheduler, open, signal }: Pick<PartContext, 'clock' | 'scheduler' | 'open' | 'signal'>,
  { home, listen = [] }: { home: string; listen?: readonly string[] },
): Promise<Daemon & { close: () => Promise<void> }> {
  const startMs = clock.monotonicMs()
  const args = ['start', '--tcp', '127.0.0.1:0', ...listen, '--no-lan', '--log-json']
  const process = abzu(home, args)
  const child = open.add(new Child(process, scheduler))
  const line = await withTimeout(
    scheduler,
    { timeoutMs: startTimeoutMs, what: 'the start of a daemon', signal },
    () => firstLine(process),
  )
  const readyMs = clock.monotonicMs() - startMs
  const { event, pid, peerId, addresses } = JSON.parse(line) as Partial<Daemon> & {
    event?: unknown
  }
  if (event !== 'ready' || pid === undefined || peerId === undefined || !addresses?.length) {
    throw new Error(`not a ready line: ${line}`)
  }
  return { pid, peerId, addresses, readyMs, close: async () => child.close() }
}

function firstLine({ stdout, stderr }: ChildProcess): Promise<string> {
  const messages: string[] = []
  stderr?.setEncoding('utf8').on('data', (text: string) => messages.push(text))
  return new Promise((resolve, reject) => {
    if (!stdout) throw new Error('a process without stdout')
    const lines = createInterface({ input: stdout })
    lines.once('line', resolve)
    lines.once('close', () => reject(new Error(`the daemon did not start: ${messages.join('')}`)))
  })
}

async function createAccount({ scratchDir, scheduler, open, signal }: PartContext, home: string) {
  const passwordFile = join(scratchDir, 'password')
  await writeFile(passwordFile, 'correct horse battery staple\n', { mode: 0o600 })
  const args = ['account', 'create', 'someone', '--role', 'admin', '--json']
  const command = abzu(home, [...args, '--password-file', passwordFile])
  const child = open.add(new Child(command, scheduler))
  command.stdout?.resume()
  const bound = { timeoutMs: commandTimeoutMs, what: 'the creation of an account', signal }
  await withTimeout(scheduler, bound, () => child.exited)
  if (command.exitCode !== 0) throw new Error(`no account was created: ${command.exitCode}`)
}
