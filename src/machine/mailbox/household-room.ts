import type { ItemStore } from '../../base/store/item-store.ts'
import type { MailboxId } from '../../base/util/brand.ts'
import { mapKey } from '../../base/util/bytes.ts'
import type { Clock } from '../../base/util/clock.ts'
import { toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import type { HostedMailbox } from './hosted-mailbox.ts'
import type { MailboxTiers } from './mailbox-tiers.ts'

export interface HouseholdRoomDeps {
  readonly tiers: MailboxTiers
  readonly items: Pick<ItemStore, 'usage'>
  readonly hosted: () => AsyncIterable<{ readonly mailbox: MailboxId }>
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly log: Log
}

/** Of an even share, what nobody else can take. */
const promisedPart = 0.8
/** A count is not made again sooner. */
const countedMs = 10_000

type Place = Pick<HostedMailbox, 'mailbox' | 'key'>

interface Count {
  readonly atMs: number
  readonly bytes: number
  /** What people who use less than is promised to them may still add. */
  readonly promisedBytes: number
}

/** How much the mailboxes of the people who live here hold together. Whoever uses less than four fifths of an even share
 *  always has room; beyond that, there is what is neither used by others nor promised to them. Counted now and then, and
 *  between two counts only added to: what goes meanwhile makes room at the next. */
export class HouseholdRoom {
  readonly #deps: HouseholdRoomDeps
  #last: Count = { atMs: -Infinity, bytes: 0, promisedBytes: 0 }
  #addedBytes = 0
  #counting: Promise<Count> | undefined

  constructor(deps: HouseholdRoomDeps) {
    this.#deps = deps
  }

  /** Whether an item of so many bytes may come into a mailbox.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  hasRoom({ mailbox, key }: Place, bytes: number): boolean {
    const { tiers } = this.#deps
    if (!tiers.isOfHousehold(key)) return true
    if (this.#last.atMs === -Infinity) this.#countAgain()
    const { bytes: countedBytes, promisedBytes } = this.#last
    const wholeBytes = countedBytes + this.#addedBytes + promisedBytes + bytes
    if (wholeBytes <= tiers.node.householdBytesMax) return true
    this.#countAgain()
    return this.#usedBytes(mailbox) + bytes <= this.#promiseBytes
  }

  /** So much has come into a mailbox. */
  added({ key }: Pick<Place, 'key'>, bytes: number): void {
    if (this.#deps.tiers.isOfHousehold(key)) this.#addedBytes += bytes
  }

  /** Bytes of all of them, as they were 10 s ago or later.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  async usedBytes(): Promise<number> {
    return (await this.#count()).bytes
  }

  get #promiseBytes(): number {
    const { node, household } = this.#deps.tiers
    return (promisedPart * node.householdBytesMax) / Math.max(1, household)
  }

  #usedBytes(mailbox: MailboxId): number {
    return this.#deps.items.usage(mailbox).reduce((sum, { bytes }) => sum + bytes, 0)
  }

  #countAgain(): void {
    this.#count().catch((error: unknown) =>
      this.#deps.log.error('room-not-counted', { error: toAbzuError(error) }),
    )
  }

  async #count(): Promise<Count> {
    const atMs = this.#deps.clock.monotonicMs()
    if (atMs - this.#last.atMs < countedMs) return this.#last
    this.#counting ??= this.#sum(atMs).finally(() => (this.#counting = undefined))
    return this.#counting
  }

  async #sum(atMs: number): Promise<Count> {
    const before = this.#addedBytes
    let bytes = 0
    let promisedBytes = 0
    for await (const { mailbox } of this.#deps.hosted()) {
      if (!this.#deps.tiers.isOfHousehold(mapKey(mailbox))) continue
      const used = this.#usedBytes(mailbox)
      bytes += used
      promisedBytes += Math.max(0, this.#promiseBytes - used)
    }
    this.#last = { atMs, bytes, promisedBytes }
    this.#addedBytes -= before
    return this.#last
  }
}
