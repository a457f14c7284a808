/**
 * The machine half of a node as far as the directory goes: a real transport on loopback, over a store in
 * memory that survives a restart.
 * @module
 */

import { randomBytes } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import { openStore, type Store } from '../../src/base/store/store.ts'
import type { MailboxId, PeerId } from '../../src/base/util/brand.ts'
import { systemClock, systemScheduler } from '../../src/base/util/system-time.ts'
import { recordProtocol } from '../../src/base/wire/protocols.ts'
import { defaultMailboxLimits } from '../../src/machine/mailbox/mailbox-limits.ts'
import { Mailboxes } from '../../src/machine/mailbox/mailboxes.ts'
import { Directory } from '../../src/machine/node/directory.ts'
import {
  defaultDirectoryLimits,
  type DirectoryLimits,
} from '../../src/machine/node/directory-limits.ts'
import { HeldRecords } from '../../src/machine/node/held-records.ts'
import { MeshPeers } from '../../src/machine/node/mesh-peers.ts'
import { RecordPublisher } from '../../src/machine/node/record-publisher.ts'
import { recordServer } from '../../src/machine/node/record-server.ts'
import { call, serveCalls } from '../../src/machine/transport/call.ts'
import { openTransport } from '../../src/machine/transport/open-transport.ts'
import { defaultTransportLimits } from '../../src/machine/transport/transport-limits.ts'
import type { Transport } from '../../src/machine/transport/transport.ts'
import { MailboxOwner } from './mailbox-owner.ts'
import { MemoryLog, until } from './transports.ts'

/** What ends with a test. */
interface Teardown {
  teardown(end: () => unknown): unknown
}

export interface MeshNodeInit {
  readonly limits?: Partial<DirectoryLimits>
  /** Answers questions about records in place of the real node. */
  readonly answer?: (request: Uint8Array) => Promise<Uint8Array>
}

const clock = systemClock
const scheduler = systemScheduler
const platform = nodePlatform()
const random = (length: number) => platform.random(length)

export class MeshNode {
  readonly log = new MemoryLog()
  readonly #init: MeshNodeInit
  readonly #machineSeed = randomBytes(32)
  #port = 0
  #store: Store | undefined
  transport!: Transport
  mailboxes!: Mailboxes
  held!: HeldRecords
  directory!: Directory
  publisher!: RecordPublisher
  peers!: MeshPeers

  private constructor(init: MeshNodeInit) {
    this.#init = init
  }

  /** A node that runs, closed with the test. */
  static async start(t: Teardown, init: MeshNodeInit = {}): Promise<MeshNode> {
    const node = new MeshNode(init)
    // pending timers of the code under test do not keep the process alive
    const alive = setInterval(() => undefined, 1000)
    t.teardown(() => clearInterval(alive))
    await node.start()
    t.teardown(async () => node.stop())
    return node
  }

  /** Survives a restart. */
  get store(): Store {
    return this.#store as Store
  }

  /** Signs with the machine key. */
  readonly sign = (bytes: Uint8Array): Uint8Array => platform.ed25519.sign(this.#machineSeed, bytes)

  get peerId(): PeerId {
    return this.transport.peerId
  }

  get address(): string {
    return this.transport.addresses()[0] as string
  }

  get port(): number {
    return this.#port
  }

  /** Starts, at the same port and with the same store as before. */
  async start(): Promise<void> {
    const { log } = this
    const limits = { ...defaultDirectoryLimits, ...this.#init.limits }
    this.#store ??= await openStore({ dir: undefined, platform, clock, scheduler, log })
    const store = this.#store
    this.transport = await openTransport({
      machineSeed: this.#machineSeed,
      tcp: [`127.0.0.1:${this.#port}`],
      limits: { ...defaultTransportLimits, resetGraceMs: 50 },
      clock,
      scheduler,
      random,
      log,
    })
    const { transport } = this
    const hosting = { platform, store, limits: defaultMailboxLimits, clock, log }
    this.mailboxes = new Mailboxes({ ...hosting, self: transport.peerId })
    const parts = { platform, limits, clock, scheduler, log, random, hosted: this.mailboxes }
    this.held = await HeldRecords.open({
      ...parts,
      table: store.table('records'),
      isNear: async (key) => transport.mesh.isNear(key),
    })
    const { held } = this
    this.directory = this.#newDirectory()
    this.publisher = new RecordPublisher({ ...parts, directory: this.directory, held })
    this.peers = new MeshPeers({
      ...parts,
      table: store.table('mesh-peers'),
      transport,
      joined: () => this.publisher.retry(),
    })
    const answer = this.#init.answer ?? recordServer({ held, limits, clock })
    serveCalls(transport, recordProtocol, { timeoutMs: 5000, scheduler, answer })
    await transport.listen()
    this.#port = Number(this.address.split('/')[4])
    await this.peers.start()
    await this.publisher.start()
  }

  async stop(): Promise<void> {
    this.publisher.close()
    this.peers.close()
    await this.transport.close()
  }

  /** Drops what it has found and not written down. */
  forget(): void {
    this.directory = this.#newDirectory()
  }

  #newDirectory(): Directory {
    const { transport, held, mailboxes: hosted, log } = this
    const limits = { ...defaultDirectoryLimits, ...this.#init.limits }
    return new Directory({ platform, limits, clock, scheduler, log, transport, held, hosted })
  }

  /** Nodes that are remembered on the disk. */
  async remembered(): Promise<number> {
    let count = 0
    for await (const _ of this.store.table('mesh-peers').range({ limit: 1000 })) count++
    return count
  }

  /** An account that is hosted here from now on. */
  async host(): Promise<MailboxOwner> {
    const owner = new MailboxOwner({
      platform,
      nowMs: clock.nowMs(),
      home: this.directory.home(),
    })
    await this.mailboxes.host(owner.rootPk, [owner.identity(), owner.record()])
    return owner
  }

  /** Connects to another node, as to a bootstrap peer. */
  async meet(other: MeshNode): Promise<void> {
    await this.transport.connect(other.address)
  }

  /** One call of the record protocol to another node. */
  async ask(other: MeshNode, request: Uint8Array): Promise<Uint8Array> {
    const { transport } = this
    const addresses = other.transport.addresses()
    return call(transport, other.peerId, recordProtocol, request, {
      addresses,
      timeoutMs: 5000,
      scheduler,
    })
  }

  /** The number of other nodes that this one knows. */
  async knows(): Promise<number> {
    return (await this.transport.mesh.known(new Uint8Array(32))).length
  }
}

/** As many others as a node of a large mesh knows before a test goes on: it learns of the rest by what it asks. */
const knownEnough = 8

/** Nodes that form one mesh, each of which was told of one other. */
export async function mesh(
  t: Teardown,
  count: number,
  init: MeshNodeInit = {},
): Promise<readonly [MeshNode, MeshNode, ...MeshNode[]]> {
  const nodes: MeshNode[] = []
  for (let n = 0; n < count; n++) {
    const node = await MeshNode.start(t, init)
    const earlier = nodes[Math.floor((n - 1) / 2)]
    if (earlier) await node.meet(earlier)
    nodes.push(node)
  }
  await known(nodes, Math.min(count - 1, knownEnough))
  return nodes as unknown as readonly [MeshNode, MeshNode, ...MeshNode[]]
}

/** Resolves when each of `nodes` knows `count` others at least. */
export async function known(nodes: readonly MeshNode[], count: number): Promise<void> {
  await least(nodes, async (node) => node.knows(), count)
}

/** Resolves when `measure` of each of `nodes` has reached `count`. */
export async function least(
  nodes: readonly MeshNode[],
  measure: (node: MeshNode) => Promise<number>,
  count: number,
): Promise<void> {
  let lowest = -1
  let lookedAtMs = 0
  const look = async (): Promise<void> => {
    // looking is work for the nodes that are looked at
    if (performance.now() - lookedAtMs < 100) return
    lookedAtMs = performance.now()
    lowest = Math.min(...(await Promise.all(nodes.map(measure))))
  }
  await until(() => (void look(), lowest >= count), `${count} at each node`)
}

/** How many of `nodes` hold a record of `mailbox` for others. */
export function holders(nodes: readonly MeshNode[], mailbox: MailboxId): number {
  return nodes.filter(({ held }) => held.get(mailbox)).length
}

/** Accepts connections at `port` and never says a word. */
export async function blackhole(t: Teardown, port: number): Promise<void> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
}
