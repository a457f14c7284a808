import type { ItemStore, ListedItem } from '../../base/store/item-store.ts'
import { slotIdOf } from '../../base/crypto/slot-header.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import type { MailboxId, PeerId } from '../../base/util/brand.ts'
import { equalBytes, mapKey } from '../../base/util/bytes.ts'
import type { Scheduler } from '../../base/util/clock.ts'
import { offerItemsMax } from '../../base/wire/sync.ts'
import { introductionSlots } from './introduction.ts'
import type { OfferDesk } from './offer-desk.ts'
import type { Origins } from './origins.ts'

export interface FeedDeps {
  readonly platform: Pick<CryptoPlatform, 'sha256'>
  readonly items: Pick<ItemStore, 'slot' | 'listed' | 'news' | 'newest'>
  readonly origins: Pick<Origins, 'isFrom'>
  readonly scheduler: Pick<Scheduler, 'soon'>
}

/** A mailbox that is shared. */
export interface Place {
  readonly mailbox: MailboxId
  /** The puller's cursor speaks of it. */
  readonly isKnown: boolean
}

const offerBytesMax = 256 * 1024

/** What of the shared mailboxes one puller has not got yet, in the order of arrival. */
export class Feed {
  readonly #deps: FeedDeps
  readonly #desk: Pick<OfferDesk, 'offer' | 'settled'>
  readonly #peer: PeerId
  readonly #mailboxes = new Map<string, MailboxId>()
  /** Mailboxes that may have something new. */
  #news = new Set<string>()
  /** Of those, the ones of which the puller has nothing. */
  readonly #fresh = new Set<string>()
  /** It has everything of the others up to this arrival. */
  #upTo = 0
  #isUrgent = false

  constructor(deps: FeedDeps, desk: Pick<OfferDesk, 'offer' | 'settled'>, peer: PeerId) {
    this.#deps = deps
    this.#desk = desk
    this.#peer = peer
  }

  /** From now on it is about these mailboxes; of those that are known the puller has everything up to an arrival. */
  begin(places: readonly Place[], upTo: number): void {
    this.#mailboxes.clear()
    this.#fresh.clear()
    this.#news.clear()
    this.#upTo = upTo
    this.extend(places)
  }

  /** It is about these as well. */
  extend(places: readonly Place[]): void {
    for (const { mailbox, isKnown } of places) {
      const key = mapKey(mailbox)
      this.#mailboxes.set(key, mailbox)
      this.#news.add(key)
      if (!isKnown) this.#fresh.add(key)
    }
    this.#isUrgent = true
  }

  /** A mailbox has got something: `none` where it is none of these, `own` where the puller itself has sent it. */
  notice(mailbox: MailboxId): 'none' | 'own' | 'news' {
    const key = mapKey(mailbox)
    if (!this.#mailboxes.has(key)) return 'none'
    this.#news.add(key)
    const { items, origins } = this.#deps
    if (origins.isFrom(this.#peer, this.#upTo + 1, items.newest)) return 'own'
    this.#isUrgent = true
    return 'news'
  }

  /** The arrival up to which the puller has, or did not want, everything of a mailbox; -1 where it is none of these. */
  reached(mailbox: MailboxId): number {
    const key = mapKey(mailbox)
    return this.#mailboxes.has(key) && !this.#fresh.has(key) ? this.#upTo : -1
  }

  get hasNews(): boolean {
    return this.#news.size > 0
  }

  /** Some of it did not come from the puller itself. */
  get isUrgent(): boolean {
    return this.#isUrgent
  }

  /** Offers what is new and resolves, once all that was wanted of it is durable at the puller, to the arrival up to
   *  which it now has everything.
   *  @throws {AbzuError} those of the store; why the stream failed */
  async offerNews(): Promise<number> {
    const { items, origins } = this.#deps
    const upTo = Math.max(this.#upTo, items.newest)
    const before = this.#news
    this.#news = new Set()
    this.#isUrgent = false
    // Whoever stored what came up to there has said so by then. What is said meanwhile may be of something later, too.
    await this.#turn()
    const news = new Set([...before, ...this.#news])
    if (items.newest <= upTo) {
      this.#news.clear()
      this.#isUrgent = false
    }
    for (const key of news) {
      const from = this.#fresh.has(key) ? 0 : this.#upTo
      const mailbox = this.#mailboxes.get(key)
      const isNew = upTo > from && !origins.isFrom(this.#peer, from + 1, upTo)
      if (mailbox && isNew) await this.#walk(mailbox, from, upTo)
    }
    await this.#desk.settled()
    for (const key of news) this.#fresh.delete(key)
    this.#upTo = upTo
    return upTo
  }

  async #turn(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#deps.scheduler.soon(resolve)
    await promise
  }

  async #walk(mailbox: MailboxId, from: number, upTo: number): Promise<void> {
    const { items, origins } = this.#deps
    const isDue = ({ arrival }: ListedItem) => !origins.isFrom(this.#peer, arrival)
    let first: readonly ListedItem[] | undefined
    const isFirst = ({ id }: ListedItem) => first?.some((one) => equalBytes(one.id, id))
    for await (const page of items.news(mailbox, { after: from, upTo })) {
      const isBegun = first !== undefined
      // where there are any, slots come before all else
      const mayIntroduce = from === 0 || page[0]?.kind === 'slot'
      first ??= mayIntroduce ? await this.#introduction(mailbox, from) : []
      const rest = page.filter((item) => isDue(item) && !isFirst(item))
      const offered = isBegun ? rest : [...first.filter(isDue), ...rest]
      for (const some of inOffers(offered)) await this.#desk.offer(mailbox, some)
    }
  }

  /** Who may sign for a mailbox, and who hosts it: before anything that is judged by that. */
  async #introduction(mailbox: MailboxId, after: number): Promise<ListedItem[]> {
    const { platform, items } = this.#deps
    const slots = await introductionSlots(this.#deps, mailbox)
    const listed = slots.map(({ signed }) => items.listed(mailbox, slotIdOf(platform, signed)))
    return listed.filter((item) => item !== undefined && item.arrival > after) as ListedItem[]
  }
}

/** Items that go together: as many as make one large frame or so. */
function* inOffers(items: readonly ListedItem[]): Iterable<ListedItem[]> {
  let offer: ListedItem[] = []
  let bytes = 0
  for (const item of items) {
    const isFull = bytes + item.sizeBytes > offerBytesMax || offer.length >= offerItemsMax
    if (offer.length > 0 && isFull) {
      yield offer
      offer = []
      bytes = 0
    }
    offer.push(item)
    bytes += item.sizeBytes
  }
  if (offer.length > 0) yield offer
}
