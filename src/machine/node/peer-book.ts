/** Nodes that this one stays connected to, by the owner's word. Grants them nothing. @module */

import { machineKeyOf, parsePeerId, peerNamedBy } from '../../base/crypto/address.ts'
import type { Table } from '../../base/store/table.ts'
import type { PeerId } from '../../base/util/brand.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { encode } from '../../base/wire/codec.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import { decodeShape, list, literal, record, text } from '../../base/wire/shape.ts'
import type { Transport } from '../transport/transport.ts'

const rowShape = record({
  v: literal(1),
  peerId: text(64),
  addresses: list(text(wireLimits.addressBytesMax), wireLimits.addressesMax),
})

export interface PeerBookDeps {
  readonly table: Table
  readonly transport: Pick<Transport, 'keep' | 'peers' | 'peerId'>
}

export interface PeerView {
  readonly peerId: PeerId
  readonly address: string
  readonly direction: 'inbound' | 'outbound'
  /** This node stays connected to it. */
  readonly kept: boolean
}

const peersMax = 192

export class PeerBook {
  readonly #deps: PeerBookDeps
  readonly #kept = new Map<PeerId, readonly string[]>()

  constructor(deps: PeerBookDeps) {
    this.#deps = deps
  }

  /** Connects to every peer in the book, now and again. */
  async start(): Promise<void> {
    for await (const { value } of this.#deps.table.range({ limit: peersMax })) {
      const { peerId, addresses } = decodeShape(rowShape, value, 'peer row')
      this.#keep(parsePeerId(peerId), addresses)
    }
  }

  /** Writes a mesh address into the book and connects. Resolves after fsync.
   *  @throws {AbzuError} ABZU_ADDRESS_INVALID, ABZU_QUOTA_EXCEEDED, those of the store */
  async add(address: string): Promise<void> {
    const peerId = peerNamedBy(address)
    if (peerId === this.#deps.transport.peerId) {
      throw new AbzuError('ABZU_ADDRESS_INVALID', 'that is the address of this node')
    }
    const known = this.#kept.get(peerId) ?? []
    if (known.includes(address)) return
    if (this.#kept.size >= peersMax && known.length === 0) {
      throw new AbzuError('ABZU_QUOTA_EXCEEDED', `a node keeps at most ${peersMax} peers`)
    }
    const addresses = [address, ...known].slice(0, wireLimits.addressesMax)
    this.#keep(peerId, addresses)
    await this.#deps.table.put(machineKeyOf(peerId), encode({ v: 1, peerId, addresses }))
  }

  /** Dials at once whoever is not connected: what stood in the way may be gone. */
  wake(): void {
    for (const [peerId, addresses] of this.#kept) this.#keep(peerId, addresses)
  }

  /** Whether this node stays connected to a peer. */
  keeps(peerId: PeerId): boolean {
    return this.#kept.has(peerId)
  }

  /** Where a peer that this node stays connected to is dialled; none where it is not kept. */
  addressesOf(peerId: PeerId): readonly string[] {
    return this.#kept.get(peerId) ?? []
  }

  /** Who is connected now. */
  list(): PeerView[] {
    return this.#deps.transport
      .peers()
      .map((peer) => ({ ...peer, kept: this.#kept.has(peer.peerId) }))
  }

  #keep(peerId: PeerId, addresses: readonly string[]): void {
    this.#deps.transport.keep(peerId, addresses)
    this.#kept.set(peerId, addresses)
  }
}
