import type { PeerId } from '../../base/util/brand.ts'
import type { Clock } from '../../base/util/clock.ts'
import { FairShare } from '../../base/util/fair-share.ts'
import { RateLimiter } from '../../base/util/gcra.ts'
import type { MailboxLimits } from './mailbox-limits.ts'
import type { MailboxTiers } from './mailbox-tiers.ts'

/** How fast mail through doors is taken in. Accounts are named by the keys of their mailboxes. */
export class InboundRates {
  readonly #perAccount: RateLimiter
  readonly #perPeer: RateLimiter
  readonly #node: FairShare

  constructor(
    { tiers, limits }: { tiers: MailboxTiers; limits: Pick<MailboxLimits, 'rateKeysMax'> },
    clock: Pick<Clock, 'monotonicMs'>,
  ) {
    const common = { keysMax: limits.rateKeysMax, clock }
    this.#perAccount = new RateLimiter({ ...common, rate: (of) => tiers.of(of).accountInbound })
    this.#perPeer = new RateLimiter({ ...common, rate: () => tiers.node.peerInbound })
    this.#node = new FairShare({ ...common, rate: () => tiers.node.nodeInbound })
  }

  /** Takes one letter of a peer for an account and returns 0; or takes nothing and returns the ms to wait. */
  take(account: string, peer: PeerId): number {
    const waitMs = Math.max(
      this.#perAccount.waitMs(account),
      this.#perPeer.waitMs(peer),
      this.#node.waitMs(account),
    )
    if (waitMs > 0) return waitMs
    this.#perAccount.take(account)
    this.#perPeer.take(peer)
    this.#node.spend(account)
    return 0
  }

  /** Letters of the account's burst, and of the node's, that are taken now. */
  used(account: string): number {
    return this.#perAccount.used(account)
  }

  get nodeUsed(): number {
    return this.#node.used
  }
}
