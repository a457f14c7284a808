import type { MailboxId } from '../../src/base/util/brand.ts'
import { mapKey } from '../../src/base/util/bytes.ts'
import type {
  MailboxTier,
  MailboxUse,
  NodeTier,
  TierPort,
  UsePort,
} from '../../src/user/account/ports.ts'

/** Keeps what it is told, and bounds nobody by it. */
export class MemoryTiers implements TierPort {
  readonly defaults: MailboxTier & NodeTier = {
    accountInbound: { perSecond: 100, burst: 1000 },
    accountOutbound: { perSecond: 50, burst: 500 },
    outboxItemsMax: 10_000,
    contactItemsMax: 100_000,
    contactBytesMax: 500_000_000,
    slotItemsMax: 1_000_000,
    slotBytesMax: 2_000_000_000,
    nodeInbound: { perSecond: 2000, burst: 10_000 },
    nodeOutbound: { perSecond: 1500, burst: 7500 },
    peerInbound: { perSecond: 200, burst: 2000 },
    peerOutbound: { perSecond: 150, burst: 1500 },
    householdBytesMax: 1e12,
  }
  readonly told = new Map<string, MailboxTier>()
  node: NodeTier | undefined

  of(mailbox: MailboxId): MailboxTier | undefined {
    return this.told.get(mapKey(mailbox))
  }

  tell(mailbox: MailboxId, tier: MailboxTier): void {
    this.told.set(mapKey(mailbox), tier)
  }

  forget(mailbox: MailboxId): void {
    this.told.delete(mapKey(mailbox))
  }

  tellNode(tier: NodeTier): void {
    this.node = tier
  }
}

const use: MailboxUse = {
  sending: 1,
  receiving: 2,
  outboxItems: 3,
  mailItems: 4,
  mailBytes: 5,
  vaultItems: 6,
  vaultBytes: 7,
}

/** Everybody uses the same. */
export const memoryUse: UsePort = {
  of: () => use,
  ofNode: async () => ({ sending: 1, receiving: 2, householdBytes: 12 }),
}
