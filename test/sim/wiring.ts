/** Where a node of the simulation can be put together wrongly, to see whether that is noticed. @module */

import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import type { Store, StoreMedia } from '../../src/base/store/store.ts'
import type { Table } from '../../src/base/store/table.ts'
import type { Clock } from '../../src/base/util/clock.ts'
import type { Log } from '../../src/base/util/log.ts'
import type { Mailboxes } from '../../src/machine/mailbox/mailboxes.ts'
import type {
  DirectoryPort,
  HostingPort,
  MailboxPort,
  PostPort,
} from '../../src/user/account/ports.ts'
import type { SyncerDeps } from '../../src/machine/sync/syncer.ts'
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
  readonly pulling?: (mailboxes: SyncerDeps['mailboxes']) => SyncerDeps['mailboxes']
  readonly hosting?: (hosting: HostingPort, time: NodeTime) => HostingPort
  readonly post?: (post: PostPort, time: NodeTime) => PostPort
  readonly directory?: (directory: DirectoryPort) => DirectoryPort
}

/** Everything as in a daemon. */
export const soundWiring: Wiring = {}

/** `table` with some of its methods replaced. */
export function wrapTable(table: Table, changes: Partial<Table>): Table {
  return {
    name: table.name,
    get: (key) => table.get(key),
    put: async (key, value) => table.put(key, value),
    delete: async (key) => table.delete(key),
    range: (page) => table.range(page),
    ...changes,
  }
}

/** `port` with some of its methods replaced. */
export function wrapMailbox(port: MailboxPort, changes: Partial<MailboxPort>): MailboxPort {
  return {
    mailbox: port.mailbox,
    mail: async (page) => port.mail(page),
    putSlots: async (slots) => port.putSlots(slots),
    slot: async (key) => port.slot(key),
    slots: (wanted) => port.slots(wanted),
    erase: async () => port.erase(),
    watch: (listener) => port.watch(listener),
    ...changes,
  }
}

/** `post` with some of its methods replaced. */
export function wrapPost(post: PostPort, changes: Partial<PostPort>): PostPort {
  return {
    post: async (outgoing) => post.post(outgoing),
    outcomes: async (from) => post.outcomes(from),
    settle: async (from, ids) => post.settle(from, ids),
    watch: (from, listener) => post.watch(from, listener),
    ...changes,
  }
}

/** `mailboxes`, as who pulls copies sees them, with some of their methods replaced. */
export function wrapPulling(
  mailboxes: SyncerDeps['mailboxes'],
  changes: Partial<SyncerDeps['mailboxes']>,
): SyncerDeps['mailboxes'] {
  return {
    rootOf: (mailbox) => mailboxes.rootOf(mailbox),
    hostsOf: async (mailbox) => mailboxes.hostsOf(mailbox),
    host: async (...init) => mailboxes.host(...init),
    wants: (mailbox, id) => mailboxes.wants(mailbox, id),
    takeCopies: async (mailbox, copies) => mailboxes.takeCopies(mailbox, copies),
    isRevoked: async (mailbox, certificate) => mailboxes.isRevoked(mailbox, certificate),
    watchNews: (listener) => mailboxes.watchNews(listener),
    watchRecords: (listener) => mailboxes.watchRecords(listener),
    ...changes,
  }
}
