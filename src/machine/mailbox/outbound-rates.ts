import type { MailboxId, PeerId } from '../../base/util/brand.ts'
import { mapKey } from '../../base/util/bytes.ts'
import type { Clock } from '../../base/util/clock.ts'
import { RateLimiter } from '../../base/util/gcra.ts'
import type { MailboxLimits } from './mailbox-limits.ts'

/** How fast letters are taken from accounts of this node, and go to others. */
export class OutboundRates {
  readonly #perAccount: RateLimiter
  readonly #perPeer: RateLimiter
  readonly #perNode: RateLimiter

  constructor(limits: MailboxLimits, clock: Clock) {
    const keysMax = limits.rateKeysMax
    this.#perAccount = new RateLimiter({ rate: limits.accountOutbound, keysMax, clock })
    this.#perPeer = new RateLimiter({ rate: limits.peerOutbound, keysMax, clock })
    this.#perNode = new RateLimiter({ rate: limits.nodeOutbound, keysMax: 1, clock })
  }

  /** Whether this account may post one more now; if so, it is counted. */
  post(from: MailboxId): boolean {
    return this.#perAccount.take(mapKey(from)) === 0
  }

  /** The ms until one more letter may go to a peer; 0 counts it. */
  pace(peer: PeerId): number {
    const waitMs = Math.max(this.#perPeer.waitMs(peer), this.#perNode.waitMs(''))
    if (waitMs === 0) {
      this.#perPeer.take(peer)
      this.#perNode.take('')
    }
    return waitMs
  }
}
