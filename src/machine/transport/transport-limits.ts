/** Every limit of the network in one place; `docs/limits.md` says why. Units come last in the names. @module */

import type { Rate } from '../../base/util/gcra.ts'

export interface TransportLimits {
  /** Connections, both ways together. */
  readonly connectionsMax: number
  /** Of those, kept free for peers that this node keeps (`Transport.keep`): strangers cannot lock them out. */
  readonly connectionsReserved: number
  /** Inbound connections from one IPv4 address or one IPv6 /64. Guests of one household share one. */
  readonly connectionsPerAddressMax: number
  /** Connections with one peer; the oldest goes. Two, where both dialled at once. */
  readonly connectionsPerPeerMax: number
  /** New inbound connections a second from one address. */
  readonly inboundPerAddressPerSecond: number
  /** Inbound connections whose handshake is not done. */
  readonly inboundPendingMax: number
  /** Of those, from one IPv4 address or one IPv6 /64. */
  readonly inboundPendingPerAddressMax: number
  /** For the handshake of an inbound connection. */
  readonly inboundHandshakeMs: number
  /** Sockets that the kernel holds before they are accepted. */
  readonly acceptBacklog: number
  /** A socket without any byte for so long is closed. */
  readonly socketIdleMs: number

  /** Violations of one peer; one more shuts it out. */
  readonly peerViolations: Rate
  /** The same of all peers of one address that are not kept. */
  readonly addressViolations: Rate
  /** First time of being shut out, and every time of a kept peer; doubles each time. */
  readonly shutOutMinMs: number
  /** Longest such time. */
  readonly shutOutMaxMs: number
  /** Who was shut out and behaves for so long is as new. */
  readonly shutOutForgetMs: number
  /** Peers, and addresses, whose violations and rates are remembered. */
  readonly standingsMax: number

  /** For dialling a peer, all its addresses together. */
  readonly dialMs: number
  /** For one address of a peer. */
  readonly dialAddressMs: number
  /** Dials at the same time. */
  readonly dialsMax: number
  /** Dials that wait for their turn. */
  readonly dialsQueuedMax: number
  /** Addresses tried for one peer. */
  readonly dialAddressesMax: number
  /** Peers that are kept connected. */
  readonly keptPeersMax: number
  /** First pause before a kept peer is dialled again; doubles with each failure. */
  readonly reconnectMinMs: number
  /** Longest such pause. */
  readonly reconnectMaxMs: number

  /** A living connection is asked whether it lives each so often. */
  readonly monitorIntervalMs: number
  /** A connection whose peer does not answer for so long is closed. */
  readonly monitorTimeoutMs: number
  /** For closing a connection properly. */
  readonly connectionCloseMs: number
  /** For closing everything. */
  readonly closeMs: number

  /** Streams that one peer opens. */
  readonly peerStreams: Rate
  /** The same of all peers of one address that are not kept. */
  readonly addressStreams: Rate
  /** Streams that this node opens to one peer: less than that peer takes. */
  readonly peerStreamsOutbound: Rate
  /** Streams of one connection, each way, all protocols together. */
  readonly muxerStreamsMax: number
  /** yamux: bytes of one stream on their way; never above `muxerReadBufferBytes`. */
  readonly muxerWindowBytes: number
  /** yamux: bytes of one stream received and not taken; more than that resets the stream. */
  readonly muxerReadBufferBytes: number
  /** yamux: bytes of one stream taken over and not sent. */
  readonly muxerWriteBufferBytes: number
  /** yamux: its own keep-alive, which also measures the round trip for the window's growth. */
  readonly muxerKeepAliveMs: number
  /** yamux: streams that a peer opens before the connection is set up; more than that break it. */
  readonly muxerEarlyStreamsMax: number
  /** For one address of a peer by QUIC, so that TCP has its turn where UDP is blocked. */
  readonly quicDialMs: number
  /** QUIC: handshakes of inbound connections at the same time; further ones wait. */
  readonly quicHandshakesMax: number
  /** QUIC: a connection or handshake without any packet for so long is over. */
  readonly quicIdleMs: number
  /** QUIC: pause before a packet that keeps a connection alive. */
  readonly quicKeepAliveMs: number
  /** QUIC: bytes of all streams of a connection on their way. */
  readonly quicConnectionBytes: number
  /** A peer's identify message. */
  readonly identifyBytesMax: number
  /** For agreeing on the protocol of a new stream. */
  readonly streamOpenMs: number
  /** Opens that wait for one of a protocol's streams to one peer to be free. */
  readonly opensWaitingMax: number

  /** One write to the network: so many bytes of frames are joined at most. */
  readonly writeBytes: number
  /** Messages queued on one stream, counted as for credit; `send` refuses more. */
  readonly sendQueueBytesMax: number
  /** `ready` resolves below this. */
  readonly sendQueueBytesLow: number
  /** An idle stream says that it lives each so often; the timeouts below are counted in these. */
  readonly pingIntervalMs: number
  /** A stream on which no whole frame arrived for so many intervals is over. */
  readonly silentIntervalsMax: number
  /** A stream that could not send any of what is queued for so many intervals is over. */
  readonly stuckIntervalsMax: number
  /** Pings of a peer in one interval. */
  readonly pingsPerIntervalMax: number
  /** After an error frame the peer may reset the stream itself for so long. */
  readonly resetGraceMs: number
  /** After both sides have said all, or the handler has, the stream is reset so much later. */
  readonly lingerMs: number
  /** Machines that hold one record, and machines in one bucket of the routing table: Kademlia's k. */
  readonly meshNearestMax: number
  /** Machines that one path of a lookup asks at the same time. */
  readonly lookupParallelMax: number
  /** What a machine has to answer one question of a lookup, its dial included. */
  readonly lookupAnswerMs: number
  /** Machines that are remembered by what others said of them. */
  readonly heardPeersMax: number
  /** The addresses of a machine in the routing table are kept for so long after it told them. */
  readonly routedAddressMs: number
  /** Inbound streams of one protocol, all peers together. */
  readonly handlersMax: number
  /** Of those, kept free for peers that this node keeps. */
  readonly handlersReserved: number
}

const seconds = 1000
const kibibytes = 1024

export const defaultTransportLimits: TransportLimits = {
  connectionsMax: 256,
  connectionsReserved: 64,
  connectionsPerAddressMax: 64,
  connectionsPerPeerMax: 4,
  inboundPerAddressPerSecond: 50,
  inboundPendingMax: 50,
  inboundPendingPerAddressMax: 20,
  inboundHandshakeMs: 3 * seconds,
  acceptBacklog: 128,
  socketIdleMs: 60 * seconds,

  peerViolations: { perSecond: 0.05, burst: 10 },
  addressViolations: { perSecond: 0.2, burst: 50 },
  shutOutMinMs: 60 * seconds,
  shutOutMaxMs: 3600 * seconds,
  shutOutForgetMs: 3600 * seconds,
  standingsMax: 4096,

  dialMs: 10 * seconds,
  dialAddressMs: 4 * seconds,
  dialsMax: 16,
  dialsQueuedMax: 512,
  dialAddressesMax: 8,
  keptPeersMax: 256,
  reconnectMinMs: 1 * seconds,
  reconnectMaxMs: 60 * seconds,

  monitorIntervalMs: 30 * seconds,
  monitorTimeoutMs: 5 * seconds,
  connectionCloseMs: 1 * seconds,
  closeMs: 5 * seconds,

  peerStreams: { perSecond: 100, burst: 1000 },
  addressStreams: { perSecond: 200, burst: 2000 },
  peerStreamsOutbound: { perSecond: 50, burst: 500 },
  muxerStreamsMax: 64,
  muxerWindowBytes: 1024 * kibibytes,
  muxerReadBufferBytes: 4096 * kibibytes,
  muxerWriteBufferBytes: 4096 * kibibytes,
  muxerKeepAliveMs: 30 * seconds,
  muxerEarlyStreamsMax: 64,
  quicDialMs: 2.5 * seconds,
  quicHandshakesMax: 256,
  quicIdleMs: 10 * seconds,
  quicKeepAliveMs: 4 * seconds,
  quicConnectionBytes: 4096 * kibibytes,
  identifyBytesMax: 8 * kibibytes,
  streamOpenMs: 5 * seconds,
  opensWaitingMax: 64,

  writeBytes: 256 * kibibytes,
  sendQueueBytesMax: 2048 * kibibytes,
  sendQueueBytesLow: 256 * kibibytes,
  pingIntervalMs: 30 * seconds,
  silentIntervalsMax: 3,
  stuckIntervalsMax: 2,
  pingsPerIntervalMax: 64,
  resetGraceMs: 1 * seconds,
  lingerMs: 5 * seconds,
  meshNearestMax: 20,
  lookupParallelMax: 10,
  lookupAnswerMs: 3 * seconds,
  heardPeersMax: 1024,
  routedAddressMs: 30 * 86_400 * seconds,
  handlersMax: 512,
  handlersReserved: 128,
}
