import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import type { PeerId } from '../../src/base/util/brand.ts'
import { utf8 } from '../../src/base/util/bytes.ts'
import type { Cancel } from '../../src/base/util/clock.ts'
import { AbzuError } from '../../src/base/util/errors.ts'
import type { Log } from '../../src/base/util/log.ts'
import type { Protocol } from '../../src/base/wire/protocols.ts'
import type { FrameStream } from '../../src/machine/transport/frame-stream.ts'
import type { MeshPeer, MeshRouting } from '../../src/machine/transport/mesh-routing.ts'
import { PipeFrameStream } from '../../src/machine/transport/pipe-frame-stream.ts'
import { raceSignal } from '../../src/machine/transport/race-signal.ts'
import { StreamServer } from '../../src/machine/transport/serve.ts'
import { defaultTransportLimits as limits } from '../../src/machine/transport/transport-limits.ts'
import type {
  OpenInit,
  OwnAddress,
  PeerChange,
  PeerConnection,
  StreamHandler,
  Transport,
} from '../../src/machine/transport/transport.ts'
import type { NetworkEnd, SimConnection, SimNetwork } from './sim-network.ts'
import type { SimPipe } from './sim-pipe.ts'
import type { NodeTime } from './timeline.ts'

export interface SimTransportDeps {
  readonly network: SimNetwork
  readonly platform: Pick<CryptoPlatform, 'sha256'>
  readonly time: NodeTime
  readonly log: Log
}

/** The transport of a simulated machine: the real frames, credit and stream server over simulated connections. */
export class SimTransport implements Transport, NetworkEnd {
  readonly peerId: PeerId
  readonly name: string
  readonly mesh: MeshRouting
  isListening = false
  readonly #deps: SimTransportDeps
  readonly #address: string
  readonly #server: StreamServer
  readonly #handlers = new Map<string, StreamHandler>()
  readonly #listeners = new Set<(change: PeerChange) => void>()
  readonly #dialling = new Map<PeerId, Promise<SimConnection>>()
  readonly #connected = new Set<PeerId>()

  constructor(deps: SimTransportDeps, init: { peerId: PeerId; name: string; number: number }) {
    const { network, time, log } = deps
    this.#deps = deps
    this.peerId = init.peerId
    this.name = init.name
    this.#address = `/ip4/10.0.0.${init.number}/tcp/4001/p2p/${init.peerId}`
    this.#server = new StreamServer({ limits, isKept: () => true, scheduler: time, log })
    this.mesh = {
      known: async (key) => this.#nearest(key),
      closest: async (key) => {
        await time.wait(100)
        return this.#nearest(key)
      },
      isNear: async () => true,
      locate: async () => [],
      connected: async () => [...this.#connected].map((peerId) => ({ peerId, addresses: [] })),
    }
    network.attach(this)
  }

  async listen(): Promise<void> {
    this.isListening = true
  }

  addresses(): string[] {
    return [this.#address]
  }

  ownAddresses(): OwnAddress[] {
    return [{ address: this.#address, source: 'listening', scope: 'lan' }]
  }

  refresh(): void {}

  handle(protocol: Protocol, handler: StreamHandler): void {
    this.#handlers.set(protocol.id, handler)
  }

  async open(peerId: PeerId, protocol: Protocol, { signal }: OpenInit = {}): Promise<FrameStream> {
    const { network } = this.#deps
    const connection = await raceSignal(this.#connection(peerId), signal)
    const opening = network.open(connection, this, protocol)
    try {
      return this.#stream(peerId, await raceSignal(opening, signal))
    } catch (error) {
      opening.then(
        (pipe) => pipe.abort(),
        () => undefined,
      )
      throw error
    }
  }

  async connect(address: string | readonly string[], signal?: AbortSignal): Promise<PeerId> {
    const [first = ''] = typeof address === 'string' ? [address] : address
    const peerId = first.split('/p2p/')[1] as PeerId
    await raceSignal(this.#connection(peerId), signal)
    return peerId
  }

  isConnected(peerId: PeerId): boolean {
    return this.#connected.has(peerId)
  }

  peers(): PeerConnection[] {
    return this.#deps.network.connectionsOf(this.peerId).map(({ other, isOutbound }) => ({
      peerId: other,
      address: `/p2p/${other}`,
      direction: isOutbound ? 'outbound' : 'inbound',
    }))
  }

  watch(listener: (change: PeerChange) => void): Cancel {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  keep(): void {}

  release(): void {}

  async close(): Promise<void> {
    this.isListening = false
    this.#deps.network.detach(this.peerId, 'kill')
  }

  accept(from: PeerId, protocol: Protocol, pipe: SimPipe): void {
    const handler = this.#handlers.get(protocol.id)
    if (!handler || !this.isListening) return pipe.abort()
    this.#server.serve(protocol, this.#stream(from, pipe), handler)
  }

  connectionChanged(peerId: PeerId): void {
    const connected = this.#deps.network.living(this.peerId, peerId) !== undefined
    if (connected === this.#connected.has(peerId)) return
    if (connected) this.#connected.add(peerId)
    else this.#connected.delete(peerId)
    for (const listener of this.#listeners) listener({ peerId, connected })
  }

  #stream(peer: PeerId, pipe: SimPipe): FrameStream {
    return new PipeFrameStream({ peer, pipe, limits, scheduler: this.#deps.time })
  }

  async #connection(peerId: PeerId): Promise<SimConnection> {
    const { network } = this.#deps
    const living = network.living(this.peerId, peerId) ?? this.#dialling.get(peerId)
    if (living) return living
    if (peerId === this.peerId) throw new AbzuError('ABZU_UNREACHABLE', 'that is this machine')
    const dial = network.dial(this, peerId).finally(() => this.#dialling.delete(peerId))
    this.#dialling.set(peerId, dial)
    return dial
  }

  /** Every machine that is reached, the nearest first. */
  #nearest(key: Uint8Array): MeshPeer[] {
    const { network, platform } = this.#deps
    const place = platform.sha256(key)
    const distance = (peerId: PeerId): string => {
      const hash = platform.sha256(utf8(peerId))
      return Buffer.from(hash.map((byte, n) => byte ^ (place[n] as number))).toString('hex')
    }
    return network
      .reachable(this.peerId)
      .map((peerId) => ({ peerId, addresses: [], distance: distance(peerId) }))
      .sort((a, b) => (a.distance < b.distance ? -1 : 1))
      .map(({ peerId, addresses }) => ({ peerId, addresses }))
  }
}
