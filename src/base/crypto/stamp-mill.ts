/** Finds stamps, off the loop that others wait for. @module */

import type { Scheduler } from '../util/clock.ts'
import type { Closeable } from '../util/close-stack.ts'
import { AbzuError } from '../util/errors.ts'
import { withTimeout } from '../util/wait.ts'
import type { CryptoPlatform } from './platform.ts'
import { expectAffordable, searchStamp, type StampOrder, type StampSlice } from './stamp.ts'

/** Tries one slice and resolves with the stamp in it, if there is one. Called for one slice at a time. */
export interface StampSearch extends Partial<Closeable> {
  search(slice: StampSlice): Promise<Uint8Array | undefined>
  /** A slice is going to come soon. */
  prepare?(): void
}

export interface StampMillDeps {
  readonly search: StampSearch
  readonly scheduler: Scheduler
}

/** Orders that wait for their stamps at once. */
const ordersMax = 64
/** The dearest stamp that is looked for takes a second here, and 20 on a slow machine. */
const orderMsMax = 60_000
/** Numbers that are tried before another order has its turn: about 4 ms. */
const sliceTries = 4096

interface Order {
  readonly order: StampOrder
  readonly signal: AbortSignal
  readonly resolve: (stamp: Uint8Array) => void
  readonly reject: (error: unknown) => void
  tried: number
}

/** Works on every order in turn, a slice each, so that a dear stamp does not hold up the others. */
export class StampMill implements Closeable {
  readonly #deps: StampMillDeps
  /** In the order of their turns. */
  readonly #orders: Order[] = []
  readonly #closing = new AbortController()
  #isGrinding = false

  constructor(deps: StampMillDeps) {
    this.#deps = deps
  }

  /** Orders without their stamp. */
  get waiting(): number {
    return this.#orders.length
  }

  /** An order is going to come soon. */
  prepare(): void {
    if (!this.#closing.signal.aborted) this.#deps.search.prepare?.()
  }

  /** A stamp for one item and mailbox, 8 bytes.
   *  @throws {AbzuError} ABZU_STAMP_TOO_COSTLY, ABZU_STRANGERS_REFUSED, ABZU_OVERLOADED, ABZU_TIMEOUT,
   *  ABZU_CLOSED; the signal's reason */
  async stamp(order: StampOrder, signal?: AbortSignal): Promise<Uint8Array> {
    expectAffordable(order.bits)
    this.#closing.signal.throwIfAborted()
    if (this.#orders.length >= ordersMax) {
      throw new AbzuError('ABZU_OVERLOADED', `${ordersMax} letters wait for their stamps already`)
    }
    const limit = { timeoutMs: orderMsMax, what: 'the work for a stamp', signal }
    return withTimeout(this.#deps.scheduler, limit, async (signal) => this.#wait(order, signal))
  }

  /** Every order that waits is rejected. */
  async close(): Promise<void> {
    const reason = new AbzuError('ABZU_CLOSED', 'no stamps are made any more')
    this.#closing.abort(reason)
    for (const { reject } of this.#orders.splice(0)) reject(reason)
    await this.#deps.search.close?.()
  }

  async #wait(order: StampOrder, signal: AbortSignal): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
    const waiting: Order = { order, signal, resolve, reject, tried: 0 }
    this.#orders.push(waiting)
    signal.addEventListener('abort', () => this.#drop(waiting), { once: true })
    if (!this.#isGrinding) void this.#grind()
    return promise
  }

  #drop(order: Order): void {
    const place = this.#orders.indexOf(order)
    if (place >= 0) this.#orders.splice(place, 1)
    order.reject(order.signal.reason)
  }

  async #grind(): Promise<void> {
    this.#isGrinding = true
    for (let next = this.#orders[0]; next; next = this.#orders[0]) await this.#turn(next)
    this.#isGrinding = false
  }

  /** One slice of the first order, which stands last afterwards where it has no stamp yet. */
  async #turn(next: Order): Promise<void> {
    const { order, tried, resolve, reject } = next
    try {
      const slice = { ...order, from: tried, tries: sliceTries }
      const stamp = await this.#deps.search.search(slice)
      next.tried += sliceTries
      if (this.#remove(next)) {
        if (stamp) resolve(stamp)
        else this.#orders.push(next)
      }
    } catch (error) {
      this.#remove(next)
      reject(error)
    }
  }

  /** Whether it still waited. */
  #remove(order: Order): boolean {
    const place = this.#orders.indexOf(order)
    if (place >= 0) this.#orders.splice(place, 1)
    return place >= 0
  }
}

/** A search where there is no other thread: one slice in one turn of the event loop. */
export function searchInTurns(
  platform: Pick<CryptoPlatform, 'sha256'>,
  scheduler: Pick<Scheduler, 'soon'>,
): StampSearch {
  return {
    async search(slice) {
      await new Promise<void>((resolve) => scheduler.soon(resolve))
      return searchStamp(platform, slice)
    },
  }
}
