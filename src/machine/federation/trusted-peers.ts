/**
 * Nodes whose owners and this one's have agreed to keep sealed copies for each other. Connections to them are
 * kept for ever and have places that strangers cannot take; whoever is not listed here is a stranger.
 * @see docs/protocol.md#pairing
 * @module
 */

import { machineKeyOf, parsePeerId } from '../../base/crypto/address.ts'
import type { Store } from '../../base/store/store.ts'
import type { RowChange } from '../../base/store/table.ts'
import type { PeerId } from '../../base/util/brand.ts'
import type { Cancel, Clock } from '../../base/util/clock.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { foldedName } from '../../base/util/folded-name.ts'
import { Listeners } from '../../base/util/listeners.ts'
import { Turns } from '../../base/util/turns.ts'
import { encode } from '../../base/wire/codec.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import { decodeShape, list, literal, optional, record, text, uint } from '../../base/wire/shape.ts'
import { dialAddressesOf } from '../transport/addresses.ts'
import type { Transport } from '../transport/transport.ts'
import type { FederationLimits } from './federation-limits.ts'

/** A node that this one trusts, and that trusts it. */
export interface TrustedPeer {
  readonly peerId: PeerId
  /** What the owner of this node calls it. */
  readonly name: string
  /** Bytes that this node keeps for it. */
  readonly quotaBytes: number
  /** Bytes that it keeps for this node, as it said when they were paired. */
  readonly grantedBytes: number
  /** Without the peer id. */
  readonly addresses: readonly string[]
  readonly sinceMs: number
}

export interface TrustedPeersDeps {
  readonly store: Pick<Store, 'table' | 'commit'>
  readonly transport: Pick<Transport, 'keep' | 'release'>
  /** Where else than here a connection to a peer is kept, with the peer id: none where it is not. */
  readonly keptElsewhere: (peerId: PeerId) => readonly string[]
  readonly limits: Pick<FederationLimits, 'trustedPeersMax' | 'partedPeersMax'>
  readonly clock: Pick<Clock, 'nowMs'>
}

const table = 'trusted-peers'

const rowShape = record({
  v: literal(1),
  name: text(wireLimits.nameBytesMax),
  quotaBytes: uint(wireLimits.quotaBytesMax),
  grantedBytes: uint(wireLimits.quotaBytesMax),
  peerId: text(64),
  addresses: list(text(wireLimits.addressBytesMax), wireLimits.addressesMax),
  sinceMs: uint(),
  /** It is trusted no more since then. */
  partedMs: optional(uint()),
})

export class TrustedPeers {
  readonly #deps: TrustedPeersDeps
  readonly #peers = new Map<PeerId, TrustedPeer>()
  /** Trusted once: accounts that are locked name them still. Longest ago first. */
  readonly #parted = new Map<PeerId, number>()
  readonly #turns = new Turns()
  readonly #listeners = new Listeners()
  #isStarted = false

  private constructor(deps: TrustedPeersDeps) {
    this.#deps = deps
  }

  /** Reads the table; connects to nobody yet.
   *  @throws {AbzuError} those of the store */
  static async open(deps: TrustedPeersDeps): Promise<TrustedPeers> {
    const peers = new TrustedPeers(deps)
    const limit = deps.limits.trustedPeersMax + deps.limits.partedPeersMax
    const parted: [PeerId, number][] = []
    for await (const { value } of deps.store.table(table).range({ limit })) {
      const { v: _, partedMs, ...row } = decodeShape(rowShape, value, 'trusted peer')
      const peer = { ...row, peerId: parsePeerId(row.peerId) }
      if (partedMs === undefined) peers.#peers.set(peer.peerId, peer)
      else parted.push([peer.peerId, partedMs])
    }
    for (const [peerId, ms] of parted.toSorted(([, a], [, b]) => a - b)) {
      peers.#parted.set(peerId, ms)
    }
    return peers
  }

  /** Connects to all of them, now and again. */
  start(): void {
    this.#isStarted = true
    this.wake()
  }

  /** Dials at once whoever is not connected: what stood in the way may be gone. */
  wake(): void {
    for (const peer of this.#peers.values()) this.#keep(peer)
  }

  /** All of them, by name. */
  list(): readonly TrustedPeer[] {
    return [...this.#peers.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  get(peerId: PeerId): TrustedPeer | undefined {
    return this.#peers.get(peerId)
  }

  /** @throws {AbzuError} ABZU_NOT_FOUND */
  named(nameOrPeerId: string): TrustedPeer {
    const found = this.#peers.get(nameOrPeerId as PeerId) ?? this.#ofName(nameOrPeerId)
    if (found) return found
    throw new AbzuError('ABZU_NOT_FOUND', `no trusted peer ${nameOrPeerId}`)
  }

  /** Whether another peer than `peerId` has this name, or one that looks like it. */
  isTaken(name: string, peerId: PeerId): boolean {
    const holder = this.#ofName(name)
    return holder !== undefined && holder.peerId !== peerId
  }

  /** Whether it was trusted once and is no more. */
  hasParted(peerId: PeerId): boolean {
    return this.#parted.has(peerId)
  }

  /** Calls `listener` after a peer was added, changed or removed, when that is durable. It must not throw. */
  watch(listener: () => void): Cancel {
    return this.#listeners.add('', listener)
  }

  /** Adds a peer, or replaces what is known of it, connects, and writes `alongside` in the same commit. Resolves
   *  after fsync.
   *  @throws {AbzuError} ABZU_ALREADY_EXISTS where another peer has the name, ABZU_QUOTA_EXCEEDED, those of the
   *  store */
  async add(peer: TrustedPeer, alongside: readonly RowChange[] = []): Promise<void> {
    await this.#turns.run('', async () => {
      this.expectRoom(peer)
      const { peerId } = peer
      await this.#deps.store.commit([rowOf(peer), ...alongside])
      this.#peers.set(peerId, peer)
      this.#parted.delete(peerId)
      if (this.#isStarted) this.#keep(peer)
    })
    this.#listeners.tell('')
  }

  /** Keeps another number of bytes for a peer from now on; what is here stays. Resolves after fsync to the peer.
   *  @throws {AbzuError} ABZU_NOT_FOUND, those of the store */
  async setQuota(nameOrPeerId: string, quotaBytes: number): Promise<TrustedPeer> {
    const { peerId } = this.named(nameOrPeerId)
    const changed = await this.#turns.run('', async () => {
      const peer = { ...this.named(peerId), quotaBytes }
      await this.#deps.store.commit([rowOf(peer)])
      this.#peers.set(peerId, peer)
      return peer
    })
    this.#listeners.tell('')
    return changed
  }

  /** Trusts a peer no more; a living connection stays. One that is not here is no error. Resolves after fsync.
   *  @throws {AbzuError} those of the store */
  async remove(peerId: PeerId): Promise<void> {
    const isRemoved = await this.#turns.run('', async () => {
      const peer = this.#peers.get(peerId)
      if (!peer) return false
      const { store, transport, keptElsewhere, clock } = this.#deps
      const partedMs = clock.nowMs()
      await store.commit([rowOf({ ...peer, partedMs }), ...this.#forgotten()])
      this.#peers.delete(peerId)
      this.#parted.set(peerId, partedMs)
      const elsewhere = keptElsewhere(peerId)
      if (elsewhere.length === 0) transport.release(peerId)
      else transport.keep(peerId, elsewhere)
      return true
    })
    if (isRemoved) this.#listeners.tell('')
  }

  /** What `add` would refuse, before anything is done.
   *  @throws {AbzuError} ABZU_ALREADY_EXISTS, ABZU_QUOTA_EXCEEDED */
  expectRoom({ peerId, name }: { peerId: PeerId; name?: string | undefined }): void {
    const { trustedPeersMax } = this.#deps.limits
    if (!this.#peers.has(peerId) && this.#peers.size >= trustedPeersMax) {
      throw new AbzuError('ABZU_QUOTA_EXCEEDED', `a node trusts at most ${trustedPeersMax} others`)
    }
    if (name !== undefined && this.isTaken(name, peerId)) {
      throw new AbzuError('ABZU_ALREADY_EXISTS', `there is a trusted peer ${name}`)
    }
  }

  /** Makes room for one more that has parted. */
  #forgotten(): RowChange[] {
    const rows: RowChange[] = []
    while (this.#parted.size >= this.#deps.limits.partedPeersMax) {
      const [oldest] = this.#parted.keys()
      if (!oldest) break
      this.#parted.delete(oldest)
      rows.push({ table, key: machineKeyOf(oldest), value: undefined })
    }
    return rows
  }

  #ofName(name: string): TrustedPeer | undefined {
    const wanted = foldedName(name)
    return [...this.#peers.values()].find((peer) => foldedName(peer.name) === wanted)
  }

  /** One that told no address that can be dialled has its place all the same, and calls itself. */
  #keep({ peerId, addresses }: TrustedPeer): void {
    const { transport, keptElsewhere } = this.#deps
    const told = addresses.map((address) => `${address}/p2p/${peerId}`)
    const dialable = dialAddressesOf(peerId, [...keptElsewhere(peerId), ...told])
    transport.keep(peerId, dialable)
  }
}

function rowOf(peer: TrustedPeer & { readonly partedMs?: number }): RowChange {
  const { peerId, name, quotaBytes, grantedBytes, addresses, sinceMs, partedMs } = peer
  const parted = partedMs === undefined ? {} : { partedMs }
  const fields = { name, quotaBytes, grantedBytes, peerId, addresses, sinceMs, ...parted }
  const value = encode(rowShape({ v: 1, ...fields }, 'trusted peer'))
  return { table, key: machineKeyOf(peerId), value }
}
