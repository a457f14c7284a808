/** What accounts move by between nodes in memory: it copies as sync does, and hands over what a home announces. @module */

import { peerNamedBy } from '../../src/base/crypto/address.ts'
import type { MailboxId, PeerId } from '../../src/base/util/brand.ts'
import { mapKey } from '../../src/base/util/bytes.ts'
import { AbzuError } from '../../src/base/util/errors.ts'
import {
  decodeMoveRequest,
  encodeMoveRequest,
  type ComingAccount,
} from '../../src/base/wire/move.ts'
import type { Host } from '../../src/base/wire/records.ts'
import type { MovingPort } from '../../src/user/account/ports.ts'
import type { AccountManager } from '../../src/user/household/account-manager.ts'
import type { World } from './household.ts'
import type { MemoryNode } from './memory-ports.ts'

/** Of a node that is paired with nobody. */
export const unpaired: MovingPort = {
  peer() {
    throw new AbzuError('ABZU_NOT_FOUND', 'no trusted peer of that name')
  },
  announce: async () => {
    throw new AbzuError('ABZU_DENIED', 'this node is not paired with yours')
  },
  hasAll: async () => false,
  taken: () => undefined,
}

/** Of a node that is paired with one other, which keeps copies for it. */
export class MemoryMoving implements MovingPort {
  readonly #world: World
  readonly #from: MemoryNode
  readonly #to: MemoryNode
  /** The accounts of the other node, while it runs. */
  there: AccountManager | undefined
  /** Called with what is announced, before the other node hears of it. */
  onAnnounce: (coming: ComingAccount) => Promise<void> = async () => undefined

  constructor(world: World, from: MemoryNode, to: MemoryNode) {
    this.#world = world
    this.#from = from
    this.#to = to
    from.holders = [{ peerId: to.peerId, role: 'replica', addresses: to.addresses }]
  }

  peer(nameOrAddress: string): PeerId {
    if (nameOrAddress.includes('/')) return peerNamedBy(nameOrAddress)
    if (nameOrAddress === 'friend') return this.#to.peerId
    throw new AbzuError('ABZU_NOT_FOUND', 'no trusted peer of that name')
  }

  async announce(to: PeerId, coming: ComingAccount): Promise<Host> {
    await this.onAnnounce(coming)
    if (!this.there || to !== this.#to.peerId) throw new AbzuError('ABZU_UNREACHABLE', 'not there')
    return this.there.moves.expect(this.#from.peerId, decodeMoveRequest(encodeMoveRequest(coming)))
  }

  async hasAll(mailbox: MailboxId, peer: PeerId): Promise<boolean> {
    if (peer !== this.#to.peerId || !this.there || !this.#to.isOnline) return false
    await this.sync(mailbox)
    return true
  }

  taken(): number | undefined {
    return this.there && this.#to.isOnline ? 1 : undefined
  }

  /** Brings everything that the one node has of a mailbox to the other. */
  async sync(mailbox: MailboxId): Promise<void> {
    const rootPk = this.#from.mailboxes.get(mapKey(mailbox))!.rootPk
    const out = this.#world.carriage(this.#from)
    const into = this.#world.carriage(this.#to)
    let isFirst = true
    for await (const items of collected(out.copies(mailbox))) {
      if (isFirst) await into.begin(rootPk, items)
      isFirst = false
      await into.take(mailbox, items)
    }
    await this.there?.moves.recordChanged(rootPk)
  }
}

/** The first two items together: a mailbox begins by its identity and its record. */
async function* collected<T>(pages: AsyncIterable<readonly T[]>): AsyncGenerator<readonly T[]> {
  let first: T[] | undefined = []
  for await (const page of pages) {
    if (!first) yield page
    else if (first.push(...page) >= 2) {
      yield first
      first = undefined
    }
  }
}
