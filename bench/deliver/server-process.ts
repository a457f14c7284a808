/** The server as its parent sees it: a process of its own, asked over IPC. @module */

import type { PeerId } from '../../src/base/util/brand.ts'
import { Forked } from '../forked.ts'
import type { PartContext } from '../harness.ts'
import type { FromServer, ServerInit, ServerUsage, ToServer } from './server-messages.ts'

export interface ServerAddress {
  readonly peerId: PeerId
  readonly address: string
}

export class ServerProcess {
  readonly at: ServerAddress
  readonly #forked: Forked<ToServer, FromServer>

  private constructor(forked: Forked<ToServer, FromServer>, at: ServerAddress) {
    this.#forked = forked
    this.at = at
  }

  /** Starts a server and waits until it can be delivered to. `open` takes it at once. */
  static async start(
    init: ServerInit,
    context: Pick<PartContext, 'scheduler' | 'open'>,
  ): Promise<ServerProcess> {
    const forked = new Forked<ToServer, FromServer>(new URL('server.ts', import.meta.url), context)
    return new ServerProcess(forked, await forked.ask({ kind: 'start', init }, 'ready'))
  }

  async usage(): Promise<ServerUsage> {
    return (await this.#forked.ask({ kind: 'usage' }, 'usage')).usage
  }
}
