/**
 * Routing by kad-dht, and nothing else of it: its values and providers have no place to be stored in, its
 * addresses are filtered, and what it hears is kept within bounds.
 * @see docs/adr/0010-kad-routes-our-protocol-stores.md
 * @module
 */

import {
  peerRoutingSymbol,
  type PeerId as Libp2pPeerId,
  type PeerInfo,
  type PeerRouting,
  type Startable,
  type TypedEventTarget,
} from '@libp2p/interface'
import { kadDHT, passthroughMapper, type KadDHTComponents } from '@libp2p/kad-dht'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import type { PeerId } from '../../base/util/brand.ts'
import type { Clock } from '../../base/util/clock.ts'
import { compareBytes } from '../../base/util/bytes.ts'
import { setNewest } from '../../base/util/newest.ts'
import { routingProtocol } from '../../base/wire/protocols.ts'
import { dialAddressesOf } from './addresses.ts'
import { HeardPeers } from './heard-peers.ts'
import type { MeshPeer, MeshRouting } from './mesh-routing.ts'
import type { TransportLimits } from './transport-limits.ts'
import { voidDatastore } from './void-datastore.ts'

export interface KadRoutingDeps {
  readonly limits: TransportLimits
  /** Those of addresses that strangers told which may be dialled. */
  readonly dialable: (addresses: readonly string[]) => string[]
  /** As libp2p hashes keys and peer ids for their place in the mesh. */
  readonly sha256: (bytes: Uint8Array) => Uint8Array
  readonly clock: Pick<Clock, 'monotonicMs'>
}

const retryMs = 60_000

/** What kad-dht has beside its declared interface. */
interface Kad extends Startable, TypedEventTarget<{ peer: CustomEvent<PeerInfo> }> {
  readonly routingTable: { closestPeers(kadId: Uint8Array): Libp2pPeerId[] } & TypedEventTarget<{
    'peer:add': CustomEvent<Libp2pPeerId>
    'peer:remove': CustomEvent<Libp2pPeerId>
  }>
  /** Called with whom it has heard of: it pings and, where that is answered, enters them into the table. */
  onPeerConnect(peer: PeerInfo): Promise<void>
  getClosestPeers: ReturnType<ReturnType<typeof kadDHT>>['getClosestPeers']
  findPeer: ReturnType<ReturnType<typeof kadDHT>>['findPeer']
}

async function refuse(): Promise<never> {
  throw new Error('records travel by another protocol')
}

/** A libp2p service: the daemon's place in its private mesh. */
export class KadRouting implements MeshRouting, Startable {
  readonly #deps: KadRoutingDeps
  readonly #components: Pick<KadDHTComponents, 'peerId' | 'peerStore' | 'connectionManager'>
  readonly #kad: Kad
  readonly #heard: HeardPeers
  /** Whose addresses libp2p keeps although they are not connected. */
  readonly #routed = new Set<string>()
  /** Monotonic, ms: when somebody heard of was last dialled to see whether it is there. */
  readonly #triedAtMs = new Map<PeerId, number>()

  constructor(components: KadDHTComponents, deps: KadRoutingDeps) {
    const { limits } = deps
    this.#deps = deps
    this.#components = components
    this.#heard = new HeardPeers({ peersMax: limits.heardPeersMax })
    const patience = { minTimeout: limits.lookupAnswerMs, maxTimeout: limits.lookupAnswerMs }
    const create = kadDHT({
      protocol: routingProtocol.id,
      clientMode: false,
      kBucketSize: limits.meshNearestMax,
      alpha: limits.lookupParallelMax,
      peerInfoMapper: passthroughMapper,
      allowQueryWithZeroPeers: true,
      validators: { pk: refuse },
      maxInboundStreams: routingProtocol.streamsMax,
      maxOutboundStreams: routingProtocol.streamsMax,
      networkDialTimeout: patience,
      pingNewContactTimeout: patience,
      pingOldContactTimeout: patience,
      routingTableUpdateMaxQueueSize: limits.heardPeersMax,
    })
    const kadComponents = Object.create(components, {
      datastore: { value: voidDatastore },
    }) as KadDHTComponents
    this.#kad = create(kadComponents) as unknown as Kad
    const enter = this.#kad.onPeerConnect.bind(this.#kad)
    this.#kad.onPeerConnect = async (peer) => {
      if (this.#isNews(peer)) await enter(peer)
    }
    this.#kad.addEventListener('peer', ({ detail }) => this.#hear(detail))
    const { routingTable } = this.#kad
    routingTable.addEventListener('peer:add', ({ detail }) => {
      this.#routed.add(detail.toString())
    })
    routingTable.addEventListener('peer:remove', ({ detail }) => {
      this.#routed.delete(detail.toString())
      const isConnected = components.connectionManager.getConnections(detail).length > 0
      if (!isConnected) void components.peerStore.delete(detail).catch(() => undefined)
    })
  }

  readonly [Symbol.toStringTag] = '@abzu/kad-routing'

  /** libp2p asks this where it is to dial a peer whose addresses it does not have. */
  get [peerRoutingSymbol](): PeerRouting {
    return {
      findPeer: async (id) => {
        const heard = this.#heard.addresses(id.toString() as PeerId)
        return { id, multiaddrs: heard.map((address) => multiaddr(address)) }
      },
      async *getClosestPeers() {},
    }
  }

  async start(): Promise<void> {
    await this.#kad.start()
  }

  async stop(): Promise<void> {
    await this.#kad.stop()
  }

  /** Whether the peer takes part in routing, so that its addresses are to be kept. */
  isRouted(peerId: Libp2pPeerId): boolean {
    return this.#routed.has(peerId.toString())
  }

  async known(key: Uint8Array): Promise<MeshPeer[]> {
    const peers = this.#kad.routingTable.closestPeers(this.#deps.sha256(key))
    return Promise.all(peers.map(async (peer) => this.#withAddresses(peer)))
  }

  async closest(key: Uint8Array, signal: AbortSignal): Promise<MeshPeer[]> {
    const answered = new Map<string, Libp2pPeerId>()
    const named = new Map<string, Libp2pPeerId>()
    try {
      for await (const event of this.#kad.getClosestPeers(key, { signal })) {
        if (event.name !== 'PEER_RESPONSE') continue
        answered.set(event.from.toString(), event.from)
        for (const { id } of event.closer.slice(0, this.#deps.limits.meshNearestMax)) {
          if (!id.equals(this.#components.peerId)) named.set(id.toString(), id)
        }
      }
    } catch (error) {
      // the lookup was cut short: who answered so far counts
      if (!(error instanceof Error)) throw error
    }
    for (const text of answered.keys()) named.delete(text)
    const target = this.#deps.sha256(key)
    // who names others may name machines that are not there: each sort has its own places
    const both = [...this.#nearest(answered, target), ...this.#nearest(named, target)]
    const ranked = both.toSorted((a, b) => compareBytes(a.from, b.from))
    const peers = await Promise.all(ranked.map(async ({ peer }) => this.#withAddresses(peer)))
    return peers.filter(({ peerId, addresses }) => answered.has(peerId) || addresses.length > 0)
  }

  #nearest(
    peers: ReadonlyMap<string, Libp2pPeerId>,
    target: Uint8Array,
  ): { peer: Libp2pPeerId; from: Uint8Array }[] {
    return [...peers.values()]
      .map((peer) => ({ peer, from: this.#distance(peer, target) }))
      .toSorted((a, b) => compareBytes(a.from, b.from))
      .slice(0, this.#deps.limits.meshNearestMax)
  }

  async isNear(key: Uint8Array): Promise<boolean> {
    const target = this.#deps.sha256(key)
    const others = this.#kad.routingTable.closestPeers(target)
    const furthest = others[this.#deps.limits.meshNearestMax - 1]
    if (!furthest) return true
    const own = this.#distance(this.#components.peerId, target)
    return compareBytes(own, this.#distance(furthest, target)) < 0
  }

  async locate(peerId: PeerId, signal: AbortSignal): Promise<string[]> {
    const id = peerIdFromString(peerId)
    try {
      for await (const event of this.#kad.findPeer(id, { signal, useCache: false })) {
        if (event.name !== 'FINAL_PEER') continue
        const addresses = this.#dialable(event.peer)
        if (addresses.length > 0) return addresses
      }
    } catch (error) {
      // nobody knows it
      if (!(error instanceof Error)) throw error
    }
    return []
  }

  async connected(): Promise<MeshPeer[]> {
    const { connectionManager } = this.#components
    const routed = [...this.#routed].map((text) => peerIdFromString(text))
    const alive = routed.filter((peer) => connectionManager.getConnections(peer).length > 0)
    return Promise.all(alive.map(async (peer) => this.#withAddresses(peer)))
  }

  async #withAddresses(peer: Libp2pPeerId): Promise<MeshPeer> {
    const peerId = peer.toString() as PeerId
    const heard = this.#heard.addresses(peerId)
    try {
      const { multiaddrs } = await this.#components.peerStore.getInfo(peer)
      const addresses = this.#dialable({ id: peer, multiaddrs })
      return { peerId, addresses: addresses.length > 0 ? addresses : heard }
    } catch {
      return { peerId, addresses: heard }
    }
  }

  /** Each answer of a lookup names some twenty peers: who is in the table, or was tried a moment ago, is none to
   *  ping again. */
  #isNews({ id }: PeerInfo): boolean {
    const isConnected = this.#components.connectionManager.getConnections(id).length > 0
    if (this.isRouted(id)) return false
    if (isConnected) return true
    const peerId = id.toString() as PeerId
    const nowMs = this.#deps.clock.monotonicMs()
    if (nowMs - (this.#triedAtMs.get(peerId) ?? Number.NEGATIVE_INFINITY) < retryMs) return false
    setNewest(this.#triedAtMs, [peerId, nowMs], this.#deps.limits.heardPeersMax)
    return true
  }

  #distance(peer: Libp2pPeerId, target: Uint8Array): Uint8Array {
    const place = this.#deps.sha256(peer.toMultihash().bytes)
    return place.map((byte, at) => byte ^ (target[at] as number))
  }

  #hear(peer: PeerInfo): void {
    const addresses = this.#dialable(peer)
    if (addresses.length > 0) this.#heard.hear(peer.id.toString() as PeerId, addresses)
  }

  #dialable({ id, multiaddrs }: PeerInfo): string[] {
    const peerId = id.toString() as PeerId
    const told = multiaddrs.slice(0, this.#deps.limits.dialAddressesMax).map(String)
    const whole = told.map((text) => (text.includes('/p2p/') ? text : `${text}/p2p/${peerId}`))
    return this.#deps.dialable(dialAddressesOf(peerId, whole))
  }
}
