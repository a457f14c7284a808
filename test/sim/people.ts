import { mailboxIdOf, rootKeyOf } from '../../src/base/crypto/address.ts'
import type { AccountId, MailboxId } from '../../src/base/util/brand.ts'
import { utf8 } from '../../src/base/util/bytes.ts'
import type { Member } from '../../src/user/household/member.ts'
import type { SimNode } from './sim-node.ts'

/** Somebody with an account on a node. */
export class Person {
  readonly name: string
  /** Where the account has lived, in this order; the last one is its home. */
  readonly homes: SimNode[]
  /** Whom it can write to. */
  readonly contacts: Person[] = []
  /** Whether the account is meant to be open while its node runs. */
  wantsOpen = true
  /** Where it was to move, come what may. */
  readonly chosen: SimNode[] = []
  /** 24, by which the account comes back. */
  words: readonly string[] = []
  #id: AccountId | undefined

  constructor(name: string, node: SimNode) {
    this.name = name
    this.homes = [node]
  }

  get node(): SimNode {
    return this.homes.at(-1) as SimNode
  }

  get #nodes(): SimNode[] {
    return [...new Set([...this.homes, ...this.chosen])]
  }

  /** Virtual ms at which a home of the account has lost durable data, by no fault of its own. */
  get losses(): number[] {
    return this.#nodes.flatMap(({ losses }) => losses)
  }

  /** A bit of what was stored at one of its homes was flipped. */
  get isDamaged(): boolean {
    return this.#nodes.some(({ flips }) => flips.length > 0)
  }

  get password(): Uint8Array {
    return utf8(`the password of ${this.name}`)
  }

  /** Whether a node says that the account lives there. */
  livesAt({ running }: SimNode): boolean {
    const found = running?.accounts.list().find(({ id }) => id === this.#id)
    return found !== undefined && found.movedTo === undefined && !found.isAnnounced
  }

  /** Looks for the account where it lives now. */
  follow(nodes: readonly SimNode[]): void {
    if (this.livesAt(this.node)) return
    const home = nodes.find((node) => this.livesAt(node))
    if (home) this.homes.push(home)
  }

  get hasAccount(): boolean {
    return this.#id !== undefined
  }

  get id(): AccountId {
    if (this.#id === undefined) throw new Error(`${this.name} has no account yet`)
    return this.#id
  }

  set id(id: AccountId) {
    this.#id = id
  }

  get rootPk(): Uint8Array {
    return rootKeyOf(this.id)
  }

  mailbox(): MailboxId {
    const { platform } = this.node
    return mailboxIdOf(platform, this.rootPk)
  }

  /** The person while the node runs and the account is unlocked. */
  member(): Member | undefined {
    const { running } = this.node
    const summary = running?.accounts.list().find(({ id }) => id === this.#id)
    if (!running || !summary || summary.locked) return undefined
    return running.accounts.member(this.id)
  }
}

/** A text that somebody wrote, and what is known of its way. */
export interface Letter {
  readonly text: string
  readonly from: Person
  readonly to: Person
  readonly atMs: number
  /** How wrong the clock of the sender's node was then. */
  readonly skewMs: number
  /** The node said that it is durable. */
  isPromised: boolean
  /** The node has said that it was delivered, at this virtual time. */
  deliveredAtMs?: number
}
