import type { Scheduler } from '../../base/util/clock.ts'
import { AbzuError } from '../../base/util/errors.ts'

const waitersMax = 256

/** Who waits for a message to be in another state. */
export class StateWaiters {
  readonly #scheduler: Scheduler
  readonly #waiters = new Map<symbol, { msgId: string; end: (error?: unknown) => void }>()

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  /** Resolves when the message's state changes, or after `timeoutMs`.
   *  @throws {AbzuError} ABZU_OVERLOADED, ABZU_LOCKED; the signal's reason */
  async wait(
    msgId: string,
    { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<void> {
    signal?.throwIfAborted()
    if (this.#waiters.size >= waitersMax) {
      throw new AbzuError('ABZU_OVERLOADED', `${waitersMax} callers wait already`)
    }
    const key = Symbol(msgId)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const end = (error?: unknown): void => (error === undefined ? resolve() : reject(error))
    this.#waiters.set(key, { msgId, end })
    const cancel = this.#scheduler.after(timeoutMs, () => end())
    const onAbort = (): void => end(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      await promise
    } finally {
      this.#waiters.delete(key)
      cancel()
      signal?.removeEventListener('abort', onAbort)
    }
  }

  changed(msgId: string): void {
    for (const waiter of this.#waiters.values()) if (waiter.msgId === msgId) waiter.end()
  }

  /** The account is locked: nobody learns more. */
  close(): void {
    const locked = new AbzuError('ABZU_LOCKED', 'the account is locked')
    for (const waiter of this.#waiters.values()) waiter.end(locked)
  }
}
