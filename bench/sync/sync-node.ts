/**
 * One of two nodes that keep copies of each other's mailboxes: the real transport, store and sync, as a daemon puts
 * them together.
 * @module
 */

import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import { openStore, type Store } from '../../src/base/store/store.ts'
import type { MailboxId, PeerId } from '../../src/base/util/brand.ts'
import { CloseStack } from '../../src/base/util/close-stack.ts'
import { silentLog } from '../../src/base/util/log.ts'
import {
  systemClock as clock,
  systemScheduler as scheduler,
} from '../../src/base/util/system-time.ts'
import { sleep } from '../../src/base/util/wait.ts'
import { deliverProtocol, syncProtocol } from '../../src/base/wire/protocols.ts'
import { deliverHandler } from '../../src/machine/mailbox/deliver-handler.ts'
import { defaultMailboxLimits } from '../../src/machine/mailbox/mailbox-limits.ts'
import { Mailboxes } from '../../src/machine/mailbox/mailboxes.ts'
import { CopyRoom } from '../../src/machine/sync/copy-room.ts'
import { Origins } from '../../src/machine/sync/origins.ts'
import { SharedMailboxes } from '../../src/machine/sync/shared-mailboxes.ts'
import { Syncer } from '../../src/machine/sync/syncer.ts'
import { openTransport } from '../../src/machine/transport/open-transport.ts'
import type { Transport } from '../../src/machine/transport/transport.ts'
import { newPrekey, newRecipient } from '../deliver/people.ts'
import {
  chunkBytes,
  type Growth,
  type NewAccount,
  type NodeInit,
  type Numbers,
} from './node-messages.ts'
import { SameChunks } from './same-chunks.ts'
import { ToldPull } from './told-pull.ts'

const platform = nodePlatform()
const base = { platform, clock, scheduler, log: silentLog }
const hourMs = 3_600_000
/** As many as one commit takes well. */
const chunksAtOnce = 256
const quotaBytes = 1e12
const lookMs = 1

interface Line {
  readonly transport: Transport
  readonly syncer: Syncer
}

export class BenchNode {
  readonly #init: NodeInit
  readonly #self: PeerId
  readonly #store: Store
  readonly #mailboxes: Mailboxes
  readonly #shared: SharedMailboxes
  /** What is closed with the connections. */
  #open = new CloseStack()
  #line: Line | undefined
  #pull: ToldPull | undefined

  static async start(init: NodeInit, self: PeerId): Promise<BenchNode> {
    const store = await openStore({ ...base, dir: init.dir })
    const mailboxes = new Mailboxes({ ...base, self, store, limits: defaultMailboxLimits })
    const shared = await SharedMailboxes.open({
      mailboxes,
      self,
      epoch: store.epoch,
      log: silentLog,
    })
    return new BenchNode(init, { self, store, mailboxes, shared })
  }

  private constructor(
    init: NodeInit,
    parts: { self: PeerId; store: Store; mailboxes: Mailboxes; shared: SharedMailboxes },
  ) {
    this.#init = init
    this.#self = parts.self
    this.#store = parts.store
    this.#mailboxes = parts.mailboxes
    this.#shared = parts.shared
  }

  /** Items of all mailboxes. */
  async items(): Promise<number> {
    let items = 0
    for await (const { mailbox } of this.#mailboxes.hosted()) {
      items += this.#store.items.digest(mailbox).count
    }
    return items
  }

  /** Resolves after fsync. */
  async grow({ accounts, chunks }: Growth): Promise<void> {
    const grown: MailboxId[] = []
    const prekey = newPrekey(platform)
    const nowHours = Math.floor(clock.nowMs() / hourMs)
    const hosts = [this.#host(this.#self, 'home'), this.#host(this.#partner, 'replica')]
    for (let n = 0; n < accounts; n++) {
      const { rootPk, mailbox, slots } = newRecipient(platform, { nowHours, prekey, hosts })
      await this.#mailboxes.host(rootPk, slots)
      grown.push(mailbox)
    }
    if (accounts === 0) {
      for await (const { mailbox } of this.#mailboxes.hosted()) grown.push(mailbox)
    }
    for (const mailbox of grown) await this.#fill(mailbox, chunks)
  }

  async host({ rootPk, slots }: NewAccount): Promise<void> {
    await this.#mailboxes.host(rootPk, slots)
  }

  get #partner(): PeerId {
    const { partner } = this.#init
    if (partner === undefined) throw new Error('the node has no partner')
    return partner
  }

  #host(peerId: PeerId, role: 'home' | 'replica') {
    return { peerId, role, addresses: [] }
  }

  async #fill(mailbox: MailboxId, chunks: number): Promise<void> {
    for (let left = chunks; left > 0; left -= chunksAtOnce) {
      const copies = Array.from({ length: Math.min(left, chunksAtOnce) }, () => ({
        kind: 'chunk' as const,
        expiresAtHours: 0,
        pool: 0,
        signed: new Uint8Array(),
        body: platform.random(chunkBytes),
      }))
      await this.#mailboxes.takeCopies(mailbox, copies)
    }
  }

  /** Goes online. Returns where it is. */
  async join(): Promise<string> {
    const { machineSeed } = this.#init
    const random = (length: number) => platform.random(length)
    const tcp = ['127.0.0.1:0']
    const open = new CloseStack()
    const transport = open.add(await openTransport({ ...base, machineSeed, random, tcp }))
    this.#open = open
    this.#line = { transport, syncer: this.#newSyncer(transport) }
    // Whichever pulls now.
    transport.handle(syncProtocol, async (stream) => this.#online.syncer.handler(stream))
    const mailboxes = this.#mailboxes
    const sign = (bytes: Uint8Array) => platform.ed25519.sign(machineSeed, bytes)
    transport.handle(deliverProtocol, deliverHandler({ mailboxes, sign, scheduler }))
    await transport.listen()
    this.#line.syncer.start()
    const [address] = transport.addresses()
    if (address === undefined) throw new Error('the transport has no address')
    return address
  }

  #newSyncer(transport: Transport): Syncer {
    const { partner } = this.#init
    const epoch = () => this.#store.epoch
    const trusted = partner === undefined ? [] : [partner]
    return new Syncer({ ...this.#parts(transport), epoch, trusted: () => trusted })
  }

  #parts(transport: Transport) {
    const parts = {
      ...base,
      store: this.#store,
      items: this.#store.items,
      mailboxes: this.#mailboxes,
      shared: this.#shared,
      self: this.#self,
      transport,
    }
    return { ...parts, room: new CopyRoom({ ...parts, quotaBytes: () => quotaBytes }) }
  }

  get #online(): Line {
    if (!this.#line) throw new Error('the node is not online')
    return this.#line
  }

  dial(address: string): void {
    this.#online.transport.keep(this.#partner, [address])
  }

  async pause(): Promise<void> {
    await this.#online.syncer.close()
  }

  resume(): void {
    const { transport } = this.#online
    this.#line = { transport, syncer: this.#newSyncer(transport) }
    this.#line.syncer.start()
  }

  async put(count: number): Promise<void> {
    await this.#sameChunks.put(await this.#onlyMailbox(), count)
  }

  async lose(numbers: Numbers): Promise<void> {
    await this.#sameChunks.lose(await this.#onlyMailbox(), numbers)
  }

  get #sameChunks(): SameChunks {
    return new SameChunks(platform, this.#store.items)
  }

  async #onlyMailbox(): Promise<MailboxId> {
    for await (const { mailbox } of this.#mailboxes.hosted()) return mailbox
    throw new Error('the node hosts nothing')
  }

  async pull(isAnew: boolean): Promise<void> {
    const parts = { ...this.#parts(this.#online.transport), origins: new Origins() }
    const cursors = isAnew ? await this.#emptyCursors() : this.#store
    this.#pull = await ToldPull.begin(parts, this.#partner, cursors)
  }

  async #emptyCursors(): Promise<Store> {
    return this.#open.add(await openStore({ ...base, dir: undefined }))
  }

  async repair(): Promise<number> {
    if (!this.#pull) throw new Error('the node does not pull')
    return this.#pull.repair()
  }

  endPull(): void {
    this.#pull?.end()
  }

  /** Resolves when it holds so many items, and what the partner holds; and the partner, durably, what it was
   *  offered. */
  async until(items: number): Promise<void> {
    const isDone = async () => {
      const { verifiedMsAgo, behind = 0 } = this.#online.syncer.state(this.#partner)
      return verifiedMsAgo !== undefined && behind === 0 && (await this.items()) >= items
    }
    while (!(await isDone())) await sleep(scheduler, lookMs)
  }

  async leave(): Promise<void> {
    await this.#line?.syncer.close()
    this.#line = undefined
    await this.#open.close()
  }

  async close(): Promise<void> {
    await this.leave()
    this.#shared.close()
    await this.#store.close()
  }
}
