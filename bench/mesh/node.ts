/**
 * A node as a daemon puts it together, without its API, and meshes of them in one process. The nodes share
 * a thread: what one waits for, the work of the others included.
 * @module
 */

import { argon2Floor } from '../../src/base/crypto/password.ts'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import { NodeStampSearch } from '../../src/base/crypto/node-stamp-search.ts'
import { StampMill } from '../../src/base/crypto/stamp-mill.ts'
import { openStore, type Store } from '../../src/base/store/store.ts'
import { AbzuError } from '../../src/base/util/errors.ts'
import { silentLog } from '../../src/base/util/log.ts'
import { sleep, withTimeout } from '../../src/base/util/wait.ts'
import { deliverProtocol, recordProtocol } from '../../src/base/wire/protocols.ts'
import { limitPorts } from '../../src/compose/limits.ts'
import { Carriage } from '../../src/machine/mailbox/carriage.ts'
import { deliverHandler } from '../../src/machine/mailbox/deliver-handler.ts'
import { defaultMailboxLimits } from '../../src/machine/mailbox/mailbox-limits.ts'
import { Mailboxes } from '../../src/machine/mailbox/mailboxes.ts'
import { Outbox } from '../../src/machine/mailbox/outbox.ts'
import { Directory } from '../../src/machine/node/directory.ts'
import { defaultDirectoryLimits } from '../../src/machine/node/directory-limits.ts'
import { HeldRecords } from '../../src/machine/node/held-records.ts'
import { RecordPublisher } from '../../src/machine/node/record-publisher.ts'
import { recordServer } from '../../src/machine/node/record-server.ts'
import { serveCalls } from '../../src/machine/transport/call.ts'
import { openTransport } from '../../src/machine/transport/open-transport.ts'
import type { Transport } from '../../src/machine/transport/transport.ts'
import { AccountManager } from '../../src/user/household/account-manager.ts'
import type { PartContext } from '../harness.ts'

export const platform = nodePlatform()
const random = (length: number) => platform.random(length)

export interface NodeInit {
  /** Of its store; undefined for one in memory. */
  readonly dir?: string
  /** Whether it keeps records of others. One that does not is as far from every record as most nodes of a
   *  large mesh are; in a small one it would hold them all. */
  readonly holds: boolean
}

export interface MeshNode {
  readonly store: Store
  readonly transport: Transport
  readonly mailboxes: Mailboxes
  readonly held: HeldRecords
  readonly directory: Directory
  /** Signs with the machine key. */
  readonly sign: (bytes: Uint8Array) => Uint8Array
}

/** A node that listens at 127.0.0.1. `context.open` takes it. */
export async function startNode(
  { clock, scheduler, open }: PartContext,
  { dir, holds }: NodeInit,
): Promise<MeshNode> {
  const base = { platform, clock, scheduler, log: silentLog }
  const machineSeed = platform.random(32)
  const store = open.add(await openStore({ ...base, dir }))
  const transport = open.add(
    await openTransport({ ...base, machineSeed, random, tcp: ['127.0.0.1:0'] }),
  )
  const self = transport.peerId
  const mailboxes = new Mailboxes({ ...base, store, limits: defaultMailboxLimits, self })
  const forDirectory = { ...base, limits: defaultDirectoryLimits, hosted: mailboxes }
  const held = await HeldRecords.open({
    ...forDirectory,
    table: store.table('records'),
    isNear: async (key) => holds && (await transport.mesh.isNear(key)),
  })
  const directory = new Directory({ ...forDirectory, transport, held })
  const answer = recordServer({ ...forDirectory, held })
  serveCalls(transport, recordProtocol, { timeoutMs: 5000, scheduler, answer })
  await transport.listen()
  const sign = (bytes: Uint8Array) => platform.ed25519.sign(machineSeed, bytes)
  return { store, transport, mailboxes, held, directory, sign }
}

/** The user half over a node, and what it sends and receives by. `context.open` takes it. */
export async function openAccounts(
  { clock, scheduler, open }: PartContext,
  { store, transport, mailboxes, held, directory, sign }: MeshNode,
): Promise<AccountManager> {
  const base = { platform, clock, scheduler, log: silentLog }
  const limits = defaultMailboxLimits
  const publishing = { ...base, limits: defaultDirectoryLimits, hosted: mailboxes, random }
  const publisher = open.add(new RecordPublisher({ ...publishing, directory, held }))
  const outbox = open.add(new Outbox({ ...base, store, transport, mailboxes, limits }))
  const stamps = open.add(new StampMill({ search: new NodeStampSearch(scheduler), scheduler }))
  const carriage = new Carriage({ ...base, items: store.items, mailboxes })
  const ports = { tables: store, hosting: mailboxes, post: outbox, directory, carriage }
  const nobody = async () => {
    throw new AbzuError('ABZU_NOT_YET', 'nobody comes or goes here')
  }
  const restoring = { restore: nobody }
  const moving = {
    peer: () => {
      throw new AbzuError('ABZU_NOT_FOUND', 'no node is paired here')
    },
    announce: nobody,
    hasAll: async () => false,
    taken: () => undefined,
  }
  const accounts = open.add(
    await AccountManager.open(
      {
        ...base,
        ...ports,
        restoring,
        moving,
        stamps,
        ...limitPorts({ items: store.items, mailboxes, outbox }),
      },
      { autoLockMinutes: 0, passwordCost: argon2Floor },
    ),
  )
  transport.handle(deliverProtocol, deliverHandler({ mailboxes, sign, scheduler }))
  await outbox.start()
  await publisher.start()
  return accounts
}

/** Nodes each of which is connected to each and knows it. */
export async function startMesh(
  context: PartContext,
  inits: readonly NodeInit[],
): Promise<MeshNode[]> {
  const nodes: MeshNode[] = []
  for (const init of inits) {
    const node = await startNode(context, init)
    for (const { transport } of nodes) {
      await node.transport.connect(transport.addresses(), context.signal)
    }
    nodes.push(node)
  }
  const anywhere = new Uint8Array(32)
  await until(context, 'all nodes to know all others', async () => {
    const known = await Promise.all(nodes.map(({ transport }) => transport.mesh.known(anywhere)))
    return known.every(({ length }) => length >= nodes.length - 1)
  })
  return nodes
}

const patienceMs = 30_000
const lookMs = 20

/** Resolves once `condition` holds; looks every 20 ms.
 *  @throws {AbzuError} ABZU_TIMEOUT after 30 s */
export async function until(
  { scheduler, signal }: Pick<PartContext, 'scheduler' | 'signal'>,
  what: string,
  condition: () => Promise<boolean>,
): Promise<void> {
  const bound = { timeoutMs: patienceMs, what: `waiting for ${what}`, signal }
  await withTimeout(scheduler, bound, async (signal) => {
    while (!(await condition())) await sleep(scheduler, lookMs, signal)
  })
}
