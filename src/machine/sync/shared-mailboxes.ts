import { addId, addSum, emptySum, readSum, sumBytes } from '../../base/store/id-sum.ts'
import type { ItemStore } from '../../base/store/item-store.ts'
import { asBuffer } from '../../base/store/row.ts'
import type { MailboxId, PeerId } from '../../base/util/brand.ts'
import { mapKey } from '../../base/util/bytes.ts'
import type { Cancel } from '../../base/util/clock.ts'
import { toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import { Watchers } from '../../base/util/watchers.ts'
import type { Host } from '../../base/wire/records.ts'
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

interface SharedAs extends SharedMailbox {
  /** The other node is a host no more, and only hands over what it has. */
  readonly isLeaving: boolean
}

export type SharedSet = ReadonlyMap<string, SharedMailbox>

const nothing: SharedSet = new Map()

/** Which mailboxes this node shares with whom: those whose newest record here names both as hosts. Grants nothing
 *  to who is named in no record. */
export class SharedMailboxes {
  readonly #deps: SharedMailboxesDeps
  readonly #byPeer = new Map<PeerId, Map<string, SharedAs>>()
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

  /** Those of which a peer is given what it lacks: not those that it has left. */
  offeredTo(peer: PeerId): SharedSet {
    const all = [...(this.#byPeer.get(peer) ?? [])]
    return new Map(all.filter(([, { isLeaving }]) => !isLeaving))
  }

  /** Whether a peer is given what it lacks of a mailbox. */
  isOffered(peer: PeerId, mailbox: MailboxId): boolean {
    return this.#byPeer.get(peer)?.get(mapKey(mailbox))?.isLeaving === false
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
      const roles = new Map(others.map(({ peerId, role }) => [peerId as PeerId, role]))
      this.#set(mailbox, rootPk, roles)
    } catch (error) {
      log.error('record-unreadable', { error: toAbzuError(error) })
    }
  }

  #set(
    mailbox: MailboxId,
    rootPk: Uint8Array = new Uint8Array(),
    roles: ReadonlyMap<PeerId, Host['role']>,
  ): void {
    const key = mapKey(mailbox)
    const peers = [...roles.keys()]
    const before = this.#peersOf.get(key) ?? []
    if (peers.length > 0) this.#peersOf.set(key, peers)
    else this.#peersOf.delete(key)
    const gone = before.filter((peer) => !peers.includes(peer))
    const isLeaving = (peer: PeerId): boolean => roles.get(peer) === 'former'
    const come = peers.filter(
      (peer) => this.#byPeer.get(peer)?.get(key)?.isLeaving !== isLeaving(peer),
    )
    for (const peer of gone) {
      const set = this.#byPeer.get(peer)
      set?.delete(key)
      if (set?.size !== 0) continue
      this.#byPeer.delete(peer)
      this.#addresses.delete(peer)
    }
    for (const peer of come) {
      const set = this.#byPeer.get(peer) ?? new Map<string, SharedAs>()
      const shared = { mailbox, rootPk, isLeaving: isLeaving(peer) }
      this.#byPeer.set(peer, set.set(key, shared))
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
