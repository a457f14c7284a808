/** Puts together what keeps the copies of mailboxes on this node and its peers alike. @module */

import type { CryptoPlatform } from '../base/crypto/platform.ts'
import type { Store } from '../base/store/store.ts'
import type { MailboxId, PeerId } from '../base/util/brand.ts'
import { toHex } from '../base/util/bytes.ts'
import type { Clock, Scheduler } from '../base/util/clock.ts'
import type { Closeable, CloseStack } from '../base/util/close-stack.ts'
import { AbzuError } from '../base/util/errors.ts'
import type { Log } from '../base/util/log.ts'
import { syncProtocol } from '../base/wire/protocols.ts'
import type { Host } from '../base/wire/records.ts'
import type { TrustedPeers } from '../machine/federation/trusted-peers.ts'
import type { Mailboxes } from '../machine/mailbox/mailboxes.ts'
import type { Directory } from '../machine/node/directory.ts'
import type { HeldRecords } from '../machine/node/held-records.ts'
import type { RecordPublisher } from '../machine/node/record-publisher.ts'
import { CopyRoom } from '../machine/sync/copy-room.ts'
import { Restorer } from '../machine/sync/restorer.ts'
import { Retirement } from '../machine/sync/retirement.ts'
import { SharedMailboxes } from '../machine/sync/shared-mailboxes.ts'
import { Syncer } from '../machine/sync/syncer.ts'
import type { Transport } from '../machine/transport/transport.ts'
import type { FederationService, PeerStatus } from '../surface/api/services.ts'
import { decodeAccountRow } from '../user/account/account-row.ts'

export interface SyncParts {
  readonly platform: CryptoPlatform
  readonly store: Store
  readonly mailboxes: Mailboxes
  readonly held: HeldRecords
  readonly trusted: TrustedPeers
  readonly federation: Pick<FederationService, 'remove'>
  readonly transport: Transport
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly log: Log
}

/** Mailboxes that one peer's status names. */
const toldMailboxesMax = 1000
/** What a peer has to take what it lacks in. */
const patienceMs = 10_000

/** Of a row that cannot be read, nothing is known that would let a mailbox go. */
function isAnnounced(row: Uint8Array): boolean {
  try {
    return decodeAccountRow(row).isAnnounced ?? false
  } catch {
    return false
  }
}

export interface Retiring {
  readonly directory: Pick<Directory, 'confirm'>
  readonly publisher: Pick<RecordPublisher, 'forget'>
}

export interface Sync {
  /** Brings a lost mailbox back. */
  readonly restorer: Restorer
  /** Begins to pull. */
  start(): void
  /** Begins to drop copies whose time is over. */
  retire(init: Retiring): Closeable
  /** See `Directory.isCovered`. */
  readonly isCovered: (mailbox: MailboxId) => Promise<boolean>
  /** See `Syncer.coveredBy`. */
  readonly coveredBy: (mailbox: MailboxId) => Promise<readonly PeerId[]>
  /** See `Syncer.givenTo`. */
  readonly givenTo: (peer: PeerId) => number | undefined
  /** See `Syncer.compare`. */
  compare(): void
  /** Bytes of other people's mailboxes that are kept for a peer. */
  readonly usedBytes: (peer: PeerId) => Promise<number>
  /** How copies stand, by peer; and the end of trust, once the peer has what is held for it. */
  readonly service: Pick<FederationService, 'status' | 'remove'>
}

/** Serves those who pull; pulls from nobody yet. `open` takes what it opens. */
export async function openSync(parts: SyncParts, open: CloseStack): Promise<Sync> {
  const { store, mailboxes, held, trusted, federation, transport, clock, log } = parts
  const { items } = store
  const self = transport.peerId
  const shared = open.add(await SharedMailboxes.open({ mailboxes, self, epoch: store.epoch, log }))
  const quotaBytes = (peer: PeerId) => trusted.get(peer)?.quotaBytes
  const room = new CopyRoom({ items, mailboxes, shared, self, clock, quotaBytes })
  const syncer = open.add(
    new Syncer({
      ...parts,
      items,
      shared,
      room,
      self,
      epoch: () => store.epoch,
      trusted: () => trusted.list().map(({ peerId }) => peerId),
    }),
  )
  transport.handle(syncProtocol, syncer.handler)
  trusted.watch(() => syncer.trustChanged())

  const roleOf = (hosts: readonly Host[], peer: PeerId) =>
    hosts.find(({ peerId }) => peerId === peer)?.role ?? 'former'
  const copies = async (peer: PeerId): Promise<PeerStatus['mailboxes']> => {
    const told = [...shared.with(peer).values()].slice(0, toldMailboxesMax)
    return Promise.all(
      told.map(async ({ mailbox }) => {
        const hosts = await mailboxes.hostsOf(mailbox)
        const bytes = items.usage(mailbox).reduce((sum, pool) => sum + pool.bytes, 0)
        return {
          mailbox: toHex(mailbox),
          here: roleOf(hosts, self),
          there: roleOf(hosts, peer),
          items: items.digest(mailbox).count,
          bytes,
        }
      }),
    )
  }
  const coveredBy = async (mailbox: MailboxId) => syncer.coveredBy(mailbox)
  const seconds = (ms: number | undefined) => (ms === undefined ? null : Math.round(ms / 1000))
  const status = async (): Promise<PeerStatus[]> => {
    const named = new Set([...trusted.list().map(({ peerId }) => peerId), ...shared.peers()])
    return Promise.all(
      Array.from(named, async (peerId) => {
        const { behind = null, pulledMsAgo, verifiedMsAgo } = syncer.state(peerId)
        const { name = null, quotaBytes = null } = trusted.get(peerId) ?? {}
        return {
          peerId,
          name,
          connected: transport.isConnected(peerId),
          quotaBytes,
          usedBytes: await room.used(peerId),
          behind,
          pulledSecondsAgo: seconds(pulledMsAgo),
          verifiedSecondsAgo: seconds(verifiedMsAgo),
          mailboxes: await copies(peerId),
        }
      }),
    )
  }
  const remove: FederationService['remove'] = async (nameOrPeerId, { anyway = false } = {}) => {
    const { peerId } = trusted.named(nameOrPeerId)
    if (!anyway && !(await syncer.handedOver(peerId, patienceMs))) {
      throw new AbzuError('ABZU_UNREACHABLE', 'the peer has not got all that is held for it')
    }
    return federation.remove(nameOrPeerId)
  }
  return {
    restorer: new Restorer({ ...parts, items }),
    isCovered: async (mailbox) => syncer.covered(mailbox, patienceMs),
    coveredBy,
    givenTo: (peer) => syncer.givenTo(peer),
    start: () => syncer.start(),
    retire: ({ directory, publisher }) => {
      const retirement = new Retirement({
        ...parts,
        items,
        table: store.table('copies'),
        epoch: () => store.epoch,
        self,
        isAtHome: (rootPk) => {
          const row = store.table('accounts').get(rootPk)
          return row !== undefined && !isAnnounced(row)
        },
        newest: async (mailbox) => held.newest(mailbox),
        confirm: async (mailbox) => directory.confirm(mailbox),
        coveredBy,
        dropped: (mailbox) => publisher.forget(mailbox),
      })
      retirement.start()
      return retirement
    },
    compare: () => syncer.compare(),
    usedBytes: async (peer) => room.used(peer),
    service: { status, remove },
  }
}
