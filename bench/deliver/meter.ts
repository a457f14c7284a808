/**
 * Where the main thread of a server spends its time: the real handler's collaborators are wrapped so
 * that they say when one step ends and the next begins. A step runs to its end before control returns
 * to the event loop, so its CPU time is the difference of two readings.
 * @module
 */

import type { ItemStore } from '../../src/base/store/item-store.ts'
import type { Scheduler } from '../../src/base/util/clock.ts'
import type { Mailboxes } from '../../src/machine/mailbox/mailboxes.ts'

/** CPU time in us, by step. */
export interface Steps {
  /** Header, door, repetition, quota, rate. */
  readonly checks: number
  /** Signing and encoding of receipts. */
  readonly receipts: number
}

export const noSteps: Steps = { checks: 0, receipts: 0 }

export class Meter {
  readonly #us: { -readonly [K in keyof Steps]: Steps[K] } = { ...noSteps }
  #sinceUs = 0

  get steps(): Steps {
    return { ...this.#us }
  }

  /** A batch is decoded and is checked next. */
  watchRequests(mailboxes: Pick<Mailboxes, 'take'>): Pick<Mailboxes, 'take'> {
    return {
      take: async (requests, peer) => {
        this.#begin()
        return mailboxes.take(requests, peer)
      },
    }
  }

  /** A batch is checked and is stored next. */
  watchStore(append: ItemStore['append']): ItemStore['append'] {
    return async (items, rows) => {
      this.#end('checks')
      return append(items, rows)
    }
  }

  /** What the handler does later is to sign. */
  watchReceipts(scheduler: Pick<Scheduler, 'soon'>): Pick<Scheduler, 'soon'> {
    return {
      soon: (task) =>
        scheduler.soon(() => {
          this.#begin()
          task()
          this.#end('receipts')
        }),
    }
  }

  #begin(): void {
    this.#sinceUs = threadUs()
  }

  #end(step: keyof Steps): void {
    const nowUs = threadUs()
    this.#us[step] += nowUs - this.#sinceUs
    this.#sinceUs = nowUs
  }
}

/** CPU time of this thread, us: what other programs take is not in it. The kernel brings it up to date
 *  every few ms, so one difference is rough and the sum of thousands is not. */
function threadUs(): number {
  const { user, system } = process.threadCpuUsage()
  return user + system
}
