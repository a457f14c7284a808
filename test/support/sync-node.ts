/** Nodes that sync, in one process: the real stores, mailboxes and sync over pipes of bytes in memory. @module */

import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import { peerIdOf } from '../../src/base/crypto/address.ts'
import { openStore, type Store } from '../../src/base/store/store.ts'
import type { PeerId } from '../../src/base/util/brand.ts'
import type { Clock, Scheduler } from '../../src/base/util/clock.ts'
import { AbzuError, toAbzuError } from '../../src/base/util/errors.ts'
import { silentLog } from '../../src/base/util/log.ts'
import type { Host } from '../../src/base/wire/records.ts'
import { defaultMailboxLimits } from '../../src/machine/mailbox/mailbox-limits.ts'
import { Mailboxes } from '../../src/machine/mailbox/mailboxes.ts'
import { CopyRoom } from '../../src/machine/sync/copy-room.ts'
import { SharedMailboxes } from '../../src/machine/sync/shared-mailboxes.ts'
import { Syncer } from '../../src/machine/sync/syncer.ts'
import type { FrameStream } from '../../src/machine/transport/frame-stream.ts'
import { PipeFrameStream } from '../../src/machine/transport/pipe-frame-stream.ts'
import {
  defaultTransportLimits,
  type TransportLimits,
} from '../../src/machine/transport/transport-limits.ts'
import type { PeerChange } from '../../src/machine/transport/transport.ts'
import { MemoryPipe } from './pipe.ts'

/** Who is there, and who may talk to whom. */
export class SyncNetwork {
  readonly nodes = new Map<PeerId, SyncNode>()
  /** Bytes of messages sent by each. */
  readonly sent = new Map<PeerId, number>()

  /** Two nodes see each other from now on. */
  connect(a: SyncNode, b: SyncNode): void {
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      one.neighbours.add(other.peerId)
      one.tell({ peerId: other.peerId, connected: true })
    }
  }

  disconnect(a: SyncNode, b: SyncNode): void {
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      one.neighbours.delete(other.peerId)
      for (const stream of one.streams) {
        if (stream.peer === other.peerId) stream.abort(new AbzuError('ABZU_UNREACHABLE', 'cut'))
      }
      one.tell({ peerId: other.peerId, connected: false })
    }
  }
}

export interface SyncNodeInit {
  readonly platform: CryptoPlatform
  readonly time: Clock & Scheduler
  /** Of the store's files; in memory where there is none. */
  readonly dir?: string | undefined
  /** What its streams take that differs from the default. */
  readonly streams?: Partial<TransportLimits>
}

export class SyncNode {
  readonly peerId: PeerId
  readonly neighbours = new Set<PeerId>()
  readonly streams = new Set<FrameStream>()
  /** Bytes that this node keeps for whom it trusts. */
  readonly trust = new Map<PeerId, number>()
  readonly #init: SyncNodeInit
  readonly #network: SyncNetwork
  readonly #listeners = new Set<(change: PeerChange) => void>()
  store!: Store
  mailboxes!: Mailboxes
  shared!: SharedMailboxes
  room!: CopyRoom
  syncer!: Syncer

  constructor(network: SyncNetwork, init: SyncNodeInit) {
    this.#network = network
    this.#init = init
    this.peerId = peerIdOf(init.platform.ed25519.publicKey(init.platform.random(32)))
  }

  get dir(): string | undefined {
    return this.#init.dir
  }

  as(role: Host['role']): Host {
    return { peerId: this.peerId, role, addresses: [] }
  }

  async start(): Promise<this> {
    const { platform, time, dir } = this.#init
    const base = { platform, clock: time, scheduler: time, log: silentLog }
    this.store = await openStore({ ...base, dir })
    const { store, peerId: self } = this
    this.mailboxes = new Mailboxes({ ...base, self, store, limits: defaultMailboxLimits })
    const { mailboxes } = this
    this.shared = await SharedMailboxes.open({
      mailboxes,
      self,
      epoch: this.store.epoch,
      log: silentLog,
    })
    const shared = { mailboxes, shared: this.shared, self, items: store.items }
    const quotaBytes = (peer: PeerId) => this.trust.get(peer)
    this.room = new CopyRoom({ ...shared, clock: time, quotaBytes })
    this.syncer = new Syncer({
      ...base,
      ...shared,
      room: this.room,
      store,
      epoch: () => store.epoch,
      trusted: () => [...this.trust.keys()],
      transport: {
        open: async (peer) => this.open(peer),
        watch: (listener) => {
          this.#listeners.add(listener)
          return () => this.#listeners.delete(listener)
        },
      },
    })
    this.#network.nodes.set(self, this)
    this.syncer.start()
    return this
  }

  async stop(): Promise<void> {
    for (const peer of this.neighbours) {
      const node = this.#network.nodes.get(peer)
      if (node) this.#network.disconnect(this, node)
    }
    this.shared.close()
    await this.syncer.close()
    await this.store.close()
  }

  tell(change: PeerChange): void {
    for (const listener of this.#listeners) listener(change)
  }

  /** A sync stream to a neighbour. */
  async open(peer: PeerId): Promise<FrameStream> {
    const host = this.#network.nodes.get(peer)
    if (!host || !this.neighbours.has(peer)) {
      throw new AbzuError('ABZU_UNREACHABLE', 'nobody there')
    }
    const [near, far] = MemoryPipe.pair()
    const limits = { ...defaultTransportLimits, ...this.#init.streams }
    const init = { limits, scheduler: this.#init.time }
    const own = new PipeFrameStream({ ...init, peer, pipe: near })
    this.#count(this.peerId, own)
    const theirs = new PipeFrameStream({ ...init, peer: this.peerId, pipe: far })
    host.#serve(theirs)
    this.#track(own)
    return own
  }

  #serve(stream: FrameStream): void {
    this.#track(stream)
    this.#count(this.peerId, stream)
    void this.syncer.handler(stream).then(
      async () => stream.end(),
      (error: unknown) => stream.abort(toAbzuError(error)),
    )
  }

  #track(stream: FrameStream): void {
    this.streams.add(stream)
    void stream.closed.then(() => this.streams.delete(stream))
  }

  #count(by: PeerId, stream: FrameStream): void {
    const send = stream.send.bind(stream)
    const { sent } = this.#network
    Object.assign(stream, {
      send: (payload: Uint8Array) => {
        sent.set(by, (sent.get(by) ?? 0) + payload.length + 5)
        send(payload)
      },
    })
  }
}
