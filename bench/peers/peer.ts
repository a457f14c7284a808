/**
 * What a household would pick instead, driven as our own server is: one client is one connection,
 * the next message follows the acknowledgement of the last.
 * @module
 */

import type { Scheduler } from '../../src/base/util/clock.ts'
import type { CloseStack } from '../../src/base/util/close-stack.ts'
import type { Send } from '../load.ts'

export interface PeerInit {
  /** Exists and is empty. */
  readonly dir: string
  /** Connections to open. */
  readonly clients: number
  readonly scheduler: Scheduler
  readonly signal: AbortSignal
  /** Takes the server and the connections. */
  readonly open: CloseStack
}

export interface RunningPeer {
  readonly pid: number
  /** One for each client; each to a mailbox of its own. */
  readonly senders: readonly Send<string>[]
}

export interface Peer {
  readonly name: string
  /** What its acknowledgement promises, in a few words. */
  readonly promise: string
  /** Why it cannot run here, or undefined. */
  missing(): string | undefined
  start(init: PeerInit): Promise<RunningPeer>
}
