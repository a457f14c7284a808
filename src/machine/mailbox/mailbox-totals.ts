import type { Amount, ItemStore } from '../../base/store/item-store.ts'
import type { MailboxId } from '../../base/util/brand.ts'
import type { Clock } from '../../base/util/clock.ts'

/** What all mailboxes hold together. */
export interface MailboxTotals {
  readonly mailboxes: number
  readonly mail: Amount
  readonly chunk: Amount
  readonly slot: Amount
}

export interface TotalsDeps {
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly items: Pick<ItemStore, 'usage'>
  readonly hosted: () => AsyncIterable<{ readonly mailbox: MailboxId }>
}

/** How long a sum over all mailboxes is told again. */
const totalsMs = 60_000

/** Sums over all mailboxes, made now and then. */
export class Totals {
  readonly #deps: TotalsDeps
  #last: { readonly atMs: number; readonly sum: Promise<MailboxTotals> } | undefined

  constructor(deps: TotalsDeps) {
    this.#deps = deps
  }

  /** As it was a minute ago or later. */
  async read(): Promise<MailboxTotals> {
    const nowMs = this.#deps.clock.monotonicMs()
    if (!this.#last || nowMs - this.#last.atMs > totalsMs) {
      this.#last = { atMs: nowMs, sum: this.#sum() }
      this.#last.sum.catch(() => (this.#last = undefined))
    }
    return this.#last.sum
  }

  async #sum(): Promise<MailboxTotals> {
    let mailboxes = 0
    const kinds = ['mail', 'chunk', 'slot'] as const
    const sum = kinds.map(() => ({ items: 0, bytes: 0 }))
    for await (const { mailbox } of this.#deps.hosted()) {
      mailboxes++
      for (const used of this.#deps.items.usage(mailbox)) {
        for (const [n, kind] of kinds.entries()) {
          const amount = sum[n] as { items: number; bytes: number }
          amount.items += used[kind].items
          amount.bytes += used[kind].bytes
        }
      }
    }
    const [mail, chunk, slot] = sum as [Amount, Amount, Amount]
    return { mailboxes, mail, chunk, slot }
  }
}
