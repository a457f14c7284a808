/**
 * The machine's way to other machines: authenticated connections between Ed25519 peer ids and streams of
 * frames over them.
 * @module
 */

import type { PeerId } from '../../base/util/brand.ts'
import type { Cancel } from '../../base/util/clock.ts'
import type { Protocol } from '../../base/wire/protocols.ts'
import type { AddressScope } from './address-scope.ts'
import type { FrameStream } from './frame-stream.ts'
import type { MeshRouting } from './mesh-routing.ts'

/** Deals with one inbound stream. What it throws is answered, see serve.ts. */
export type StreamHandler = (stream: FrameStream) => Promise<void>

export interface OpenInit {
  /** Where the peer may be reached, `/ip4/../tcp/../p2p/<id>` and the like, for when no connection lives. Of
   *  addresses of a kind TCP is dialled before QUIC. */
  readonly addresses?: readonly string[] | undefined
  /** Ask the mesh where the peer is, should no address answer. */
  readonly locate?: boolean
  readonly signal?: AbortSignal | undefined
}

export interface PeerConnection {
  readonly peerId: PeerId
  readonly address: string
  readonly direction: 'inbound' | 'outbound'
}

/** One way to reach this machine. */
export interface OwnAddress {
  /** With the peer id. */
  readonly address: string
  /** `announced`: by the operator's word alone. */
  readonly source: 'announced' | 'listening'
  readonly scope: AddressScope
}

/** A peer's first connection came, or its last one went. */
export interface PeerChange {
  readonly peerId: PeerId
  readonly connected: boolean
}

export interface Transport {
  readonly peerId: PeerId
  readonly mesh: MeshRouting

  /** Starts to accept connections at the configured places.
   *  @throws {AbzuError} ABZU_PORT_IN_USE, ABZU_CONFIG_INVALID */
  listen(): Promise<void>

  /** Where this machine can be reached now, `/ip4/../tcp/../p2p/<id>`, `/ip4/../udp/../quic-v1/p2p/<id>`;
   *  announced ones first, loopback last. */
  addresses(): string[]

  /** The same, and how far each reaches. */
  ownAddresses(): OwnAddress[]

  /** Looks anew at which addresses the machine has, and tells peers. */
  refresh(): void

  /** Serves a protocol from now on; once for each protocol. */
  handle(protocol: Protocol, handler: StreamHandler): void

  /** A stream over any live connection, whoever opened it; else over a new one to `addresses`.
   *  @throws {AbzuError} ABZU_UNREACHABLE, ABZU_OVERLOADED, ABZU_ADDRESS_INVALID, ABZU_CLOSED; the signal's reason */
  open(peerId: PeerId, protocol: Protocol, init?: OpenInit): Promise<FrameStream>

  /** Connects to whom the address names, unless connected. Of several, the first names the peer; those of
   *  others are skipped.
   *  @throws {AbzuError} ABZU_UNREACHABLE, ABZU_OVERLOADED, ABZU_ADDRESS_INVALID, ABZU_CLOSED; the signal's reason */
  connect(address: string | readonly string[], signal?: AbortSignal): Promise<PeerId>

  isConnected(peerId: PeerId): boolean

  peers(): PeerConnection[]

  watch(listener: (change: PeerChange) => void): Cancel

  /** Stays connected to a peer, for ever: dials at once, and again after each failure and loss. A second call
   *  replaces the addresses and dials at once. Without an address the peer has to call itself, and has its place.
   *  @throws {AbzuError} ABZU_ADDRESS_INVALID, ABZU_OVERLOADED where too many peers are kept */
  keep(peerId: PeerId, addresses: readonly string[]): void

  /** Undoes `keep`. A living connection stays. */
  release(peerId: PeerId): void

  /** Stops accepting, ends all streams, closes all connections; takes a few seconds at most. */
  close(): Promise<void>
}
