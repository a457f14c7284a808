/** What every command is given. @module */

import type { Readable, Writable } from 'node:stream'
import type { Scheduler } from '../../base/util/clock.ts'
import type { Env, HomePaths } from '../../config.ts'
import type { AbzuClient } from '../client/client.ts'
import { Output } from './output.ts'

/** The world of one run: a process's, or a test's. */
export interface CliIo {
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Writable
  readonly stderr: Writable & { readonly isTTY?: boolean }
  /** The process's own where left out. */
  readonly env?: Env | undefined
  /** Its timers keep the process alive. */
  readonly scheduler: Scheduler
  /** How long a daemon that is starting may take to answer, ms.
   *  @default 5000 */
  readonly patienceMs?: number
}

/** Heavy parts load when a command first asks for them: most commands should answer at once. */
export class CliContext {
  readonly io: CliIo
  readonly output: Output
  /** Of a command that has done what it was asked. */
  exitCode = 0

  constructor(io: CliIo, { json }: { json: boolean }) {
    this.io = io
    this.output = new Output({ stdout: io.stdout, stderr: io.stderr, json })
  }

  /** @throws {AbzuError} ABZU_CONFIG_INVALID */
  async paths(): Promise<HomePaths> {
    const { homePaths } = await import('../../config.ts')
    return homePaths(this.io.env)
  }

  /** A client of this home's daemon, which has a moment to start: `abzu start &` and the next command are
   *  typed in one go.
   *  @throws {AbzuError} ABZU_NO_DAEMON, ABZU_CONFIG_INVALID */
  async daemon(init: { timeoutMs?: number } = {}): Promise<AbzuClient> {
    const [client, { statusWithin }] = await Promise.all([this.client(init), import('./daemon.ts')])
    const { scheduler, patienceMs = 5000 } = this.io
    await statusWithin(client, { timeoutMs: patienceMs, scheduler })
    return client
  }

  /** A client of this home's daemon, not yet connected and without a session. */
  async client({ timeoutMs }: { timeoutMs?: number } = {}): Promise<AbzuClient> {
    const [{ socket }, { AbzuClient }] = await Promise.all([
      this.paths(),
      import('../client/client.ts'),
    ])
    return new AbzuClient({ socketPath: socket, scheduler: this.io.scheduler, timeoutMs })
  }
}
