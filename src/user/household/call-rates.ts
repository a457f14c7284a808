import type { Clock } from '../../base/util/clock.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { FairShare } from '../../base/util/fair-share.ts'
import { RateLimiter, type Rate } from '../../base/util/gcra.ts'

export interface CallRatesDeps {
  readonly clock: Pick<Clock, 'monotonicMs'>
  /** Of an account by its id, or of the machine's owner by ''. */
  readonly of: (id: string) => Rate
  readonly ofNode: () => Rate
}

/** Accounts whose calls are remembered. */
const callersMax = 1000

/** How often people call the control API: each at most so often, and whoever calls without pause takes nothing from the
 *  others. */
export class CallRates {
  readonly #perPerson: RateLimiter
  readonly #node: FairShare

  constructor({ clock, of, ofNode }: CallRatesDeps) {
    this.#perPerson = new RateLimiter({ rate: of, keysMax: callersMax, clock })
    this.#node = new FairShare({ rate: ofNode, keysMax: callersMax, clock })
  }

  /** Counts a call of an account, or of the machine's owner.
   *  @throws {AbzuError} ABZU_RATE_LIMITED */
  take(id = ''): void {
    const waitMs = Math.max(this.#perPerson.waitMs(id), this.#node.waitMs(id))
    if (waitMs > 0) {
      throw new AbzuError('ABZU_RATE_LIMITED', `too many calls: wait ${Math.ceil(waitMs)} ms`)
    }
    this.#perPerson.take(id)
    this.#node.spend(id)
  }

  /** Calls of the account's burst, and of the node's, that are taken now. */
  used(id: string): number {
    return this.#perPerson.used(id)
  }

  get nodeUsed(): number {
    return this.#node.used
  }
}
