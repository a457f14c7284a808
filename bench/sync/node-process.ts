/** A node as the benchmark sees it. @module */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { peerIdOf } from '../../src/base/crypto/address.ts'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import type { PeerId } from '../../src/base/util/brand.ts'
import { sleep } from '../../src/base/util/wait.ts'
import { Forked } from '../forked.ts'
import type { PartContext } from '../harness.ts'
import type {
  FromNode,
  Growth,
  NewAccount,
  NodeInit,
  NodeUsage,
  Numbers,
  ToNode,
} from './node-messages.ts'

const platform = nodePlatform()
/** A growth by a million items, or their copy, on a slow disk. */
const patienceMs = 600_000
const quietMs = 300

type Context = Pick<PartContext, 'scheduler' | 'open' | 'scratchDir'>

export class NodeProcess {
  readonly #context: Context
  readonly #init: NodeInit
  #forked: Forked<ToNode, FromNode>

  private constructor(context: Context, init: NodeInit) {
    this.#context = context
    this.#init = init
    this.#forked = this.#fork()
  }

  /** A home and a holder, each with an empty store, offline. `context.open` takes them. */
  static async pair(context: Context): Promise<[NodeProcess, NodeProcess]> {
    const [home, holder] = [await made(context, 'home'), await made(context, 'holder')]
    const nodes = [
      new NodeProcess(context, { ...home, partner: peerOf(holder) }),
      new NodeProcess(context, { ...holder, partner: peerOf(home) }),
    ] as const
    for (const node of nodes) await node.#start()
    return [...nodes]
  }

  /** One with an empty store, offline, that trusts nobody. `context.open` takes it. */
  static async start(context: Context, name: string): Promise<NodeProcess> {
    const node = new NodeProcess(context, await made(context, name))
    await node.#start()
    return node
  }

  /** Resolves when both hold so many items, the same, and durably. */
  static async level(one: NodeProcess, other: NodeProcess, items: number): Promise<void> {
    await Promise.all([one.until(items), other.until(items)])
  }

  #fork(): Forked<ToNode, FromNode> {
    return new Forked(new URL('node.ts', import.meta.url), this.#context)
  }

  async #start(): Promise<void> {
    await this.#forked.ask({ kind: 'start', init: this.#init }, 'done')
  }

  get peerId(): PeerId {
    return peerOf(this.#init)
  }

  get pid(): number {
    return this.#forked.child.pid
  }

  /** Ends the process without a word. */
  async kill(): Promise<void> {
    this.#forked.child.kill()
    await this.#forked.child.exited
  }

  /** Closes everything in good order and ends the process. */
  async stop(): Promise<void> {
    await this.#forked.child.close()
  }

  /** A new process over what the last one left; offline. */
  async restart(): Promise<void> {
    this.#forked = this.#fork()
    await this.#start()
  }

  async grow(growth: Growth): Promise<void> {
    await this.#do({ kind: 'grow', growth })
  }

  async host({ rootPk, slots }: NewAccount): Promise<void> {
    await this.#do({ kind: 'host', account: { rootPk, slots } })
  }

  /** Goes online. Returns where it is. */
  async join(): Promise<string> {
    return (await this.#forked.ask({ kind: 'join' }, 'joined')).address
  }

  async leave(): Promise<void> {
    await this.#do({ kind: 'leave' })
  }

  /** Resolves at once: it stays connected to the other from now on. */
  async dial(address: string): Promise<void> {
    await this.#do({ kind: 'dial', address })
  }

  async pause(): Promise<void> {
    await this.#do({ kind: 'pause' })
  }

  async resume(): Promise<void> {
    await this.#do({ kind: 'resume' })
  }

  /** Resolves when it has so many items, and all that the other has, and the other what this one offered it. */
  async until(items: number): Promise<void> {
    await this.#do({ kind: 'await', items })
  }

  /** Chunks that the other node has as well, if told the same. */
  async put(count: number): Promise<void> {
    await this.#do({ kind: 'put', count })
  }

  async lose(numbers: Numbers): Promise<void> {
    await this.#do({ kind: 'lose', numbers })
  }

  /** Pulls, while it is paused, until it has all that is new to its cursor, or to an empty one. */
  async pull({ isAnew }: { isAnew: boolean }): Promise<void> {
    await this.#do({ kind: 'pull', isAnew })
  }

  /** Within that pull. Returns how many items were lacking. */
  async repair(): Promise<number> {
    return (await this.#forked.ask({ kind: 'repair' }, 'repaired', patienceMs)).items
  }

  async endPull(): Promise<void> {
    await this.#do({ kind: 'end-pull' })
  }

  async usage(): Promise<NodeUsage> {
    return (await this.#forked.ask({ kind: 'usage' }, 'usage')).usage
  }

  /** Bytes over its sockets so far, once no more go over them for a while. */
  async quietBytes(): Promise<number> {
    for (let before = -1; ;) {
      const { wireBytes } = await this.usage()
      if (wireBytes === before) return wireBytes
      before = wireBytes
      await sleep(this.#context.scheduler, quietMs)
    }
  }

  async #do(message: ToNode): Promise<void> {
    await this.#forked.ask(message, 'done', patienceMs)
  }
}

async function made({ scratchDir }: Context, name: string): Promise<NodeInit> {
  const dir = join(scratchDir, name)
  await mkdir(dir, { mode: 0o700 })
  return { dir, machineSeed: platform.random(32) }
}

function peerOf({ machineSeed }: NodeInit): PeerId {
  return peerIdOf(platform.ed25519.publicKey(machineSeed))
}
