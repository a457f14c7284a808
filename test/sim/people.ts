import { mailboxIdOf, rootKeyOf } from '../../src/base/crypto/address.ts'
import type { AccountId, MailboxId } from '../../src/base/util/brand.ts'
import type { Member } from '../../src/user/household/member.ts'
import type { SimNode } from './sim-node.ts'

/** Somebody with an account on a node. */
export class Person {
  readonly name: string
  readonly node: SimNode
  /** Whom it can write to. */
  readonly contacts: Person[] = []
  /** Whether the account is meant to be open while its node runs. */
  wantsOpen = true
  #id: AccountId | undefined

  constructor(name: string, node: SimNode) {
    this.name = name
    this.node = node
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
