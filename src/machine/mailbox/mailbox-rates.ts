import type { PeerId } from '../../base/util/brand.ts'
import type { Clock } from '../../base/util/clock.ts'
import { FairShare } from '../../base/util/fair-share.ts'
import { RateLimiter } from '../../base/util/gcra.ts'
import type { MailboxLimits } from './mailbox-limits.ts'
import type { MailboxTiers } from './mailbox-tiers.ts'

/** How fast letters come in through doors, or go out. Accounts are named by the keys of their mailboxes. */
export class MailboxRates {
  readonly #perAccount: RateLimiter
  readonly #perPeer: RateLimiter
  readonly #node: FairShare

  constructor(
    way: 'inbound' | 'outbound',
    {
      tiers,
      limits,
      clock,
    }: {
      readonly tiers: MailboxTiers
      readonly limits: Pick<MailboxLimits, 'rateKeysMax'>
      readonly clock: Pick<Clock, 'monotonicMs'>
    },
  ) {
    const common = { keysMax: limits.rateKeysMax, clock }
    const isIn = way === 'inbound'
    this.#perAccount = new RateLimiter({
      ...common,
      rate: (of) => tiers.of(of)[isIn ? 'accountInbound' : 'accountOutbound'],
    })
    this.#perPeer = new RateLimiter({
      ...common,
      rate: () => tiers.node[isIn ? 'peerInbound' : 'peerOutbound'],
    })
    this.#node = new FairShare({
      ...common,
      rate: () => tiers.node[isIn ? 'nodeInbound' : 'nodeOutbound'],
    })
  }

  /** Takes one letter of an account from or for a peer and returns 0; or takes nothing and returns the ms to wait. */
  take(account: string, peer: PeerId): number {
    const waitMs = Math.max(this.#perAccount.waitMs(account), this.#paceMs(account, peer))
    if (waitMs > 0) return waitMs
    this.#perAccount.take(account)
    return this.pace(account, peer)
  }

  /** Whether this account may post one more letter now, wherever it goes; if so, it is counted. */
  post(account: string): boolean {
    return this.#perAccount.take(account) === 0
  }

  /** The ms until one more letter that was posted may pass between an account and a peer; 0 counts it. */
  pace(account: string, peer: PeerId): number {
    const waitMs = this.#paceMs(account, peer)
    if (waitMs > 0) return waitMs
    this.#perPeer.take(peer)
    this.#node.spend(account)
    return 0
  }

  #paceMs(account: string, peer: PeerId): number {
    return Math.max(this.#perPeer.waitMs(peer), this.#node.waitMs(account))
  }

  /** Letters of the account's burst, and of the node's, that are taken now. */
  used(account: string): number {
    return this.#perAccount.used(account)
  }

  get nodeUsed(): number {
    return this.#node.used
  }
}
