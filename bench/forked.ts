/** A program of ours in a process of its own that is asked over IPC. @module */

import { fork, type ChildProcess } from 'node:child_process'
import type { Scheduler } from '../src/base/util/clock.ts'
import { withTimeout } from '../src/base/util/wait.ts'
import { Child } from './child.ts'
import type { PartContext } from './harness.ts'

/** What of bin/abzu.js bears on speed: the program runs as a daemon does. */
export const daemonFlags: readonly string[] = [
  '--max-semi-space-size=4',
  '--heap-growing-percent=70',
]
export const daemonEnvironment = {
  UV_THREADPOOL_SIZE: '8',
  MALLOC_TRIM_THRESHOLD_: '131072',
  MALLOC_ARENA_MAX: '2',
}

export class Forked<To extends object, From extends { readonly kind: string }> {
  readonly child: Child
  readonly #process: ChildProcess
  readonly #scheduler: Scheduler

  /** Starts the program of a file. `open` takes it. */
  constructor(file: URL, { scheduler, open }: Pick<PartContext, 'scheduler' | 'open'>) {
    // Its stdout is our stderr: ours belongs to the report.
    this.#process = fork(file, {
      serialization: 'advanced',
      stdio: ['ignore', 2, 2, 'ipc'],
      execArgv: [...process.execArgv, ...daemonFlags],
      env: { ...process.env, ...daemonEnvironment },
    })
    this.#scheduler = scheduler
    this.child = open.add(new Child(this.#process, scheduler))
  }

  /** One question at a time.
   *  @throws {Error} where it ends; {AbzuError} ABZU_TIMEOUT */
  async ask<K extends From['kind']>(
    question: To,
    kind: K,
    timeoutMs = 20_000,
  ): Promise<Extract<From, { kind: K }>> {
    const bound = { timeoutMs, what: 'an answer of a benchmark process' }
    return withTimeout(this.#scheduler, bound, async () => {
      const answer = new Promise<From>((resolve, reject) => {
        this.#process.once('message', resolve)
        void this.child.exited.then(() => reject(new Error('a benchmark process ended')))
      })
      this.#process.send(question)
      const message = await answer
      if (message.kind !== kind) throw new Error(`a benchmark process answered ${message.kind}`)
      return message as Extract<From, { kind: K }>
    })
  }
}
