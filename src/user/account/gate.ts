import { AbzuError } from '../../base/util/errors.ts'

/** Lets work with an account's keys begin while it is unlocked, and the lock wait for what has begun. */
export class Gate {
  #isOpen = true
  #inside = 0
  readonly #emptied = Promise.withResolvers<void>()

  /** @throws {AbzuError} ABZU_LOCKED */
  check(): void {
    if (!this.#isOpen) throw new AbzuError('ABZU_LOCKED', 'the account is locked')
  }

  /** Runs `work`, which a lock waits for: so it must not wait for other people.
   *  @throws {AbzuError} ABZU_LOCKED, those of `work` */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    this.check()
    this.#inside++
    try {
      return await work()
    } finally {
      this.#inside--
      this.#settle()
    }
  }

  /** Lets nothing in any more. Resolves when all work that had begun has ended. */
  async close(): Promise<void> {
    this.#isOpen = false
    this.#settle()
    return this.#emptied.promise
  }

  #settle(): void {
    if (!this.#isOpen && this.#inside === 0) this.#emptied.resolve()
  }
}
