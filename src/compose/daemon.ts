/**
 * The story of a start: one node, from its directory to its open doors, in the order of the layers.
 * @see docs/architecture.md
 * @module
 */

import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { examineHome } from '../base/health/node-home.ts'
import { nodePlatform } from '../base/crypto/node-platform.ts'
import { NodeStampSearch } from '../base/crypto/node-stamp-search.ts'
import { StampMill } from '../base/crypto/stamp-mill.ts'
import { openStore, type Store } from '../base/store/store.ts'
import type { PeerId } from '../base/util/brand.ts'
import type { Clock, Scheduler } from '../base/util/clock.ts'
import { CloseStack } from '../base/util/close-stack.ts'
import { isAbzuError, type AbzuError } from '../base/util/errors.ts'
import type { Log } from '../base/util/log.ts'
import { systemClock, systemScheduler } from '../base/util/system-time.ts'
import { sleep } from '../base/util/wait.ts'
import { deliverProtocol, recordProtocol, timeProtocol } from '../base/wire/protocols.ts'
import { deliverHandler } from '../machine/mailbox/deliver-handler.ts'
import { startJanitor } from '../machine/mailbox/janitor.ts'
import { mailboxMetrics } from '../machine/mailbox/mailbox-metrics.ts'
import { recordConditions } from '../machine/mailbox/record-conditions.ts'
import { Mailboxes } from '../machine/mailbox/mailboxes.ts'
import { Outbox } from '../machine/mailbox/outbox.ts'
import { ClockWatch } from '../machine/node/clock-watch.ts'
import { Directory } from '../machine/node/directory.ts'
import { defaultDirectoryLimits } from '../machine/node/directory-limits.ts'
import { HeldRecords } from '../machine/node/held-records.ts'
import { ListenPorts } from '../machine/node/listen-ports.ts'
import { loadMachineIdentity } from '../machine/node/machine-identity.ts'
import { MeshPeers } from '../machine/node/mesh-peers.ts'
import { NetworkWatch } from '../machine/node/network-watch.ts'
import {
  clockFindings,
  reachabilityFindings,
  recordFindings,
  storeFindings,
  verificationFindings,
} from '../machine/node/node-findings.ts'
import { nodeMetrics } from '../machine/node/node-metrics.ts'
import { PeerBook } from '../machine/node/peer-book.ts'
import { PeerCandidates } from '../machine/node/peer-candidates.ts'
import { PeerTime, timeHandler } from '../machine/node/peer-time.ts'
import { reachability } from '../machine/node/reachability.ts'
import { RecordPublisher } from '../machine/node/record-publisher.ts'
import { recordServer } from '../machine/node/record-server.ts'
import { serveCalls } from '../machine/transport/call.ts'
import { loadLibp2pMetrics } from '../machine/transport/libp2p-metrics.ts'
import { openTransport } from '../machine/transport/open-transport.ts'
import { serveControlApi } from '../surface/api/serve.ts'
import { AccountManager } from '../user/household/account-manager.ts'
import { Authority } from '../user/household/authority.ts'
import { version } from '../version.ts'
import { holdersOf, openFederation } from './federation.ts'
import { limitPorts, limitsService } from './limits.ts'
import { openSync } from './sync.ts'
import { openDiscovery } from './discovery.ts'
import { prepareHome } from './home.ts'
import { movingPort, serveMoves } from './moving.ts'
import { carriageOf, uploadsIn, watchRecords } from './portability.ts'
import { openProcessProbe } from './process-probe.ts'
import { StoreMeter } from './store-meter.ts'

export interface System {
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly log: Log
  /** Every address of the machine's network interfaces now. */
  readonly interfaces: () => readonly string[]
  /** Called when somebody asks the daemon to stop. */
  readonly stop: () => void
}

export interface AbzuNode {
  readonly peerId: PeerId
  readonly addresses: readonly string[]
  /** Resolves with the reason when the node can acknowledge nothing any more: restart it. */
  readonly failed: Promise<AbzuError>
  close(): Promise<void>
}

/** A daemon that was killed a moment ago may still hold the lock. */
const lockPatienceMs = 2000

/** Builds and starts one node. A failed start closes what is open, last first, and rethrows.
 *  @throws {AbzuError} ABZU_HOME_IN_USE, ABZU_PORT_IN_USE, ABZU_INSECURE_MODE, ABZU_FILE_INVALID, those of the store */
export async function startNode(config: Config, system: System): Promise<AbzuNode> {
  const { clock, scheduler, log } = system
  const { limits } = config
  const platform = nodePlatform()
  const random = (length: number) => platform.random(length)
  const open = new CloseStack()
  try {
    await prepareHome(config.home)
    const probe = open.add(openProcessProbe())
    const storeMeter = new StoreMeter(clock)
    const store = open.add(await openOwnStore(config, system, storeMeter))
    const watch = open.add(
      ClockWatch.open({ clock: system.clock, scheduler, table: store.table('clock'), log }),
    )
    const identity = await loadMachineIdentity({
      file: join(config.home, 'machine.key'),
      platform,
    })
    const ports = new ListenPorts(store.table('node'))
    const libp2pMetrics = config.libp2pMetrics ? await loadLibp2pMetrics() : undefined
    const transport = open.add(
      await openTransport({
        machineSeed: identity.seed,
        tcp: ports.recall('tcp', config.tcp),
        quic: ports.recall('quic', config.quic),
        announce: config.announce,
        metrics: libp2pMetrics,
        ...system,
        random,
      }),
    )
    const peers = new PeerBook({ table: store.table('peers'), transport })
    const { trusted, service: federation } = await openFederation({
      config,
      store,
      transport,
      platform,
      peers,
      clock: watch,
      scheduler,
    })

    const mailboxes = new Mailboxes({
      platform,
      store,
      limits: limits.mailbox,
      self: identity.peerId,
      clock: watch,
      log,
    })
    const forDirectory = { platform, limits: defaultDirectoryLimits, clock, scheduler, log }
    const held = await HeldRecords.open({
      ...forDirectory,
      table: store.table('records'),
      hosted: mailboxes,
      isNear: async (key) => transport.mesh.isNear(key),
    })
    const sync = await openSync(
      {
        platform,
        store,
        mailboxes,
        held,
        trusted,
        federation,
        transport,
        clock: watch,
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
    const meshPeers = open.add(
      new MeshPeers({
        table: store.table('mesh-peers'),
        transport,
        clock,
        scheduler,
        random,
        log,
        joined: () => publisher.retry(),
      }),
    )
    const outbox = open.add(
      new Outbox({
        platform,
        store,
        transport,
        mailboxes,
        resolve: async (...asked) => directory.resolve(...asked),
        limits: limits.mailbox,
        clock: watch,
        scheduler,
        log,
      }),
    )
    open.add(startJanitor({ mailboxes, scheduler, log }))
    const stamps = open.add(new StampMill({ search: new NodeStampSearch(scheduler), scheduler }))

    const accounts = open.add(
      await AccountManager.open(
        {
          ...system,
          platform,
          clock: watch,
          tables: store,
          hosting: mailboxes,
          post: outbox,
          directory,
          restoring: sync.restorer,
          carriage: carriageOf({ platform, store, mailboxes }),
          moving: movingPort({ transport, trusted, scheduler, sync }),
          stamps,
          ...limitPorts({ items: store.items, mailboxes, outbox }),
        },
        {
          autoLockMinutes: limits.autoLockMinutes,
          zone: new Intl.DateTimeFormat().resolvedOptions().timeZone,
        },
      ),
    )

    watchRecords({ mailboxes, accounts, log })
    serveMoves({ transport, trusted, scheduler, clock, moves: accounts.moves })
    transport.handle(deliverProtocol, deliverHandler({ mailboxes, sign: identity.sign, scheduler }))
    serveCalls(transport, recordProtocol, {
      timeoutMs: 5000,
      scheduler,
      answer: recordServer({ held, limits: defaultDirectoryLimits, clock }),
    })
    serveCalls(transport, timeProtocol, { timeoutMs: 5000, scheduler, answer: timeHandler(watch) })
    await transport.listen()
    await ports.remember('tcp', config.tcp, transport.addresses())
    await ports.remember('quic', config.quic, transport.addresses())
    await outbox.start()
    await peers.start()
    trusted.start()
    sync.start()
    trusted.watch(() => accounts.homeMoved())
    await meshPeers.start()
    await publisher.start()
    open.add(sync.retire({ directory, publisher }))
    for (const address of config.peers) await peers.add(address)
    const network = open.add(new NetworkWatch({ interfaces: system.interfaces, scheduler, log }))
    network.watch(() => {
      outbox.wake()
      accounts.homeMoved()
    })
    const candidates = new PeerCandidates({ ...system, transport })
    const trusts = (peer: PeerId) => trusted.get(peer) !== undefined
    const kept = {
      wake() {
        peers.wake()
        trusted.wake()
      },
    }
    const discovery = open.add(
      openDiscovery({ config, system, transport, kept, mesh: meshPeers, network, candidates }),
    )
    await discovery.start()
    const peerTime = open.add(
      new PeerTime({
        transport,
        watch,
        isKept: (peer) => peers.keeps(peer) || trusts(peer),
        isNeighbour: (peer) => candidates.isNeighbour(peer),
        clock,
        scheduler,
        log,
      }),
    )

    const metricSources = [
      probe.metrics,
      storeMeter.metrics,
      nodeMetrics({ transport, candidates }),
      mailboxMetrics({ mailboxes, outbox }),
    ]
    const findings = async () => [
      ...(await examineHome(config.home)),
      ...storeFindings(store.report),
      ...clockFindings({
        opinions: await peerTime.ask(),
        doubt: watch.state,
        nowMs: clock.nowMs(),
      }),
      ...reachabilityFindings(reachability(transport, config)),
      ...recordFindings(
        await recordConditions({
          platform,
          mailboxes,
          clock: watch,
          hoursSincePublished: (mailbox) => publisher.hoursSincePublished(mailbox),
        }),
      ),
    ]
    const node = {
      peerId: identity.peerId,
      pid: process.pid,
      version,
      addresses: () => transport.addresses(),
      peers: () =>
        peers.list().map((peer) => ({ ...peer, kept: peer.kept || trusts(peer.peerId) })),
      nameOf: (peer: PeerId) => trusted.get(peer)?.name,
      reachability: () => reachability(transport, config),
      findings,
      verifyStore: async () => {
        const report = await store.verify()
        sync.compare()
        return verificationFindings(report)
      },
      confirmTime: async () => watch.confirm(),
      metrics: async () => ({
        own: (await Promise.all(metricSources.map(async (source) => source()))).flat(),
        foreign: (await libp2pMetrics?.text()) ?? '',
      }),
      addPeer: async (address: string) => {
        await peers.add(address)
        trusted.wake()
      },
      stop: system.stop,
    }
    open.add(
      await serveControlApi({
        config,
        services: {
          accounts,
          uploads: uploadsIn(config.home, { random, scheduler }),
          invitations: accounts.invitations,
          oversight: accounts.oversight,
          keys: accounts.keys,
          authority: new Authority({ accountOf: (nameOrId) => accounts.get(nameOrId) }),
          node,
          federation: { ...federation, ...sync.service },
          limits: limitsService({ ...sync, limits: accounts.limits, trusted }),
        },
        platform,
        clock,
        scheduler,
        log,
      }),
    )
    return {
      peerId: identity.peerId,
      addresses: transport.addresses(),
      failed: store.failure,
      close: async () => open.close(),
    }
  } catch (error) {
    throw await open.fail(error)
  }
}

async function openOwnStore(
  config: Config,
  { clock, scheduler, log }: System,
  meter: StoreMeter,
): Promise<Store> {
  const giveUpAtMs = clock.monotonicMs() + lockPatienceMs
  for (;;) {
    try {
      return await openStore({
        dir: join(config.home, 'store'),
        platform: nodePlatform(),
        clock,
        scheduler,
        log,
        decorate: meter.watch,
      })
    } catch (error) {
      if (!isAbzuError(error, 'ABZU_HOME_IN_USE') || clock.monotonicMs() > giveUpAtMs) throw error
      await sleep(scheduler, 100)
    }
  }
}

/** The system of a real machine. */
export function realSystem({ log, stop }: Pick<System, 'log' | 'stop'>): System {
  const interfaces = () =>
    Object.values(networkInterfaces()).flatMap((all = []) => all.map(({ address }) => address))
  return { clock: systemClock, scheduler: systemScheduler, log, interfaces, stop }
}
