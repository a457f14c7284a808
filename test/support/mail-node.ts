/**
 * The machine half of a node, mailbox and outbox, over an in-memory store and in-memory streams: what
 * delivery needs, without sockets.
 * @module
 */

import { peerIdOf } from '../../src/base/crypto/address.ts'
import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import { openStore, type Store, type StoreInit } from '../../src/base/store/store.ts'
import type { PeerId } from '../../src/base/util/brand.ts'
import { AbzuError, toAbzuError } from '../../src/base/util/errors.ts'
import { silentLog } from '../../src/base/util/log.ts'
import type { Clock, Scheduler } from '../../src/base/util/clock.ts'
import type { Host } from '../../src/base/wire/records.ts'
import { deliverHandler } from '../../src/machine/mailbox/deliver-handler.ts'
import {
  defaultMailboxLimits,
  type MailboxLimits,
} from '../../src/machine/mailbox/mailbox-limits.ts'
import { Mailboxes } from '../../src/machine/mailbox/mailboxes.ts'
import { Outbox } from '../../src/machine/mailbox/outbox.ts'
import type { WhereaboutsDeps } from '../../src/machine/mailbox/whereabouts.ts'
import type { FrameStream } from '../../src/machine/transport/frame-stream.ts'
import { PipeFrameStream } from '../../src/machine/transport/pipe-frame-stream.ts'
import { defaultTransportLimits } from '../../src/machine/transport/transport-limits.ts'
import type { PeerChange } from '../../src/machine/transport/transport.ts'
import { MemoryPipe } from './pipe.ts'

export interface MailNodeInit {
  readonly platform: CryptoPlatform
  readonly time: Clock & Scheduler
  readonly limits?: Partial<MailboxLimits>
  readonly decorate?: StoreInit['decorate']
  readonly resolve?: WhereaboutsDeps['resolve']
}

/** Connects nodes by their peer ids. */
export class MailNetwork {
  readonly #nodes = new Map<PeerId, MailNode>()

  add(node: MailNode): void {
    this.#nodes.set(node.peerId, node)
    for (const other of this.#nodes.values()) other.tell({ peerId: node.peerId, connected: true })
  }

  remove(peerId: PeerId): void {
    this.#nodes.delete(peerId)
  }

  node(peerId: PeerId): MailNode | undefined {
    return this.#nodes.get(peerId)
  }
}

export class MailNode {
  readonly peerId: PeerId
  readonly machineSeed: Uint8Array
  readonly #init: MailNodeInit
  readonly #network: MailNetwork
  readonly #listeners = new Set<(change: PeerChange) => void>()
  /** Inbound streams that live. */
  readonly streams = new Set<FrameStream>()
  /** Stands in for the handler of inbound streams. */
  handler: ((stream: FrameStream) => Promise<void>) | undefined
  store!: Store
  mailboxes!: Mailboxes
  outbox!: Outbox

  constructor(network: MailNetwork, init: MailNodeInit) {
    this.#network = network
    this.#init = init
    this.machineSeed = init.platform.random(32)
    this.peerId = peerIdOf(init.platform.ed25519.publicKey(this.machineSeed))
  }

  get home(): Host {
    return { peerId: this.peerId, role: 'home', addresses: [] }
  }

  async start(): Promise<this> {
    const { platform, time, decorate, resolve } = this.#init
    this.store ??= await openStore({
      dir: undefined,
      platform,
      clock: time,
      scheduler: time,
      log: silentLog,
      ...(decorate && { decorate }),
    })
    const { store } = this
    const limits = { ...defaultMailboxLimits, ...this.#init.limits }
    const parts = { platform, store, limits, clock: time, scheduler: time, log: silentLog }
    this.mailboxes = new Mailboxes({ ...parts, self: this.peerId })
    const transport = {
      peerId: this.peerId,
      open: async (peer: PeerId) => this.#open(peer),
      watch: (listener: (change: PeerChange) => void) => {
        this.#listeners.add(listener)
        return () => this.#listeners.delete(listener)
      },
    }
    const finding = resolve ? { resolve } : {}
    this.outbox = new Outbox({ ...parts, ...finding, transport, mailboxes: this.mailboxes })
    await this.outbox.start()
    this.#network.add(this)
    return this
  }

  /** As a crash: streams break, what is durable stays in the store. */
  async stop(): Promise<void> {
    this.#network.remove(this.peerId)
    for (const stream of this.streams) stream.abort(new AbzuError('ABZU_CLOSED', 'stopped'))
    await this.outbox.close()
  }

  sign(bytes: Uint8Array): Uint8Array {
    return this.#init.platform.ed25519.sign(this.machineSeed, bytes)
  }

  tell(change: PeerChange): void {
    for (const listener of this.#listeners) listener(change)
  }

  async #open(peer: PeerId): Promise<FrameStream> {
    const host = this.#network.node(peer)
    if (!host) throw new AbzuError('ABZU_UNREACHABLE', 'nobody there')
    const [near, far] = MemoryPipe.pair()
    const limits = defaultTransportLimits
    const scheduler = this.#init.time
    host.serve(new PipeFrameStream({ peer: this.peerId, pipe: far, limits, scheduler }))
    return new PipeFrameStream({ peer, pipe: near, limits, scheduler })
  }

  serve(stream: FrameStream): void {
    this.streams.add(stream)
    void stream.closed.then(() => this.streams.delete(stream))
    const own = deliverHandler({
      mailboxes: this.mailboxes,
      sign: (bytes) => this.sign(bytes),
      scheduler: this.#init.time,
    })
    const handler = this.handler ?? own
    void handler(stream).then(
      async () => stream.end(),
      (error: unknown) => stream.abort(toAbzuError(error)),
    )
  }
}
