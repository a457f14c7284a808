/** The transport over libp2p: TCP with noise and yamux, QUIC. Its types stay in this folder. @module */

import type { Connection, Stream } from '@libp2p/interface'
import type { PeerId } from '../../base/util/brand.ts'
import type { Cancel, Clock, Scheduler } from '../../base/util/clock.ts'
import {
  AbzuError,
  assert,
  isAbzuError,
  toAbzuError,
  type ErrorCode,
} from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import { withDeadline, withTimeout } from '../../base/util/wait.ts'
import type { Protocol } from '../../base/wire/protocols.ts'
import { addressScope } from './address-scope.ts'
import { dialAddressesOf, inOrderOfUse, neighbourOf, parseDialAddress } from './addresses.ts'
import type { Dialer } from './dialer.ts'
import type { FrameStream } from './frame-stream.ts'
import type { Libp2pMetrics } from './libp2p-metrics.ts'
import type { Libp2pNode } from './libp2p-node.ts'
import { Libp2pPipe } from './libp2p-pipe.ts'
import type { MeshRouting } from './mesh-routing.ts'
import { PipeFrameStream } from './pipe-frame-stream.ts'
import type { ImportQuic } from './quic.ts'
import type { Reconnector } from './reconnect.ts'
import { StreamServer } from './serve.ts'
import { isViolation, type Standing } from './standing.ts'
import { StreamOpener } from './stream-opener.ts'
import { StreamToll } from './stream-toll.ts'
import type { TransportLimits } from './transport-limits.ts'
import type {
  OpenInit,
  OwnAddress,
  PeerChange,
  PeerConnection,
  StreamHandler,
  Transport,
} from './transport.ts'

export interface TransportInit {
  /** Ed25519 seed, 32 bytes. */
  readonly machineSeed: Uint8Array
  /** Where to listen, `<IPv4>:<port>` or `[<IPv6>]:<port>`; none for a machine that only dials. */
  readonly tcp: readonly string[]
  /** The same for QUIC; nobody listens there on a machine that has none. */
  readonly quic?: readonly string[]
  /** Where others reach this machine beside what it sees of itself, `/dns4/../tcp/..` and the like.
   *  @default none */
  readonly announce?: readonly string[] | undefined
  /** @default none: they cost memory and time */
  readonly metrics?: Libp2pMetrics | undefined
  readonly limits?: TransportLimits
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly random: (length: number) => Uint8Array
  readonly log: Log
  /** Where the QUIC library comes from, if not from its package. */
  readonly importQuic?: ImportQuic
}

export interface Libp2pTransportDeps {
  readonly limits: TransportLimits
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly log: Log
  /** Multiaddrs to listen at. */
  readonly listenAt: readonly string[]
  /** Without the peer id. */
  readonly announced: readonly string[]
  readonly node: Libp2pNode
  readonly dialer: Dialer
  readonly reconnector: Reconnector
  readonly standing: Standing
}

export class Libp2pTransport implements Transport {
  readonly peerId: PeerId
  readonly mesh: MeshRouting
  readonly #deps: Libp2pTransportDeps
  readonly #server: StreamServer
  readonly #opener: StreamOpener
  readonly #streams = new Set<PipeFrameStream>()
  readonly #watchers = new Set<(change: PeerChange) => void>()
  /** Protocol id to its registration with libp2p. */
  readonly #registrations = new Map<string, Promise<void>>()
  #isClosed = false

  constructor(deps: Libp2pTransportDeps) {
    const { libp2p } = deps.node
    this.#deps = deps
    this.peerId = libp2p.peerId.toString() as PeerId
    this.mesh = deps.node.mesh
    const isKept = (peerId: PeerId) => deps.reconnector.isKept(peerId)
    this.#server = new StreamServer({ ...deps, isKept })
    const toll = new StreamToll({
      ...deps,
      isKept,
      onExcess: (connection) => this.#blame(connection, 'ABZU_RATE_LIMITED'),
    })
    this.#opener = new StreamOpener({
      ...deps,
      connectionsOf: (peerId) => this.#connectionsOf(peerId),
      framed: (stream, connection) => this.#framed(stream, connection),
    })
    libp2p.addEventListener('peer:connect', ({ detail }) => {
      this.#tell({ peerId: detail.toString() as PeerId, connected: true })
    })
    libp2p.addEventListener('peer:disconnect', ({ detail }) => {
      this.#tell({ peerId: detail.toString() as PeerId, connected: false })
    })
    libp2p.addEventListener('connection:open', ({ detail }) => {
      toll.watch(detail)
      this.#limitPeer(detail)
    })
  }

  async listen(): Promise<void> {
    await Promise.all(this.#registrations.values())
    await this.#deps.node.listen(this.#deps.listenAt)
  }

  addresses(): string[] {
    return this.ownAddresses().map(({ address }) => address)
  }

  ownAddresses(): OwnAddress[] {
    const { node, announced } = this.#deps
    const listening = node.listening().filter((address) => !announced.includes(address))
    return [
      ...announced.map((address) => this.#own('announced', address)),
      ...inOrderOfUse(listening).map((address) => this.#own('listening', address)),
    ]
  }

  refresh(): void {
    this.#deps.node.refresh()
  }

  #own(source: OwnAddress['source'], address: string): OwnAddress {
    return { address: `${address}/p2p/${this.peerId}`, source, scope: addressScope(address) }
  }

  handle(protocol: Protocol, handler: StreamHandler): void {
    const { node, log } = this.#deps
    assert(!this.#registrations.has(protocol.id), `${protocol.id} is served already`)
    const serve = (stream: Stream, connection: Connection) => {
      this.#server.serve(protocol, this.#framed(stream, connection), handler)
    }
    const streamLimits = {
      maxInboundStreams: protocol.streamsMax,
      maxOutboundStreams: protocol.streamsMax,
    }
    const registration = node.libp2p.handle(protocol.id, serve, streamLimits)
    this.#registrations.set(protocol.id, registration)
    registration.catch((error: unknown) => {
      log.error('protocol not served', { protocol: protocol.id, error: toAbzuError(error) })
    })
  }

  async open(peerId: PeerId, protocol: Protocol, init: OpenInit = {}): Promise<FrameStream> {
    this.#assertOpen()
    try {
      return await this.#opener.open(peerId, protocol, init)
    } catch (error) {
      const isElsewhere = isAbzuError(error, 'ABZU_UNREACHABLE') && !this.isConnected(peerId)
      if (!init.locate || !isElsewhere || peerId === this.peerId) throw error
      const addresses = await this.#locate(peerId, init.signal)
      if (addresses.every((address) => init.addresses?.includes(address))) throw error
      return this.#opener.open(peerId, protocol, { ...init, addresses })
    }
  }

  async #locate(peerId: PeerId, signal: AbortSignal | undefined): Promise<string[]> {
    const { scheduler, limits } = this.#deps
    const patience = { timeoutMs: limits.lookupAnswerMs, signal }
    const addresses = await withDeadline(scheduler, patience, async (either) =>
      this.mesh.locate(peerId, either),
    )
    signal?.throwIfAborted()
    return addresses
  }

  async connect(address: string | readonly string[], signal?: AbortSignal): Promise<PeerId> {
    this.#assertOpen()
    const [first = '', ...others] = typeof address === 'string' ? [address] : address
    const { peerId, text } = parseDialAddress(first)
    this.#assertOther(peerId)
    const addresses = dialAddressesOf(peerId, [text, ...others])
    if (!this.isConnected(peerId)) await this.#deps.dialer.dial(peerId, addresses, signal)
    return peerId
  }

  isConnected(peerId: PeerId): boolean {
    return this.#connectionsOf(peerId).length > 0
  }

  peers(): PeerConnection[] {
    return this.#connections().map(({ remotePeer, remoteAddr, direction }) => ({
      peerId: remotePeer.toString() as PeerId,
      address: remoteAddr.toString(),
      direction,
    }))
  }

  watch(listener: (change: PeerChange) => void): Cancel {
    this.#watchers.add(listener)
    return () => this.#watchers.delete(listener)
  }

  keep(peerId: PeerId, addresses: readonly string[]): void {
    this.#assertOpen()
    this.#assertOther(peerId)
    const usable = dialAddressesOf(peerId, addresses)
    if (usable.length === 0 && addresses.length > 0) {
      throw new AbzuError('ABZU_ADDRESS_INVALID', `no address of ${peerId} can be dialled`)
    }
    this.#deps.reconnector.keep(peerId, usable)
  }

  release(peerId: PeerId): void {
    this.#deps.reconnector.release(peerId)
  }

  /** Streams are reset, not ended: an END would tell the peer that it has heard all. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    const { node, reconnector, scheduler, limits, log } = this.#deps
    reconnector.close()
    for (const stream of this.#streams) stream.breakOff()
    try {
      const limit = { timeoutMs: limits.closeMs, what: 'closing the transport' }
      await withTimeout(scheduler, limit, async () => node.libp2p.stop())
    } catch (error) {
      log.warn('transport closed badly', { error: toAbzuError(error) })
    }
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new AbzuError('ABZU_CLOSED', 'the transport is closed')
  }

  #assertOther(peerId: PeerId): void {
    if (peerId !== this.peerId) return
    throw new AbzuError('ABZU_ADDRESS_INVALID', 'the address is that of this machine')
  }

  #framed(stream: Stream, connection: Connection): FrameStream {
    const { scheduler, limits } = this.#deps
    const { remotePeer, remoteAddr } = connection
    const framed = new PipeFrameStream({
      peer: remotePeer.toString() as PeerId,
      neighbour: neighbourOf(remoteAddr.toString()),
      onGivenUp: ({ code }) => {
        if (isViolation(code)) this.#blame(connection, code)
      },
      pipe: new Libp2pPipe(stream, scheduler),
      scheduler,
      limits,
    })
    this.#streams.add(framed)
    void framed.closed.then(() => this.#streams.delete(framed))
    if (this.#isClosed) framed.breakOff()
    return framed
  }

  #connections(): Connection[] {
    return this.#deps.node.libp2p.getConnections().filter(({ status }) => status === 'open')
  }

  /** Newest first: when a peer has restarted, its old connection may look alive for a while. */
  #connectionsOf(peerId: PeerId): Connection[] {
    return this.#connections()
      .filter(({ remotePeer }) => remotePeer.toString() === peerId)
      .reverse()
  }

  /** Counts a violation, and where it was one too many, ends all connections with the peer. */
  #blame({ remotePeer, remoteAddr }: Connection, code: ErrorCode): void {
    const { node, standing, log } = this.#deps
    const peerId = remotePeer.toString() as PeerId
    if (!standing.violated({ peerId, address: remoteAddr.toString() })) return
    log.warn('peer shut out for a while', { peer: peerId, code })
    for (const connection of node.libp2p.getConnections(remotePeer)) {
      connection.abort(new AbzuError('ABZU_DENIED', 'too many violations'))
    }
  }

  #limitPeer({ remotePeer }: Connection): void {
    const connections = this.#deps.node.libp2p.getConnections(remotePeer)
    const excess = connections.length - this.#deps.limits.connectionsPerPeerMax
    for (const connection of connections.slice(0, Math.max(0, excess))) {
      connection.abort(new AbzuError('ABZU_OVERLOADED', 'too many connections of one peer'))
    }
  }

  #tell(change: PeerChange): void {
    const { reconnector, log } = this.#deps
    if (change.connected) reconnector.connected(change.peerId)
    else reconnector.lost(change.peerId)
    for (const watcher of this.#watchers) {
      try {
        watcher(change)
      } catch (error) {
        log.error('watcher of peers failed', { error: toAbzuError(error) })
      }
    }
  }
}
