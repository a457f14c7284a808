import { addId, addSum, emptySum, readSum, sumBytes } from '../../base/store/id-sum.ts'
import type { ItemStore } from '../../base/store/item-store.ts'
import { asBuffer } from '../../base/store/row.ts'
import type { MailboxId, PeerId } from '../../base/util/brand.ts'
import { mapKey } from '../../base/util/bytes.ts'
import type { Cancel } from '../../base/util/clock.ts'
import { toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import { Watchers } from '../../base/util/watchers.ts'
import type { SetSum } from '../../base/wire/sync.ts'
import type { Mailboxes } from '../mailbox/mailboxes.ts'
import { dialAddresses } from '../node/directory.ts'

export interface SharedMailboxesDeps {
  readonly mailboxes: Pick<Mailboxes, 'copied' | 'hostsOf' | 'rootOf' | 'watchRecords'>
  readonly self: PeerId
  /** Of the store that the mailboxes are in. */
  readonly epoch: Uint8Array
  readonly log: Log
}

/** A mailbox of which two nodes have copies. */
export interface SharedMailbox {
  readonly mailbox: MailboxId
  /** Of its account, 32 bytes. */
  readonly rootPk: Uint8Array
}

export type SharedSet = ReadonlyMap<string, SharedMailbox>

const nothing: SharedSet = new Map()

/** Which mailboxes this node shares with whom: those whose newest record here names both as hosts. Grants nothing
 *  to who is named in no record. */
export class SharedMailboxes {
  readonly #deps: SharedMailboxesDeps
  readonly #byPeer = new Map<PeerId, Map<string, SharedMailbox>>()
  readonly #peersOf = new Map<string, readonly PeerId[]>()
  readonly #addresses = new Map<PeerId, readonly string[]>()
  readonly #watchers = new Watchers<PeerId>()
  readonly #stopWatching: Cancel
  readonly #reading = new Set<Promise<void>>()

  /** Reads the record of every mailbox that has a copy elsewhere. */
  static async open(deps: SharedMailboxesDeps): Promise<SharedMailboxes> {
    const shared = new SharedMailboxes(deps)
    for await (const mailbox of deps.mailboxes.copied.all(deps.epoch)) await shared.#read(mailbox)
    return shared
  }

  private constructor(deps: SharedMailboxesDeps) {
    this.#deps = deps
    this.#stopWatching = deps.mailboxes.watchRecords((mailbox) => {
      const reading = this.#read(mailbox).finally(() => this.#reading.delete(reading))
      this.#reading.add(reading)
    })
  }

  close(): void {
    this.#stopWatching()
  }

  /** By the mailbox as the key of a map; a live view. */
  with(peer: PeerId): SharedSet {
    return this.#byPeer.get(peer) ?? nothing
  }

  /** Resolves when every record that has changed is taken into account. */
  async settled(): Promise<void> {
    await Promise.all(this.#reading)
  }

  /** With whom anything is shared. */
  peers(): PeerId[] {
    return [...this.#byPeer.keys()]
  }

  /** Where a peer may be reached, by the record that was read last. */
  addressesOf(peer: PeerId): readonly string[] {
    return this.#addresses.get(peer) ?? []
  }

  /** Calls `listener`, which must not throw, with each peer with whom another set is shared now. */
  watch(listener: (peer: PeerId) => void): Cancel {
    return this.#watchers.add(listener)
  }

  async #read(mailbox: MailboxId): Promise<void> {
    const { mailboxes, self, log } = this.#deps
    try {
      const hosts = await mailboxes.hostsOf(mailbox)
      const rootPk = mailboxes.rootOf(mailbox)
      const isShared = rootPk && hosts.some(({ peerId }) => peerId === self)
      const others = isShared ? hosts.filter(({ peerId }) => peerId !== self) : []
      for (const host of others) this.#addresses.set(host.peerId as PeerId, dialAddresses(host))
      this.#set(mailbox, rootPk, [...new Set(others.map(({ peerId }) => peerId as PeerId))])
    } catch (error) {
      log.error('record-unreadable', { error: toAbzuError(error) })
    }
  }

  #set(mailbox: MailboxId, rootPk: Uint8Array = new Uint8Array(), peers: readonly PeerId[]): void {
    const key = mapKey(mailbox)
    const before = this.#peersOf.get(key) ?? []
    if (peers.length > 0) this.#peersOf.set(key, peers)
    else this.#peersOf.delete(key)
    const gone = before.filter((peer) => !peers.includes(peer))
    const come = peers.filter((peer) => !before.includes(peer))
    for (const peer of gone) {
      const set = this.#byPeer.get(peer)
      set?.delete(key)
      if (set?.size !== 0) continue
      this.#byPeer.delete(peer)
      this.#addresses.delete(peer)
    }
    for (const peer of come) {
      const set = this.#byPeer.get(peer) ?? new Map<string, SharedMailbox>()
      this.#byPeer.set(peer, set.set(key, { mailbox, rootPk }))
    }
    for (const peer of [...gone, ...come]) this.#watchers.tell(peer)
  }
}

/** The sum by which two nodes compare which mailboxes they share. */
export function sumOfSet(mailboxes: Iterable<Pick<SharedMailbox, 'mailbox'>>): SetSum {
  const sum = emptySum()
  for (const { mailbox } of mailboxes) addId(sum, mailbox)
  return { count: sum.count, sum: sumBytes(sum) }
}

/** The sum by which two nodes compare what they hold of these mailboxes.
 *  @throws {AbzuError} ABZU_STORE_DAMAGED */
export function sumOfItems(
  items: Pick<ItemStore, 'digest'>,
  mailboxes: Iterable<Pick<SharedMailbox, 'mailbox'>>,
): SetSum {
  const all = emptySum()
  for (const { mailbox } of mailboxes) {
    const { count, sum } = items.digest(mailbox)
    addSum(all, readSum(count, asBuffer(sum), 0))
  }
  return { count: all.count, sum: sumBytes(all) }
}
