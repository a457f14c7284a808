import type { ItemStore } from '../../base/store/item-store.ts'
import type { MailboxId, PeerId } from '../../base/util/brand.ts'
import type { Clock } from '../../base/util/clock.ts'
import type { Host } from '../../base/wire/records.ts'
import type { Mailboxes } from '../mailbox/mailboxes.ts'
import type { SharedMailboxes } from './shared-mailboxes.ts'

export interface CopyRoomDeps {
  readonly items: Pick<ItemStore, 'usage'>
  readonly mailboxes: Pick<Mailboxes, 'rootOf' | 'hostsOf'>
  readonly shared: Pick<SharedMailboxes, 'with'>
  readonly self: PeerId
  readonly clock: Pick<Clock, 'monotonicMs'>
  /** Bytes that this node keeps for a peer by its owner's word; undefined for a peer that it does not trust. */
  readonly quotaBytes: (peer: PeerId) => number | undefined
}

/** For a host that an account has named, and with which this node's owner has made no agreement. */
const untrustedBytesMax = 1024 * 1024 * 1024
/** How long a count is believed. */
const countedMs = 1000

interface Count {
  bytes: number
  readonly atMs: number
}

/** How much of other people's mailboxes this node keeps for whom. An account that lives here has what it needs. */
export class CopyRoom {
  readonly #deps: CopyRoomDeps
  readonly #counts = new Map<PeerId, Count>()

  constructor(deps: CopyRoomDeps) {
    this.#deps = deps
  }

  /** Bytes that may still come from a peer into a mailbox; 0 where it is not to be held for it at all. */
  async left(peer: PeerId, mailbox: MailboxId): Promise<number> {
    const { mailboxes, quotaBytes } = this.#deps
    const isHere = mailboxes.rootOf(mailbox) !== undefined
    if (isHere && this.#isHome(await mailboxes.hostsOf(mailbox))) return Infinity
    const quota = quotaBytes(peer) ?? (isHere ? untrustedBytesMax : 0)
    return Math.max(0, quota - (await this.used(peer)))
  }

  /** So much has just been taken. */
  taken(peer: PeerId, bytes: number): void {
    const count = this.#counts.get(peer)
    if (count) count.bytes += bytes
  }

  /** Bytes of mailboxes that this node shares with a peer and that are not at home here. */
  async used(peer: PeerId): Promise<number> {
    const { items, mailboxes, shared, clock } = this.#deps
    const atMs = clock.monotonicMs()
    const known = this.#counts.get(peer)
    if (known && atMs - known.atMs < countedMs) return known.bytes
    let bytes = 0
    for (const { mailbox } of shared.with(peer).values()) {
      if (this.#isHome(await mailboxes.hostsOf(mailbox))) continue
      for (const pool of items.usage(mailbox)) bytes += pool.bytes
    }
    this.#counts.set(peer, { bytes, atMs })
    return bytes
  }

  #isHome(hosts: readonly Host[]): boolean {
    return hosts.some(({ peerId, role }) => peerId === this.#deps.self && role === 'home')
  }
}
