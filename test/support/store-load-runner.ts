/** Runs load on a store in another process, and asks afterwards what of it is there. @module */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { StoreLimits } from '../../src/base/store/store-limits.ts'
import { equalBytes } from '../../src/base/util/bytes.ts'
import { loadItem, type StoreLoad } from './store-load.ts'
import { openTestStore } from './store-content.ts'

export interface LoadOutcome {
  readonly lines: string[]
  /** Numbers of the items that were said to be durable, and that nobody began to remove. */
  readonly acked: number[]
  /** Numbers of the items whose removal was said to be durable. */
  readonly gone: number[]
  readonly errors: string[]
  /** What calls after the error got. */
  readonly late: string[]
}

const script = new URL('store-load.ts', import.meta.url).pathname

export interface RunInit {
  readonly load: StoreLoad
  /** What the process is run under: a program and its arguments. */
  readonly under?: readonly string[]
  /** Kill it when it has said so many lines. */
  readonly killAfterLines?: number
  readonly timeoutMs?: number
}

/** Runs the load to its end. */
export async function runLoad(init: RunInit): Promise<LoadOutcome> {
  const { load, under = [], killAfterLines = Infinity, timeoutMs = 60_000 } = init
  const command = [...under, process.execPath, script, JSON.stringify(load)]
  const child = spawn(command[0] as string, command.slice(1), {
    stdio: ['ignore', 'pipe', 'inherit'],
    // One thread: system calls that are counted by thread are then counted over all commits.
    env: { ...process.env, NODE_OPTIONS: '', UV_THREADPOOL_SIZE: '1' },
  })
  const closed = once(child, 'close')
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  const lines: string[] = []
  for await (const line of createInterface(child.stdout)) {
    lines.push(line)
    if (lines.length === killAfterLines) child.kill('SIGKILL')
  }
  await closed
  clearTimeout(timer)
  const said = (what: string) =>
    lines.filter((line) => line.startsWith(`${what} `)).map((line) => line.slice(what.length + 1))
  const going = new Set(said('going').map(Number))
  return {
    lines,
    acked: said('ack')
      .map(Number)
      .filter((n) => !going.has(n)),
    gone: said('gone').map(Number),
    errors: said('error'),
    late: said('late'),
  }
}

/** What it must come to. */
export const nothingLost: Aftermath = { lost: [], back: [], lostCommits: 0, isSound: true }

export interface Aftermath {
  /** Said to be durable, and not there as they were. */
  readonly lost: number[]
  /** Said to be removed, and there. */
  readonly back: number[]
  readonly lostCommits: number
  /** What a full check says. */
  readonly isSound: boolean
}

/** Opens the store and looks for what the load was told. */
export async function lookAfter(
  dir: string,
  { acked, gone }: Pick<LoadOutcome, 'acked' | 'gone'>,
  limits: Partial<StoreLimits> = {},
): Promise<Aftermath> {
  const store = await openTestStore({ dir, limits: { writeBufferBytes: 256 * 1024, ...limits } })
  try {
    const lost: number[] = []
    for (const n of acked) {
      const { mailbox, id, body } = loadItem(n)
      const item = await store.items.get(mailbox, id)
      if (!item || !equalBytes(item.body, body)) lost.push(n)
    }
    const back = gone.filter((n) => store.items.has(loadItem(n).mailbox, loadItem(n).id))
    const { isSound } = await store.verify()
    return { lost, back, lostCommits: store.report.lostCommits, isSound }
  } finally {
    await store.close()
  }
}
