/** What pairs nodes, over in-memory stores and streams: without sockets, with a clock that a test moves. @module */

import { peerIdOf } from '../../src/base/crypto/address.ts'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import { openStore, type Store, type StoreInit } from '../../src/base/store/store.ts'
import type { PeerId } from '../../src/base/util/brand.ts'
import { AbzuError, toAbzuError } from '../../src/base/util/errors.ts'
import { silentLog } from '../../src/base/util/log.ts'
import { pairProtocol } from '../../src/base/wire/protocols.ts'
import {
  defaultFederationLimits,
  type FederationLimits,
} from '../../src/machine/federation/federation-limits.ts'
import { Invitations } from '../../src/machine/federation/invitations.ts'
import { pairHandler } from '../../src/machine/federation/pair-handler.ts'
import { Pairing } from '../../src/machine/federation/pairing.ts'
import { TrustedPeers } from '../../src/machine/federation/trusted-peers.ts'
import { serveCalls } from '../../src/machine/transport/call.ts'
import type { FrameStream } from '../../src/machine/transport/frame-stream.ts'
import { PipeFrameStream } from '../../src/machine/transport/pipe-frame-stream.ts'
import { defaultTransportLimits } from '../../src/machine/transport/transport-limits.ts'
import type { StreamHandler } from '../../src/machine/transport/transport.ts'
import { ManualTime } from './manual-time.ts'
import { MemoryPipe } from './pipe.ts'

const platform = nodePlatform()

/** Nodes that share a clock. */
export class PairNetwork {
  readonly time = new ManualTime()
  readonly nodes = new Map<PeerId, PairNode>()
}

export interface PairNodeInit {
  readonly name?: string
  readonly limits?: Partial<FederationLimits>
  readonly decorate?: StoreInit['decorate']
}

export class PairNode {
  readonly peerId = peerIdOf(platform.ed25519.publicKey(platform.random(32)))
  /** Peers whose connection is kept, by where they are dialled. */
  readonly kept = new Map<PeerId, readonly string[]>()
  /** Peers that the owner named. */
  readonly named = new Map<PeerId, readonly string[]>()
  /** Dies when it should answer: what it did before is done. */
  diesBeforeAnswer = false
  readonly #network: PairNetwork
  readonly #init: PairNodeInit
  #serve!: StreamHandler
  store!: Store
  trusted!: TrustedPeers
  invitations!: Invitations
  pairing!: Pairing
  /** Answers one call, as the protocol's handler does. */
  answer!: ReturnType<typeof pairHandler>

  private constructor(network: PairNetwork, init: PairNodeInit) {
    this.#network = network
    this.#init = init
  }

  static async start(network: PairNetwork, init: PairNodeInit = {}): Promise<PairNode> {
    const node = new PairNode(network, init)
    network.nodes.set(node.peerId, node)
    const { time } = network
    const { decorate } = init
    node.store = await openStore({
      dir: undefined,
      platform,
      clock: time,
      scheduler: time,
      log: silentLog,
      ...(decorate && { decorate }),
    })
    await node.restart()
    return node
  }

  get address(): string {
    return `/ip4/192.0.2.${[...this.#network.nodes.keys()].indexOf(this.peerId) + 1}/tcp/4180`
  }

  /** Forgets what is not on its disk. */
  async restart(): Promise<void> {
    const { time: clock } = this.#network
    const limits = { ...defaultFederationLimits, ...this.#init.limits }
    this.kept.clear()
    this.diesBeforeAnswer = false
    const transport = {
      peerId: this.peerId,
      addresses: () => [`${this.address}/p2p/${this.peerId}`],
      open: async (peer: PeerId) => this.#open(peer),
      keep: (peer: PeerId, addresses: readonly string[]) => void this.kept.set(peer, addresses),
      release: (peer: PeerId) => void this.kept.delete(peer),
    }
    const { store } = this
    const keptElsewhere = (peer: PeerId) => this.named.get(peer) ?? []
    const trusted = await TrustedPeers.open({ store, transport, keptElsewhere, limits, clock })
    this.trusted = trusted
    this.invitations = new Invitations({
      platform,
      table: store.table('peer-invites'),
      clock,
      isTrusted: (peer) => trusted.get(peer) !== undefined,
      limits,
    })
    this.pairing = new Pairing({
      invitations: this.invitations,
      trusted,
      transport,
      nodeName: this.#init.name ?? 'box',
      limits,
      clock,
      scheduler: clock,
    })
    this.answer = pairHandler({ pairing: this.pairing, limits, clock })
    trusted.start()
    const handle = (_: object, handler: StreamHandler) => void (this.#serve = handler)
    serveCalls({ handle }, pairProtocol, {
      timeoutMs: 5000,
      scheduler: clock,
      answer: async (request, context) => {
        const answer = await this.answer(request, context)
        if (this.diesBeforeAnswer) throw new AbzuError('ABZU_CLOSED', 'died')
        return answer
      },
    })
  }

  /** A code of this node. */
  async code(init?: Parameters<Pairing['invite']>[0]): Promise<string> {
    return (await this.pairing.invite(init)).code
  }

  async #open(peer: PeerId): Promise<FrameStream> {
    const host = this.#network.nodes.get(peer)
    if (!host) throw new AbzuError('ABZU_UNREACHABLE', 'nobody there')
    const [near, far] = MemoryPipe.pair()
    const parts = { limits: defaultTransportLimits, scheduler: this.#network.time }
    const served = new PipeFrameStream({ peer: this.peerId, pipe: far, ...parts })
    void host.#serve(served).then(
      async () => served.end(),
      (error: unknown) => served.abort(toAbzuError(error)),
    )
    return new PipeFrameStream({ peer, pipe: near, ...parts })
  }
}
