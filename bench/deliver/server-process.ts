/** The server as its parent sees it: a process of its own, asked over IPC. @module */

import { fork, type ChildProcess } from 'node:child_process'
import type { PeerId } from '../../src/base/util/brand.ts'
import type { Scheduler } from '../../src/base/util/clock.ts'
import type { Closeable } from '../../src/base/util/close-stack.ts'
import { withTimeout } from '../../src/base/util/wait.ts'
import { Child } from '../child.ts'
import type { PartContext } from '../harness.ts'
import type { FromServer, ServerInit, ServerUsage, ToServer } from './server-messages.ts'

export interface ServerAddress {
  readonly peerId: PeerId
  readonly address: string
}

/** What of bin/abzu.js bears on speed: the server runs as a daemon does. */
export const daemonFlags: readonly string[] = ['--max-semi-space-size=4']
export const daemonEnvironment = { UV_THREADPOOL_SIZE: '8', MALLOC_TRIM_THRESHOLD_: '131072' }

export class ServerProcess implements Closeable {
  readonly child: Child
  readonly #process: ChildProcess
  readonly #scheduler: Scheduler
  #at: ServerAddress | undefined

  private constructor(process: ChildProcess, scheduler: Scheduler) {
    this.#process = process
    this.#scheduler = scheduler
    this.child = new Child(process, scheduler)
  }

  /** Starts a server and waits until it can be delivered to. `open` takes it at once. */
  static async start(
    init: ServerInit,
    { scheduler, open }: Pick<PartContext, 'scheduler' | 'open'>,
  ): Promise<ServerProcess> {
    const file = new URL('server.ts', import.meta.url)
    // Its stdout is our stderr: ours belongs to the report.
    const child = fork(file, {
      serialization: 'advanced',
      stdio: ['ignore', 2, 2, 'ipc'],
      execArgv: [...process.execArgv, ...daemonFlags],
      env: { ...process.env, ...daemonEnvironment },
    })
    const server = open.add(new ServerProcess(child, scheduler))
    server.#at = await server.#ask({ kind: 'start', init }, 'ready')
    return server
  }

  get at(): ServerAddress {
    if (!this.#at) throw new Error('the server has not started')
    return this.#at
  }

  async usage(): Promise<ServerUsage> {
    return (await this.#ask({ kind: 'usage' }, 'usage')).usage
  }

  close(): Promise<void> {
    return this.child.close()
  }

  /** One question at a time. */
  async #ask<K extends FromServer['kind']>(
    question: ToServer,
    kind: K,
  ): Promise<Extract<FromServer, { kind: K }>> {
    const bound = { timeoutMs: 20_000, what: 'an answer of the benchmark server' }
    return withTimeout(this.#scheduler, bound, async () => {
      const answer = new Promise<FromServer>((resolve, reject) => {
        this.#process.once('message', resolve)
        void this.child.exited.then(() => reject(new Error('the benchmark server ended')))
      })
      this.#process.send(question)
      const message = await answer
      if (message.kind !== kind) throw new Error(`the server answered ${message.kind}`)
      return message as Extract<FromServer, { kind: K }>
    })
  }
}
