/**
 * The libp2p node under the transport, with every limit set on purpose.
 * @see docs/limits.md
 * @module
 */

import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import type { KadDHTComponents } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import type { PeerId } from '../../base/util/brand.ts'
import type { Clock, Scheduler } from '../../base/util/clock.ts'
import type { Log } from '../../base/util/log.ts'
import { carrierOf } from './addresses.ts'
import { connectionGater } from './connection-gater.ts'
import { KadRouting } from './kad-routing.ts'
import { libp2pLog } from './libp2p-log.ts'
import type { Libp2pMetrics } from './libp2p-metrics.ts'
import { listenError, recordingListenErrors, type ListenFailure } from './listen-errors.ts'
import type { MeshRouting } from './mesh-routing.ts'
import { loadQuic, type ImportQuic } from './quic.ts'
import type { Speaker } from './standing.ts'
import type { TransportLimits } from './transport-limits.ts'

export interface Libp2pNodeInit {
  /** 32 bytes. */
  readonly machineSeed: Uint8Array
  readonly limits: TransportLimits
  /** Told to peers beside where it listens; without the peer id.
   *  @default none */
  readonly announced?: readonly string[]
  /** Whether this node keeps itself connected to a peer. */
  readonly isKept: (peerId: PeerId) => boolean
  readonly isShutOut: (speaker: Speaker) => boolean
  readonly scheduler: Scheduler
  /** Whether this node itself, and not its routing, is dialling a peer. */
  readonly isDialling: (peerId: PeerId) => boolean
  /** Those of addresses that strangers told which may be dialled. */
  readonly dialable: (addresses: readonly string[]) => string[]
  /** As libp2p hashes keys and peer ids for their place in the mesh. */
  readonly sha256: (bytes: Uint8Array) => Uint8Array
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly metrics?: Libp2pMetrics | undefined
  readonly log: Log
  readonly importQuic?: ImportQuic | undefined
}

/** What our transport uses of libp2p. */
export interface Libp2pNode {
  readonly libp2p: Libp2p
  readonly mesh: MeshRouting
  /** Listens at all of `addresses` or throws; leaves out QUIC where this machine has none.
   *  @throws {AbzuError} ABZU_PORT_IN_USE, ABZU_CONFIG_INVALID */
  listen(addresses: readonly string[]): Promise<void>
  /** Concrete addresses of all listeners, without the peer id. */
  listening(): string[]
  /** Tells peers of addresses that listeners have got since. */
  refresh(): void
}

type TransportMaker = NonNullable<Libp2pOptions['transports']>[number]

/** What a service of libp2p may ask of its components. */
interface Inside {
  readonly transportManager: {
    listen(addresses: Multiaddr[]): Promise<void>
    getAddrs(): Multiaddr[]
  }
  readonly addressManager: {
    confirmObservedAddr(address: Multiaddr, options: { type: 'transport'; ttl: number }): void
  }
}

/** Starts a node that dials, and listens nowhere yet. */
export async function startLibp2pNode(init: Libp2pNodeInit): Promise<Libp2pNode> {
  const { machineSeed, limits, dialable, log, announced = [] } = init
  const listenErrors: ListenFailure[] = []
  const quic = await loadQuic(init)
  const makers: TransportMaker[] = [tcpTransport(limits), ...(quic ? [quic] : [])]
  const libp2p: Libp2p<{ inside: Inside; mesh: KadRouting }> = await createLibp2p({
    privateKey: await generateKeyPairFromSeed('Ed25519', machineSeed),
    nodeInfo: { name: 'abzu', version: '1', userAgent: 'abzu/1' },
    logger: libp2pLog(log),
    ...(init.metrics && { metrics: init.metrics.create }),
    addresses: { appendAnnounce: [...announced] },
    transports: makers.map(
      (make) => (components) => recordingListenErrors(make(components), listenErrors),
    ),
    connectionEncrypters: [noise()],
    streamMuxers: [
      yamux({
        enableKeepAlive: true,
        keepAliveInterval: limits.muxerKeepAliveMs,
        maxInboundStreams: limits.muxerStreamsMax,
        maxOutboundStreams: limits.muxerStreamsMax,
        maxEarlyStreams: limits.muxerEarlyStreamsMax,
        streamOptions: {
          maxStreamWindowSize: limits.muxerWindowBytes,
          maxReadBufferLength: limits.muxerReadBufferBytes,
          maxWriteBufferLength: limits.muxerWriteBufferBytes,
        },
      }),
    ],
    connectionGater: connectionGater({ ...init, connections: () => libp2p.getConnections() }),
    connectionManager: {
      // the budget refuses before this does: libp2p closes kept peers as readily as strangers
      maxConnections: limits.connectionsMax + limits.dialsMax + limits.inboundPendingMax,
      inboundConnectionThreshold: limits.inboundPerAddressPerSecond,
      maxIncomingPendingConnections: limits.inboundPendingMax,
      inboundUpgradeTimeout: limits.inboundHandshakeMs,
      inboundStreamProtocolNegotiationTimeout: limits.streamOpenMs,
      outboundStreamProtocolNegotiationTimeout: limits.streamOpenMs,
      connectionCloseTimeout: limits.connectionCloseMs,
      dialTimeout: limits.dialMs,
      addressDialTimeout: limits.dialAddressMs,
      maxParallelDials: limits.dialsMax,
      maxDialQueueLength: limits.dialsQueuedMax,
      maxPeerAddrsToDial: limits.dialAddressesMax,
      reconnectRetries: 0,
      resolvers: {},
    },
    peerStore: {
      addressFilter: (_, address) => dialable([address.toString()]).length > 0,
      maxAddressAge: limits.routedAddressMs,
    },
    connectionMonitor: {
      pingInterval: limits.monitorIntervalMs,
      pingTimeout: { minTimeout: limits.monitorTimeoutMs, maxTimeout: limits.monitorTimeoutMs },
    },
    services: {
      identify: identify({
        maxInboundStreams: 1,
        maxOutboundStreams: 1,
        maxMessageSize: limits.identifyBytesMax,
        timeout: limits.streamOpenMs,
        maxObservedAddresses: limits.dialAddressesMax,
      }),
      ping: ping({
        maxInboundStreams: 2,
        maxOutboundStreams: 2,
        timeout: limits.monitorTimeoutMs,
      }),
      mesh: (components: KadDHTComponents) => new KadRouting(components, init),
      inside: ({ transportManager, addressManager }: Inside): Inside => ({
        transportManager,
        addressManager,
      }),
    },
  })
  const { mesh } = libp2p.services
  // only the addresses of peers that routing leads to are kept: what others tell libp2p is forgotten with them
  const forget = (peerId: Parameters<typeof libp2p.peerStore.delete>[0]) => {
    if (mesh.isRouted(peerId)) return
    libp2p.peerStore.delete(peerId).catch((error: unknown) => {
      log.debug('peer not forgotten', { error: error as Error })
    })
  }
  libp2p.addEventListener('peer:disconnect', ({ detail }) => forget(detail))
  // what a peer tells of itself may be stored a moment after it has gone
  libp2p.addEventListener('peer:update', ({ detail: { peer } }) => {
    if (libp2p.getConnections(peer.id).length === 0) forget(peer.id)
  })
  const { transportManager, addressManager } = libp2p.services.inside
  const isServed = (address: string) => quic !== undefined || carrierOf(address) !== 'quic'
  const refresh = () => {
    for (const address of transportManager.getAddrs()) {
      // libp2p would announce a public address only after strangers have confirmed it
      addressManager.confirmObservedAddr(address, { type: 'transport', ttl: Infinity })
    }
  }
  return {
    libp2p,
    mesh,
    async listen(addresses) {
      listenErrors.length = 0
      const usable = addresses.filter(isServed).map((address) => multiaddr(address))
      try {
        await transportManager.listen(usable)
      } catch (error) {
        if (listenErrors.length === 0) throw error
      }
      const [failure] = listenErrors
      if (failure) throw listenError(failure)
      refresh()
    },
    listening: () => transportManager.getAddrs().map(String),
    refresh,
  }
}

function tcpTransport(limits: TransportLimits): ReturnType<typeof tcp> {
  return tcp({
    inboundSocketInactivityTimeout: limits.socketIdleMs,
    outboundSocketInactivityTimeout: limits.socketIdleMs,
    maxConnections: limits.connectionsMax + limits.inboundPendingMax,
    backlog: limits.acceptBacklog,
  })
}
