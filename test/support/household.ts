/** Households on nodes in memory: what tests of accounts and messages start from. @module */

import { peerIdOf } from '../../src/base/crypto/address.ts'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import { StampMill, type StampSearch } from '../../src/base/crypto/stamp-mill.ts'
import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import { concatBytes, utf8 } from '../../src/base/util/bytes.ts'
import { silentLog, type Log } from '../../src/base/util/log.ts'
import {
  AccountManager,
  type AccountManagerInit,
} from '../../src/user/household/account-manager.ts'
import type { MovingPort } from '../../src/user/account/ports.ts'
import type { Member } from '../../src/user/household/member.ts'
import type { InboxMessage, MessageReport } from '../../src/user/message/messages.ts'
import { ManualTime } from './manual-time.ts'
import { MemoryNetwork, MemoryNode } from './memory-ports.ts'
import { MemoryCarriage } from './memory-carriage.ts'
import { unpaired } from './memory-moving.ts'
import { MemoryRestore } from './memory-restore.ts'
import { stampFor } from './stamps.ts'
import { verifiedOnce } from './verified-once.ts'

export const password = utf8('correct horse')

const { ed25519 } = nodePlatform()
const verify = verifiedOnce(ed25519.verify)

/** node:crypto, with a password hash that takes no time, and signatures that are verified once. */
export function quickPlatform(): CryptoPlatform {
  const platform = nodePlatform()
  return {
    ...platform,
    ed25519: { ...platform.ed25519, verify },
    argon2id: async (secret, salt) => platform.sha256(concatBytes(salt, secret)),
  }
}

/** Nodes that share a network and a clock. */
export class World {
  readonly network = new MemoryNetwork()
  readonly time = new ManualTime()
  readonly platform: CryptoPlatform
  /** What accounts leave a node by; those of others stay. */
  readonly moving = new Map<MemoryNode, MovingPort>()
  readonly #restoring = new Map<MemoryNode, MemoryRestore>()
  /** Finds every stamp in one turn of the event loop, so that `settle` waits for it. */
  stampSearch: StampSearch = {
    search: async ({ mailbox, item, bits }) => stampFor(this.platform, { mailbox, item, bits }),
  }

  constructor(platform: CryptoPlatform = quickPlatform()) {
    this.platform = platform
  }

  node(): MemoryNode {
    const parts = { platform: this.platform, clock: this.time }
    const machinePk = this.platform.ed25519.publicKey(this.platform.random(32))
    return new MemoryNode(this.network, peerIdOf(machinePk), parts)
  }

  /** What brings mailboxes to `node`. */
  restoring(node: MemoryNode): MemoryRestore {
    const parts = { platform: this.platform, clock: this.time }
    const restoring = this.#restoring.get(node) ?? new MemoryRestore(node, parts)
    this.#restoring.set(node, restoring)
    return restoring
  }

  /** What carries mailboxes out of `node` and into it. */
  carriage(node: MemoryNode): MemoryCarriage {
    return new MemoryCarriage(node, { platform: this.platform, clock: this.time })
  }

  /** Without an automatic lock, where `init` does not say otherwise. */
  async manager(
    node: MemoryNode,
    { log = silentLog, ...init }: AccountManagerInit & { log?: Log } = {},
  ): Promise<AccountManager> {
    const { platform, time } = this
    const { tables, hosting, post, directory } = node
    const restoring = this.restoring(node)
    const carriage = this.carriage(node)
    const stamps = new StampMill({ search: this.stampSearch, scheduler: time })
    const limits = { tiers: node.tiers, use: node.use }
    const parts = {
      platform,
      tables,
      hosting,
      post,
      directory,
      restoring,
      carriage,
      moving: this.moving.get(node) ?? unpaired,
      stamps,
      log,
      ...limits,
    }
    const settings = { autoLockMinutes: 0, ...init }
    return AccountManager.open({ ...parts, clock: time, scheduler: time }, settings)
  }

  /** A node with one unlocked account. */
  async household(name: string): Promise<Household> {
    const node = this.node()
    const manager = await this.manager(node)
    const { member, words } = await manager.create({ name, role: 'admin', password })
    return { node, manager, member, words }
  }

  async settle(): Promise<void> {
    await this.network.settle()
  }

  /** Ends a household and starts it again from its disk: after a crash, where the disk has failed, since
   *  nothing is written any more while it ends. */
  async restart(household: Household): Promise<Household> {
    const { node, member } = household
    await household.manager.close()
    node.revive()
    const manager = await this.manager(node)
    return { ...household, manager, member: await manager.unlock(member.id, password) }
  }
}

export interface Household {
  readonly node: MemoryNode
  readonly manager: AccountManager
  readonly member: Member
  readonly words: readonly string[]
}

/** Two households; the first has added the second under its name. */
export async function acquainted(
  world: World = new World(),
): Promise<{ world: World; alice: Household; bob: Household }> {
  const alice = await world.household('alice')
  const bob = await world.household('bob')
  await alice.member.contacts.add({ link: await bob.member.contacts.link(), as: 'bob' })
  return { world, alice, bob }
}

/** As `acquainted`, and the second has accepted the first's request. */
export async function befriended(
  world: World = new World(),
): Promise<{ world: World; alice: Household; bob: Household }> {
  const pair = await acquainted(world)
  const { alice, bob } = pair
  await alice.member.messages.send({ to: 'bob', text: 'it is me' })
  await world.settle()
  await bob.member.contacts.add({ link: alice.member.id, as: 'alice' })
  await world.settle()
  return pair
}

export async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const value of values) all.push(value)
  return all
}

export async function inboxOf({ member }: Pick<Household, 'member'>): Promise<InboxMessage[]> {
  return collect(member.messages.inbox())
}

export async function textsOf(household: Pick<Household, 'member'>): Promise<string[]> {
  return (await inboxOf(household)).map(({ text }) => text)
}

export async function statesOf(
  { member }: Pick<Household, 'member'>,
  msgId: string,
): Promise<MessageReport['state'][]> {
  return (await member.messages.show(msgId)).history.map(({ state }) => state)
}
