/** Who opens more streams than a peer allows waits for a turn, instead of being reset by the peer. @module */

import { AbzuError } from '../../base/util/errors.ts'

export class StreamSlots {
  readonly #waitingMax: number
  readonly #slots = new Map<string, { taken: number; waiting: (() => void)[] }>()

  /** `waitingMax`: callers that wait for one key. */
  constructor({ waitingMax }: { waitingMax: number }) {
    this.#waitingMax = waitingMax
  }

  /** Resolves with the function that gives the slot back, once fewer than `max` of `key` are taken.
   *  @throws {AbzuError} ABZU_OVERLOADED; the signal's reason */
  async take(
    key: string,
    { max, signal }: { max: number; signal: AbortSignal | undefined },
  ): Promise<() => void> {
    signal?.throwIfAborted()
    const slot = this.#slots.get(key) ?? { taken: 0, waiting: [] }
    this.#slots.set(key, slot)
    if (slot.taken < max) {
      slot.taken++
      return this.#giver(key)
    }
    if (slot.waiting.length >= this.#waitingMax) {
      throw new AbzuError('ABZU_OVERLOADED', 'too many wait for a stream to one peer')
    }
    await new Promise<void>((resolve, reject) => {
      const turn = () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      const onAbort = () => {
        slot.waiting.splice(slot.waiting.indexOf(turn), 1)
        reject(signal?.reason as Error)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      slot.waiting.push(turn)
    })
    return this.#giver(key)
  }

  /** Gives a slot to who waits longest, else back; the second call does nothing. */
  #giver(key: string): () => void {
    let isGiven = false
    return () => {
      const slot = this.#slots.get(key)
      if (isGiven || !slot) return
      isGiven = true
      const next = slot.waiting.shift()
      if (next) return next()
      slot.taken--
      if (slot.taken === 0) this.#slots.delete(key)
    }
  }
}
