import type { Clock } from '../../base/util/clock.ts'
import { AbzuError, isAbzuError } from '../../base/util/errors.ts'
import { RateLimiter } from '../../base/util/gcra.ts'

const waitingMax = 64
/** Five wrong passwords at once, then one in ten seconds. */
const wrongPasswords = { perSecond: 0.1, burst: 5 }
const accountsMax = 1000

/** Lets unlocks through one by one, since each takes memory and time by design, and makes guessing slow. */
export class Turnstile {
  readonly #wrong: RateLimiter
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#wrong = new RateLimiter({ rate: wrongPasswords, keysMax: accountsMax, clock })
  }

  /** Runs `work`, which hashes a password of `account`.
   *  @throws {AbzuError} ABZU_OVERLOADED, ABZU_RATE_LIMITED after wrong passwords, those of `work` */
  async pass<T>(account: string, work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= waitingMax) {
      throw new AbzuError('ABZU_OVERLOADED', 'too many unlocks at once')
    }
    this.#waiting++
    const turn = this.#last.then(
      async () => this.#try(account, work),
      async () => this.#try(account, work),
    )
    this.#last = turn
    try {
      return await turn
    } finally {
      this.#waiting--
    }
  }

  async #try<T>(account: string, work: () => Promise<T>): Promise<T> {
    if (this.#wrong.waitMs(account) > 0) {
      throw new AbzuError('ABZU_RATE_LIMITED', 'too many wrong passwords: wait a while')
    }
    try {
      return await work()
    } catch (error) {
      if (isAbzuError(error, 'ABZU_WRONG_PASSWORD')) this.#wrong.take(account)
      throw error
    }
  }
}
