import type { MailboxId } from '../../base/util/brand.ts'
import { mapKey } from '../../base/util/bytes.ts'
import type { MailboxLimits } from './mailbox-limits.ts'

/** What one mailbox may have and do. */
export type MailboxTier = Pick<
  MailboxLimits,
  | 'accountInbound'
  | 'accountOutbound'
  | 'outboxItemsMax'
  | 'contactItemsMax'
  | 'contactBytesMax'
  | 'slotItemsMax'
  | 'slotBytesMax'
>

/** What the node does for all mailboxes together. */
export type NodeTier = Pick<
  MailboxLimits,
  'nodeInbound' | 'nodeOutbound' | 'peerInbound' | 'peerOutbound' | 'householdBytesMax'
>

/** The limits that may change while the node runs: of each mailbox whose account lives here, and of the node. Each holds
 *  from the next call on; nothing that is stored goes because of one. */
export class MailboxTiers {
  /** What holds where nothing was told. */
  readonly defaults: MailboxLimits
  readonly #told = new Map<string, MailboxTier>()
  #node: NodeTier

  constructor(limits: MailboxLimits) {
    this.defaults = limits
    this.#node = limits
  }

  /** Of a mailbox by its key; of one that nobody told of, what holds for all. */
  of(key: string): MailboxTier {
    return this.#told.get(key) ?? this.defaults
  }

  /** Whether the mailbox is of somebody who lives here, as far as was told. */
  isOfHousehold(key: string): boolean {
    return this.#told.has(key)
  }

  /** People who live here. */
  get household(): number {
    return this.#told.size
  }

  get node(): NodeTier {
    return this.#node
  }

  tell(mailbox: MailboxId, tier: MailboxTier): void {
    this.#told.set(mapKey(mailbox), tier)
  }

  forget(mailbox: MailboxId): void {
    this.#told.delete(mapKey(mailbox))
  }

  tellNode(tier: NodeTier): void {
    this.#node = tier
  }
}
