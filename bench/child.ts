/** Programs that a benchmark starts: each is ended by its own process id and waited for. @module */

import { spawn, type ChildProcess } from 'node:child_process'
import { accessSync, closeSync, constants, openSync, readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import type { Scheduler } from '../src/base/util/clock.ts'
import type { Closeable } from '../src/base/util/close-stack.ts'
import { sleep, withTimeout } from '../src/base/util/wait.ts'

export interface ChildInit {
  readonly command: string
  readonly args: readonly string[]
  readonly scheduler: Scheduler
  /** Takes what it writes to stdout and stderr. */
  readonly logFile: string
}

const graceMs = 3000

/** A running program; `close` resolves when it is gone. It does not outlive this process, except where that
 *  is killed without a chance to say so. */
export class Child implements Closeable {
  readonly pid: number
  readonly exited: Promise<void>
  readonly #process: ChildProcess
  readonly #scheduler: Scheduler
  #isRunning = true

  /** Takes over a process that was spawned. */
  constructor(child: ChildProcess, scheduler: Scheduler) {
    if (child.pid === undefined) throw new Error('the process has not been spawned')
    this.pid = child.pid
    this.#process = child
    this.#scheduler = scheduler
    const kill = () => this.kill()
    process.once('exit', kill)
    this.exited = new Promise((resolve) => {
      child.once('exit', () => {
        process.off('exit', kill)
        this.#isRunning = false
        resolve()
      })
    })
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  /** Asks it to end, and ends it where it does not within 3 s. */
  async close(): Promise<void> {
    if (!this.#isRunning) return
    const cancel = this.#scheduler.after(graceMs, () => this.kill())
    this.#process.kill('SIGTERM')
    await this.exited
    cancel()
  }

  /** Ends it without asking. */
  kill(): void {
    this.#process.kill('SIGKILL')
  }
}

/** Starts a program.
 *  @throws {Error} where it cannot be started */
export async function startChild(init: ChildInit): Promise<Child> {
  const log = openSync(init.logFile, 'a', 0o600)
  try {
    const child = spawn(init.command, [...init.args], { stdio: ['ignore', log, log] })
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', reject)
    })
    return new Child(child, init.scheduler)
  } finally {
    closeSync(log)
  }
}

/** The path of a program in PATH or where Debian puts daemons, or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/sbin']
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** A TCP port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise((resolve) => {
    server.close(resolve)
  })
  if (address === null || typeof address === 'string') throw new Error('a server without a port')
  return address.port
}

/** Resolves once `child` accepts connections on a port of 127.0.0.1.
 *  @throws {Error} where it ends before; {AbzuError} ABZU_TIMEOUT after 15 s */
export async function untilListening(
  child: Child,
  port: number,
  { scheduler, signal }: { scheduler: Scheduler; signal: AbortSignal },
): Promise<void> {
  const bound = { timeoutMs: 15_000, what: `waiting for port ${port}`, signal }
  await withTimeout(scheduler, bound, async (signal) => {
    while (!(await accepts(port))) {
      if (!child.isRunning) throw new Error(`process ${child.pid} ended before it listened`)
      await sleep(scheduler, 20, signal)
    }
  })
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const settle = (accepted: boolean) => () => {
      socket.destroy()
      resolve(accepted)
    }
    socket.once('connect', settle(true))
    socket.once('error', settle(false))
  })
}

/** CPU time of a process and memory it holds, from /proc.
 *  @throws {Error} where there is no such process or no /proc */
export function processUsage(pid: number): { cpuUs: number; residentBytes: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [userTicks = Number.NaN, systemTicks = Number.NaN] = fields.slice(11, 13).map(Number)
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return {
    cpuUs: (userTicks + systemTicks) * tickUs,
    residentBytes: Number(resident?.[1] ?? Number.NaN) * 1024,
  }
}

/** The most memory that a process has held, from /proc. */
export function peakBytes(pid: number): number {
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(peak?.[1] ?? Number.NaN) * 1024
}

/** One clock tick of /proc: 100 a second on every Linux that Node runs on. */
const tickUs = 10_000
