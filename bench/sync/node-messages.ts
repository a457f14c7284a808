/** What the benchmark and its nodes tell each other. @module */

import type { PeerId } from '../../src/base/util/brand.ts'

/** Of a chunk: an item without a seal, known by its hash. The least sealed mail is larger. */
export const chunkBytes = 1024

/** What is the same each time a node starts. */
export interface NodeInit {
  /** Of its store; made where it is missing. */
  readonly dir: string
  readonly machineSeed: Uint8Array
  /** The other node, which this one trusts. */
  readonly partner: PeerId
}

export interface Growth {
  /** Accounts that are new here; both nodes are their hosts. */
  readonly accounts: number
  /** Chunks for each mailbox: for the new ones, or where there are none, for every one that is here. */
  readonly chunks: number
}

export type ToNode =
  | { readonly kind: 'start'; readonly init: NodeInit }
  /** Resolves after fsync. */
  | { readonly kind: 'grow'; readonly growth: Growth }
  /** Goes online, with a connection to nobody. */
  | { readonly kind: 'join' }
  /** Closes every connection. */
  | { readonly kind: 'leave' }
  /** Stays connected to the partner from now on. */
  | { readonly kind: 'dial'; readonly address: string }
  /** Ends its pull, and begins another one over the same connection. */
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  /** Answered when it holds so many items, and what the partner holds: all durable. */
  | { readonly kind: 'await'; readonly items: number }
  | { readonly kind: 'usage' }

export type FromNode =
  | { readonly kind: 'done' }
  | { readonly kind: 'joined'; readonly address: string }
  | { readonly kind: 'usage'; readonly usage: NodeUsage }

export interface NodeUsage {
  /** In all mailboxes, slots among them. */
  readonly items: number
  /** That went over its TCP sockets since its start, both ways. */
  readonly wireBytes: number
  /** CPU time of all its threads since its start. */
  readonly cpuUs: number
}
