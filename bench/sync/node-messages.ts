/** What the benchmark and its nodes tell each other. @module */

import type { PeerId } from '../../src/base/util/brand.ts'
import type { Recipient } from '../deliver/people.ts'

/** Of a chunk: an item without a seal, known by its hash. The least sealed mail is larger. */
export const chunkBytes = 1024

/** What is the same each time a node starts. */
export interface NodeInit {
  /** Of its store; made where it is missing. */
  readonly dir: string
  readonly machineSeed: Uint8Array
  /** The other node, which this one trusts, where there is one. */
  readonly partner?: PeerId
}

export type NewAccount = Pick<Recipient, 'rootPk' | 'slots'>

export interface Growth {
  /** Accounts that are new here; both nodes are their hosts. */
  readonly accounts: number
  /** Chunks for each mailbox: for the new ones, or where there are none, for every one that is here. */
  readonly chunks: number
}

/** Of the chunks that are the same at both nodes. */
export interface Numbers {
  readonly from: number
  readonly count: number
}

export type ToNode =
  | { readonly kind: 'start'; readonly init: NodeInit }
  /** Resolves after fsync. */
  | { readonly kind: 'grow'; readonly growth: Growth }
  /** Keeps the mailbox of a new account. Resolves after fsync. */
  | { readonly kind: 'host'; readonly account: NewAccount }
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
  /** Its one mailbox has so many chunks more, which the other node has as well if told the same. */
  | { readonly kind: 'put'; readonly count: number }
  | { readonly kind: 'lose'; readonly numbers: Numbers }
  /** Pulls while it is paused, from the beginning or from its cursor. Answered when all that is new is durable. */
  | { readonly kind: 'pull'; readonly isAnew: boolean }
  /** Within that pull. Answered when what was lacking is durable. */
  | { readonly kind: 'repair' }
  | { readonly kind: 'end-pull' }
  | { readonly kind: 'usage' }

export type FromNode =
  | { readonly kind: 'done' }
  | { readonly kind: 'joined'; readonly address: string }
  | { readonly kind: 'repaired'; readonly items: number }
  | { readonly kind: 'usage'; readonly usage: NodeUsage }

export interface NodeUsage {
  /** In all mailboxes, slots among them. */
  readonly items: number
  /** That went over its TCP sockets since its start, both ways. */
  readonly wireBytes: number
  /** CPU time of all its threads since its start. */
  readonly cpuUs: number
}
