/** A daemon that has nothing to do: what it holds, and how long it takes to get there. @module */

import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { sleep, withTimeout } from '../../src/base/util/wait.ts'
import { Child, processUsage } from '../child.ts'
import type { Part, PartContext } from '../harness.ts'

const executable = join(import.meta.dirname, '../../bin/abzu.js')
const startTimeoutMs = 30_000
const commandTimeoutMs = 30_000
/** Until what a start leaves behind has been collected. */
const settleMs = 5000
const mebibyte = 2 ** 20

export const idle: Part = {
  name: 'idle',
  async run(context) {
    const rehearsal = await startDaemon(context, await homeOf(context, 'rehearsal'))
    await rehearsal.close()
    const home = await homeOf(context, 'home')
    const { pid, readyMs } = await startDaemon(context, home)
    await createAccount(context, home)
    await sleep(context.scheduler, context.quick ? 500 : settleMs, context.signal)
    return [
      {
        name: 'idle-resident',
        value: processUsage(pid).residentBytes / mebibyte,
        unit: 'MB',
        target: { op: '<=', value: 150 },
        note: 'one unlocked account, no connection; code compiled, as after npm ci',
      },
      {
        name: 'start-to-ready',
        value: readyMs,
        unit: 'ms',
        target: null,
        note: 'from the start of the process to its ready line, in an empty home',
      },
    ]
  },
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

async function startDaemon(
  { clock, scheduler, open, signal }: PartContext,
  home: string,
): Promise<{ pid: number; readyMs: number; close: () => Promise<void> }> {
  const startMs = clock.monotonicMs()
  const process = abzu(home, ['start', '--tcp', '127.0.0.1:0', '--no-lan', '--log-json'])
  const child = open.add(new Child(process, scheduler))
  const line = await withTimeout(
    scheduler,
    { timeoutMs: startTimeoutMs, what: 'the start of a daemon', signal },
    () => firstLine(process),
  )
  const readyMs = clock.monotonicMs() - startMs
  const { event, pid } = JSON.parse(line) as { event?: unknown; pid?: unknown }
  if (event !== 'ready' || typeof pid !== 'number') throw new Error(`not a ready line: ${line}`)
  return { pid, readyMs, close: async () => child.close() }
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
