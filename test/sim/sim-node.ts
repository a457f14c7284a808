/**
 * One simulated machine: its disk, its clock and its keys, which outlive every crash, and the node that runs
 * on it. The node is put together as src/compose/daemon.ts does it; what is missing is what needs sockets.
 * @module
 */

import { peerIdOf } from '../../src/base/crypto/address.ts'
import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import { searchInTurns, StampMill } from '../../src/base/crypto/stamp-mill.ts'
import type { ItemBody, ItemStore, ListedItem } from '../../src/base/store/item-store.ts'
import { openStore, type Store } from '../../src/base/store/store.ts'
import type { MailboxId, PeerId } from '../../src/base/util/brand.ts'
import { CloseStack } from '../../src/base/util/close-stack.ts'
import { deliverProtocol, recordProtocol, timeProtocol } from '../../src/base/wire/protocols.ts'
import { holdersOf, openFederation } from '../../src/compose/federation.ts'
import { limitPorts } from '../../src/compose/limits.ts'
import { movingPort, serveMoves } from '../../src/compose/moving.ts'
import { carriageOf, watchRecords } from '../../src/compose/portability.ts'
import { openSync, type Sync } from '../../src/compose/sync.ts'
import type { TrustedPeers } from '../../src/machine/federation/trusted-peers.ts'
import { deliverHandler } from '../../src/machine/mailbox/deliver-handler.ts'
import { startJanitor } from '../../src/machine/mailbox/janitor.ts'
import { defaultMailboxLimits } from '../../src/machine/mailbox/mailbox-limits.ts'
import { Mailboxes } from '../../src/machine/mailbox/mailboxes.ts'
import { Outbox } from '../../src/machine/mailbox/outbox.ts'
import { ClockWatch } from '../../src/machine/node/clock-watch.ts'
import { Directory } from '../../src/machine/node/directory.ts'
import { defaultDirectoryLimits } from '../../src/machine/node/directory-limits.ts'
import { HeldRecords } from '../../src/machine/node/held-records.ts'
import { PeerTime, timeHandler } from '../../src/machine/node/peer-time.ts'
import { RecordPublisher } from '../../src/machine/node/record-publisher.ts'
import { recordServer } from '../../src/machine/node/record-server.ts'
import { serveCalls } from '../../src/machine/transport/call.ts'
import type { FederationService } from '../../src/surface/api/services.ts'
import type { HostingPort } from '../../src/user/account/ports.ts'
import { AccountManager } from '../../src/user/household/account-manager.ts'
import { NodeLog } from './node-log.ts'
import { simPlatform } from './platform.ts'
import type { Random } from './random.ts'
import { SimDisk, type CrashKind, type Flip } from './sim-disk.ts'
import type { SimNetwork } from './sim-network.ts'
import { SimTransport } from './sim-transport.ts'
import { NodeTime, type Timeline, type WallClock } from './timeline.ts'
import { replacing, type Wiring } from './wiring.ts'

/** Stands between a node's copies and whoever pulls them. */
export interface CopyLies {
  /** What is given away in place of the bodies that were found. */
  bodies(
    mailbox: MailboxId,
    heads: readonly ListedItem[],
    found: readonly (ItemBody | undefined)[],
  ): (ItemBody | undefined)[]
  /** What is offered besides what is there. */
  besides(mailbox: MailboxId): readonly ListedItem[]
}

/** Answers one question about records. */
type RecordAnswer = ReturnType<typeof recordServer>

export interface SimNodeInit {
  readonly name: string
  readonly number: number
  /** Of the machine key, 32 bytes. */
  readonly machineSeed: Uint8Array
  readonly wiring: Wiring
  readonly random: Random
}

export interface SimNodeDeps {
  readonly timeline: Timeline
  readonly network: SimNetwork
}

/** A node that runs. */
export interface RunningNode {
  readonly time: NodeTime
  readonly platform: CryptoPlatform
  readonly store: Store
  readonly watch: ClockWatch
  readonly mailboxes: Mailboxes
  readonly outbox: Outbox
  readonly held: HeldRecords
  readonly directory: Directory
  readonly transport: SimTransport
  readonly trusted: TrustedPeers
  readonly federation: Pick<FederationService, 'invite' | 'accept'>
  readonly sync: Sync
  readonly accounts: AccountManager
  /** The accounts again, over another host of their mailboxes; all of them locked. */
  readonly accountsOn: (hosting: HostingPort) => Promise<AccountManager>
  readonly open: CloseStack
}

/** Accounts lock when the run says so. */
const autoLockMinutes = 0

export class SimNode {
  readonly name: string
  readonly peerId: PeerId
  readonly disk: SimDisk
  readonly wall: WallClock = { offsetMs: 0 }
  readonly log: NodeLog
  readonly flips: Flip[] = []
  /** Virtual ms of what cost it data that was durable: bit flips and restored snapshots. */
  readonly losses: number[] = []
  running: RunningNode | undefined
  /** Stands in for the record server of a node that lies. */
  answer: ((honest: RecordAnswer) => RecordAnswer) | undefined
  /** What a node that lies makes of its copies. */
  lies: CopyLies | undefined
  /** The machine is gone, or is in nobody's hands. */
  isLost = false
  readonly #deps: SimNodeDeps
  readonly #init: SimNodeInit
  readonly platform: CryptoPlatform
  readonly #machineSeed: Uint8Array
  #time: NodeTime | undefined
  #starts = 0

  constructor(deps: SimNodeDeps, init: SimNodeInit) {
    const { name, random, wiring } = init
    this.#deps = deps
    this.#init = init
    this.name = name
    this.disk = new SimDisk(random)
    this.log = new NodeLog(deps.timeline.trace, name)
    const platform = simPlatform(random)
    this.platform = wiring.platform?.(platform) ?? platform
    this.#machineSeed = init.machineSeed
    this.peerId = peerIdOf(platform.ed25519.publicKey(this.#machineSeed))
  }

  /** Neither running nor starting. */
  get isDown(): boolean {
    return this.#time === undefined
  }

  /** Starts the node. Resolves to whether it did; what hinders it is in the log.  Never resolves where it crashes on
   *  the way. */
  async start(): Promise<boolean> {
    if (this.#time || this.isLost) return this.running !== undefined
    const { timeline } = this.#deps
    const time = new NodeTime(timeline, { name: `${this.name}.${++this.#starts}`, wall: this.wall })
    this.#time = time
    try {
      const running = await this.#open(time)
      this.running = running
      void running.store.failure.then((error) => {
        this.log.failed('store-failed', error)
        this.crash('kill')
      })
      return true
    } catch (error) {
      this.log.failed('not-started', error)
      this.crash('kill')
      return false
    }
  }

  /** Ends the node as it is. Returns whether the disk has lost something that was written. */
  crash(kind: CrashKind): boolean {
    if (!this.#time) return false
    this.#deps.timeline.trace.note(`${this.name} ${kind}`)
    this.#time.end()
    this.#time = undefined
    this.running = undefined
    this.#deps.network.detach(this.peerId, kind)
    return this.disk.crash(kind)
  }

  /** Ends the node in good order. */
  async stop(): Promise<void> {
    const { running } = this
    if (!running) return
    try {
      await running.open.close()
    } catch (error) {
      this.log.failed('not-closed', error)
    }
    if (this.running === running) this.crash('kill')
  }

  /** What the node shows of its copies. */
  #shown(items: ItemStore): ItemStore {
    const lies = (): CopyLies | undefined => this.lies
    return replacing(items, {
      bodies: async (mailbox, heads) => {
        const found = await items.bodies(mailbox, heads)
        return lies()?.bodies(mailbox, heads, found) ?? found
      },
      async *news(mailbox, range) {
        yield* items.news(mailbox, range)
        const more = lies()?.besides(mailbox) ?? []
        if (more.length > 0) yield more
      },
    })
  }

  async #open(time: NodeTime): Promise<RunningNode> {
    const { wiring, number } = this.#init
    const { network } = this.#deps
    const platform = this.platform
    const log = wiring.log?.(this.log.open()) ?? this.log.open()
    const scheduler = time
    const random = (length: number): Uint8Array => platform.random(length)
    const open = new CloseStack()
    const files = this.disk.open(time, wiring.vices)
    const { media } = wiring
    const realStore = open.add(
      await openStore({
        dir: undefined,
        openFiles: async () => files,
        platform,
        clock: time,
        scheduler,
        log,
        limits: { idFilterBytes: 1024 },
        ...(media && { decorate: media }),
      }),
    )
    if (realStore.report.lostCommits > 0) this.log.damage.push('lost-commits')
    const store = wiring.store?.(realStore, time) ?? realStore
    const watch = open.add(
      ClockWatch.open({ clock: time, scheduler, table: store.table('clock'), log }),
    )
    const clock = wiring.clock?.(watch, time) ?? watch
    const transport = open.add(
      new SimTransport(
        { network, platform, time, log },
        { peerId: this.peerId, name: this.name, number },
      ),
    )
    const limits = defaultMailboxLimits
    const mailboxes = new Mailboxes({ platform, store, limits, self: this.peerId, clock, log })
    const { trusted, service: federation } = await openFederation({
      config: { nodeName: this.name },
      store: realStore,
      transport,
      platform,
      peers: { addressesOf: () => [] },
      clock,
      scheduler,
    })
    const forDirectory = { platform, limits: defaultDirectoryLimits, clock: time, scheduler, log }
    const records = store.table('records')
    const held = await HeldRecords.open({
      ...forDirectory,
      table: wiring.records?.(records) ?? records,
      hosted: mailboxes,
      isNear: async (key) => transport.mesh.isNear(key),
    })
    const sync = await openSync(
      {
        platform,
        store: replacing(realStore, { items: this.#shown(store.items) }),
        mailboxes: wiring.pulling?.(mailboxes, time) ?? mailboxes,
        held,
        trusted,
        federation,
        transport,
        clock,
        scheduler,
        log,
      },
      open,
    )
    const directory = new Directory({
      ...forDirectory,
      transport,
      hosted: mailboxes,
      held,
      holders: (among) => holdersOf(trusted, among),
      isCovered: sync.isCovered,
      hasParted: (peerId) => trusted.hasParted(peerId as PeerId),
    })
    const publisher = open.add(
      new RecordPublisher({ ...forDirectory, directory, held, hosted: mailboxes, random }),
    )
    const stopWatching = transport.watch(({ connected }) => connected && publisher.retry())
    open.add({ close: stopWatching })
    const outbox = open.add(
      new Outbox({
        platform,
        store,
        transport: wiring.outbound?.(transport) ?? transport,
        mailboxes,
        resolve: async (...asked) => directory.resolve(...asked),
        limits,
        clock,
        scheduler,
        log,
      }),
    )
    open.add(startJanitor({ mailboxes, scheduler, log }))
    const stamps = open.add(
      new StampMill({ search: searchInTurns(platform, scheduler), scheduler }),
    )
    const forAccounts = {
      platform,
      clock,
      scheduler,
      log,
      tables: store,
      post: wiring.post?.(outbox, time) ?? outbox,
      directory: wiring.directory?.(directory) ?? directory,
      restoring: sync.restorer,
      carriage: carriageOf({ platform, store, mailboxes }),
      moving: movingPort({ transport, trusted, scheduler, sync }),
      stamps,
      ...limitPorts({ items: store.items, mailboxes, outbox }),
    }
    const accountsOn = async (hosting: HostingPort): Promise<AccountManager> =>
      AccountManager.open({ ...forAccounts, hosting }, { autoLockMinutes })
    const accounts = open.add(await accountsOn(wiring.hosting?.(mailboxes, time) ?? mailboxes))
    watchRecords({ mailboxes, accounts, log })
    serveMoves({ transport, trusted, scheduler, clock: time, moves: accounts.moves })
    const sign = (bytes: Uint8Array): Uint8Array => platform.ed25519.sign(this.#machineSeed, bytes)
    const inbound = wiring.inbound?.(mailboxes) ?? mailboxes
    transport.handle(deliverProtocol, deliverHandler({ mailboxes: inbound, sign, scheduler }))
    const honest = recordServer({ held, limits: defaultDirectoryLimits, clock: time })
    const answer: RecordAnswer = async (...call) => (this.answer?.(honest) ?? honest)(...call)
    serveCalls(transport, recordProtocol, { timeoutMs: 5000, scheduler, answer })
    serveCalls(transport, timeProtocol, { timeoutMs: 5000, scheduler, answer: timeHandler(watch) })
    await transport.listen()
    await outbox.start()
    sync.start()
    trusted.watch(() => accounts.homeMoved())
    await publisher.start()
    open.add(sync.retire({ directory, publisher }))
    open.add(
      new PeerTime({
        transport,
        watch,
        isKept: () => true,
        isNeighbour: () => false,
        clock: time,
        scheduler,
        log,
      }),
    )
    return {
      time,
      platform,
      store: realStore,
      watch,
      mailboxes,
      outbox,
      held,
      directory,
      transport,
      trusted,
      federation,
      sync,
      accounts,
      accountsOn,
      open,
    }
  }
}
