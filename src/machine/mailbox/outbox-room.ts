import type { MailboxId } from '../../base/util/brand.ts'
import { mapKey } from '../../base/util/bytes.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { Tally } from '../../base/util/metric.ts'
import type { MailboxTiers } from './mailbox-tiers.ts'
import type { MailboxRates } from './mailbox-rates.ts'

export interface OutboxRoomDeps {
  readonly tiers: MailboxTiers
  readonly rates: Pick<MailboxRates, 'post'>
}

/** What each sender has in the outbox, and whether there is room for more. */
export class OutboxRoom {
  /** Why letters were not taken, since the start. */
  readonly refusals = new Tally<'ABZU_QUOTA_EXCEEDED' | 'ABZU_RATE_LIMITED'>()
  readonly #deps: OutboxRoomDeps
  readonly #count = new Map<string, number>()

  constructor(deps: OutboxRoomDeps) {
    this.#deps = deps
  }

  /** Letters and outcomes of a sender. */
  waiting(from: MailboxId): number {
    return this.#count.get(mapKey(from)) ?? 0
  }

  counted(from: MailboxId, change: number): void {
    const key = mapKey(from)
    const count = (this.#count.get(key) ?? 0) + change
    if (count > 0) this.#count.set(key, count)
    else this.#count.delete(key)
  }

  /** Counts one more letter against the sender's rate.
   *  @throws {AbzuError} ABZU_QUOTA_EXCEEDED, ABZU_RATE_LIMITED */
  expect(from: MailboxId): void {
    const key = mapKey(from)
    const { tiers, rates } = this.#deps
    if (this.waiting(from) >= tiers.of(key).outboxItemsMax) {
      this.refusals.count('ABZU_QUOTA_EXCEEDED')
      throw new AbzuError('ABZU_QUOTA_EXCEEDED', 'too many letters wait to be sent')
    }
    if (!rates.post(key)) {
      this.refusals.count('ABZU_RATE_LIMITED')
      throw new AbzuError('ABZU_RATE_LIMITED', 'this account sends too fast')
    }
  }
}
