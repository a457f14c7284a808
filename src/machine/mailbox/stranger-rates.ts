import type { PeerId } from '../../base/util/brand.ts'
import type { Clock } from '../../base/util/clock.ts'
import { RateLimiter } from '../../base/util/gcra.ts'
import type { MailboxLimits } from './mailbox-limits.ts'

/** Where a delivery comes from. */
export interface Origin {
  readonly peer: PeerId
  /** What stands for the place that it is connected from; missing where that is no IP address. */
  readonly neighbour?: string | undefined
}

/** Rates of mail with stamps, apart from those of mail through doors: a flood of strangers costs no contact
 *  anything. Where a letter comes from pays for each attempt, so that junk costs its sender the right to
 *  try; the mailbox and the node pay for what is stored only, so that junk costs other strangers nothing. */
export class StrangerRates {
  readonly #perAccount: RateLimiter
  readonly #perPeer: RateLimiter
  readonly #perNeighbour: RateLimiter
  readonly #perNode: RateLimiter

  constructor(limits: MailboxLimits, clock: Pick<Clock, 'monotonicMs'>) {
    const keysMax = limits.rateKeysMax
    this.#perAccount = new RateLimiter({ rate: limits.strangerAccountInbound, keysMax, clock })
    this.#perPeer = new RateLimiter({ rate: limits.strangerPeerInbound, keysMax, clock })
    this.#perNeighbour = new RateLimiter({ rate: limits.strangerNeighbourInbound, keysMax, clock })
    this.#perNode = new RateLimiter({ rate: limits.strangerNodeInbound, keysMax: 1, clock })
  }

  /** Takes an attempt and returns 0; or takes nothing and returns the ms until it would be let. */
  attempt(account: string, { peer, neighbour }: Origin): number {
    const waitMs = Math.max(
      this.#perAccount.waitMs(account),
      this.#perPeer.waitMs(peer),
      neighbour === undefined ? 0 : this.#perNeighbour.waitMs(neighbour),
      this.#perNode.waitMs(''),
    )
    if (waitMs > 0) return waitMs
    this.#perPeer.take(peer)
    if (neighbour !== undefined) this.#perNeighbour.take(neighbour)
    return 0
  }

  /** An attempt that is stored. */
  accepted(account: string): void {
    this.#perAccount.take(account)
    this.#perNode.take('')
  }
}
