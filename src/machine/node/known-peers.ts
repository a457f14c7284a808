/** Peers of earlier days: where this node once reached somebody, it may again. Grants them nothing. @module */

import { machineKeyOf, parsePeerId } from '../../base/crypto/address.ts'
import type { RowChange, Table, TableName } from '../../base/store/table.ts'
import type { PeerId } from '../../base/util/brand.ts'
import type { Clock } from '../../base/util/clock.ts'
import { toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import { encode } from '../../base/wire/codec.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import { decodeShape, list, literal, record, text, uint } from '../../base/wire/shape.ts'

const rowShape = record({
  v: literal(1),
  peerId: text(64),
  addresses: list(text(wireLimits.addressBytesMax), wireLimits.addressesMax),
  /** Wall clock, ms: whom to forget first. */
  seenAtMs: uint(),
})

export interface KnownPeersDeps {
  readonly store: {
    table(name: TableName): Table
    commit(rows: readonly RowChange[]): Promise<void>
  }
  readonly clock: Pick<Clock, 'nowMs'>
  readonly log: Log
}

export interface KnownPeer {
  readonly peerId: PeerId
  readonly addresses: readonly string[]
}

const knownPeersMax = 64
/** A peer that comes and goes costs a write a day. */
const freshMs = 86_400_000

export class KnownPeers {
  readonly #deps: KnownPeersDeps
  readonly #table: Table
  readonly #known = new Map<PeerId, KnownPeer & { readonly seenAtMs: number }>()

  private constructor(deps: KnownPeersDeps) {
    this.#deps = deps
    this.#table = deps.store.table('known-peers')
  }

  static async open(deps: KnownPeersDeps): Promise<KnownPeers> {
    const peers = new KnownPeers(deps)
    for await (const { value } of peers.#table.range({ limit: knownPeersMax })) {
      const { peerId, addresses, seenAtMs } = decodeShape(rowShape, value, 'known peer row')
      peers.#known.set(parsePeerId(peerId), { peerId: parsePeerId(peerId), addresses, seenAtMs })
    }
    return peers
  }

  /** Seen last first. */
  list(): KnownPeer[] {
    return [...this.#known.values()].toSorted((a, b) => b.seenAtMs - a.seenAtMs)
  }

  /** Remembers where a peer was reached. Resolves after fsync; a write that fails is logged, since nothing
   *  depends on it. */
  async remember(peerId: PeerId, address: string): Promise<void> {
    const seenAtMs = Math.max(0, Math.floor(this.#deps.clock.nowMs()))
    const known = this.#known.get(peerId)
    const isFresh = known !== undefined && Math.abs(seenAtMs - known.seenAtMs) < freshMs
    if (isFresh && known.addresses[0] === address) return
    const earlier = known?.addresses.filter((other) => other !== address) ?? []
    const addresses = [address, ...earlier].slice(0, wireLimits.addressesMax)
    this.#known.set(peerId, { peerId, addresses, seenAtMs })
    const { name } = this.#table
    const rows: RowChange[] = [
      {
        table: name,
        key: machineKeyOf(peerId),
        value: encode({ v: 1, peerId, addresses, seenAtMs }),
      },
    ]
    for (const { peerId: oldest } of this.list().slice(knownPeersMax)) {
      this.#known.delete(oldest)
      rows.push({ table: name, key: machineKeyOf(oldest), value: undefined })
    }
    try {
      await this.#deps.store.commit(rows)
    } catch (error) {
      this.#deps.log.warn('peer-not-remembered', { error: toAbzuError(error) })
    }
  }
}
