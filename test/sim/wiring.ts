/** Where a node of the simulation can be put together wrongly, to see whether that is noticed. @module */

import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import type { Store, StoreMedia } from '../../src/base/store/store.ts'
import type { Table } from '../../src/base/store/table.ts'
import type { Clock } from '../../src/base/util/clock.ts'
import type { Log } from '../../src/base/util/log.ts'
import type { Mailboxes } from '../../src/machine/mailbox/mailboxes.ts'
import type { DirectoryPort, HostingPort, PostPort } from '../../src/user/account/ports.ts'
import type { Transport } from '../../src/machine/transport/transport.ts'
import type { DiskVices } from './sim-disk.ts'
import type { NodeTime } from './timeline.ts'

type OutboundTransport = Pick<Transport, 'peerId' | 'open' | 'watch'>

/** What a node's parts see of its store. */
export type NodeStore = Pick<Store, 'items' | 'table' | 'commit'>

/** What each part of a node is replaced by, given the right one. Left out: the right one. */
export interface Wiring {
  /** Its accounts are made by the same nodes: others' would not open. */
  readonly isFromBeginning?: boolean
  readonly vices?: DiskVices
  readonly media?: (media: StoreMedia) => StoreMedia
  readonly platform?: (platform: CryptoPlatform) => CryptoPlatform
  readonly log?: (log: Log) => Log
  readonly clock?: (watch: Clock, machine: Clock) => Clock
  readonly store?: (store: Store, time: NodeTime) => NodeStore
  readonly records?: (table: Table) => Table
  /** As the outbox sees it. */
  readonly outbound?: (transport: OutboundTransport) => OutboundTransport
  /** As the handler of deliveries sees them. */
  readonly inbound?: (mailboxes: Mailboxes) => Pick<Mailboxes, 'take'>
  /** As who pulls copies sees them. */
  readonly pulling?: (mailboxes: Mailboxes, time: NodeTime) => Mailboxes
  readonly hosting?: (hosting: HostingPort, time: NodeTime) => HostingPort
  readonly post?: (post: PostPort, time: NodeTime) => PostPort
  readonly directory?: (directory: DirectoryPort) => DirectoryPort
}

/** Everything as in a daemon. */
export const soundWiring: Wiring = {}

/** `target` with some of its members replaced. */
export function replacing<T extends object>(target: T, changes: Partial<T>): T {
  return new Proxy(target, {
    get(_, name) {
      if (Object.hasOwn(changes, name)) return changes[name as keyof T]
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}
