/** What the load generator and its server process tell each other. @module */

import type { PeerId } from '../../src/base/util/brand.ts'
import type { Steps } from './meter.ts'
import type { Recipient } from './people.ts'

/**
 * What the server does with a delivery:
 * - `stream`: takes the message off the stream and answers by as many bytes as a receipt has
 * - `unstored`: all that a host does, over a store that stores nothing
 * - `durable`: all that a host does
 * - `slow-disk`: the same with a pause added to every commit
 */
export type Work = 'stream' | 'unstored' | 'durable' | 'slow-disk'

/** What the server listens by. */
export type Carrier = 'tcp' | 'quic'

export interface ServerInit {
  readonly work: Work
  readonly carrier: Carrier
  /** Exists and is empty. */
  readonly dir: string
  readonly recipients: readonly Recipient[]
  /** Added to every commit by `slow-disk`. */
  readonly commitDelayMs: number
}

export interface ServerUsage {
  /** CPU time of all its threads since its start. */
  readonly cpuUs: number
  /** Of that, what its main thread spent on these steps. */
  readonly steps: Steps
}

export type ToServer =
  { readonly kind: 'start'; readonly init: ServerInit } | { readonly kind: 'usage' }

export type FromServer =
  | { readonly kind: 'ready'; readonly peerId: PeerId; readonly address: string }
  | { readonly kind: 'usage'; readonly usage: ServerUsage }
