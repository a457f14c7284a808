import type { PeerId } from '../../base/util/brand.ts'
import type { Clock } from '../../base/util/clock.ts'
import { FairShare } from '../../base/util/fair-share.ts'
import { RateLimiter } from '../../base/util/gcra.ts'
import type { MailboxLimits } from './mailbox-limits.ts'
import type { MailboxTiers } from './mailbox-tiers.ts'

/** How fast letters are taken from accounts of this node, and go to others. Accounts are named by the keys of their
 *  mailboxes. */
export class OutboundRates {
  readonly #perAccount: RateLimiter
  readonly #perPeer: RateLimiter
  readonly #node: FairShare

  constructor(
    { tiers, limits }: { tiers: MailboxTiers; limits: Pick<MailboxLimits, 'rateKeysMax'> },
    clock: Pick<Clock, 'monotonicMs'>,
  ) {
    const common = { keysMax: limits.rateKeysMax, clock }
    this.#perAccount = new RateLimiter({ ...common, rate: (of) => tiers.of(of).accountOutbound })
    this.#perPeer = new RateLimiter({ ...common, rate: () => tiers.node.peerOutbound })
    this.#node = new FairShare({ ...common, rate: () => tiers.node.nodeOutbound })
  }

  /** Whether this account may post one more now; if so, it is counted. */
  post(from: string): boolean {
    return this.#perAccount.take(from) === 0
  }

  /** The ms until one more letter of an account may go to a peer; 0 counts it. */
  pace(from: string, peer: PeerId): number {
    const waitMs = Math.max(this.#perPeer.waitMs(peer), this.#node.waitMs(from))
    if (waitMs > 0) return waitMs
    this.#perPeer.take(peer)
    this.#node.spend(from)
    return 0
  }

  /** Letters of the account's burst, and of the node's, that are taken now. */
  used(from: string): number {
    return this.#perAccount.used(from)
  }

  get nodeUsed(): number {
    return this.#node.used
  }
}
