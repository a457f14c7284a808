import { slotIdOf } from '../../base/crypto/slot-header.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import type { ItemHead, ItemStore } from '../../base/store/item-store.ts'
import type { MailboxId, PeerId } from '../../base/util/brand.ts'
import { mapKey } from '../../base/util/bytes.ts'
import { offerItemsMax } from '../../base/wire/sync.ts'
import { introductionSlots } from './introduction.ts'
import type { OfferDesk } from './offer-desk.ts'
import type { Origins } from './origins.ts'

export interface FeedDeps {
  readonly platform: Pick<CryptoPlatform, 'sha256'>
  readonly items: ItemStore
  readonly origins: Pick<Origins, 'take'>
}

interface Place {
  readonly mailbox: MailboxId
  /** The puller has everything up to this arrival. */
  from: number
}

const offerBytesMax = 256 * 1024
/** Slots first: they say who signs, and what mail is acknowledged. */
const kinds = ['slot', 'mail', 'chunk'] as const

/** What of the shared mailboxes one puller has not got yet, in the order of arrival. */
export class Feed {
  readonly #deps: FeedDeps
  readonly #desk: OfferDesk
  readonly #peer: PeerId
  #places = new Map<string, Place>()
  /** Mailboxes that may have something new. */
  #news = new Set<string>()

  constructor(deps: FeedDeps, desk: OfferDesk, peer: PeerId) {
    this.#deps = deps
    this.#desk = desk
    this.#peer = peer
  }

  /** From now on it is about these mailboxes, each behind an arrival. */
  begin(places: readonly Place[]): void {
    this.#places = new Map(places.map((place) => [mapKey(place.mailbox), { ...place }]))
    this.#news = new Set(this.#places.keys())
  }

  /** A mailbox has got something. Returns whether it is one of these. */
  notice(mailbox: MailboxId): boolean {
    const key = mapKey(mailbox)
    if (!this.#places.has(key)) return false
    this.#news.add(key)
    return true
  }

  get hasNews(): boolean {
    return this.#news.size > 0
  }

  /** Offers what is new and resolves, once all that was wanted of it is durable at the puller, to the arrival up to
   *  which it now has everything.
   *  @throws {AbzuError} those of the store; why the stream failed */
  async offerNews(): Promise<number> {
    const places = [...this.#places.values()]
    const news = [...this.#news].flatMap((key) => this.#places.get(key) ?? [])
    this.#news = new Set()
    const ends = await this.#ends(news)
    const upTo = Math.max(0, ...ends, ...places.map(({ from }) => from))
    const grown = news.filter(({ from }, n) => (ends[n] as number) > from)
    await this.#introduce(grown.filter(({ from }) => from === 0))
    for (const place of grown) await this.#walk(place, upTo)
    await this.#desk.settled()
    for (const place of places) place.from = upTo
    return upTo
  }

  /** The newest arrival of each. */
  async #ends(places: readonly Place[]): Promise<number[]> {
    const ends: number[] = []
    for (const { mailbox } of places) ends.push(await this.#deps.items.last(mailbox))
    return ends
  }

  async #walk({ mailbox, from }: Place, upTo: number): Promise<void> {
    const { items, origins } = this.#deps
    for (const kind of kinds) {
      for (let after: number | undefined = from; after !== undefined;) {
        const page: { items: ItemHead[]; next?: number } = await items.list(mailbox, {
          kind,
          after,
          limit: offerItemsMax,
        })
        const heads = page.items.filter(
          ({ arrival, id }) => arrival <= upTo && !origins.take(this.#peer, id),
        )
        for (const offered of inOffers(heads)) await this.#desk.offer(mailbox, offered)
        const isBeyond = (page.items.at(-1)?.arrival ?? 0) > upTo
        after = isBeyond ? undefined : page.next
      }
    }
  }

  /** Who may sign for the mailboxes, and who hosts them: before anything that is judged by that. */
  async #introduce(places: readonly Place[]): Promise<void> {
    for (const { mailbox } of places) {
      const slots = await introductionSlots(this.#deps, mailbox)
      const offered = slots.map(({ signed, body }) => ({
        id: slotIdOf(this.#deps.platform, signed),
        sizeBytes: signed.length + body.length,
      }))
      if (offered.length > 0) await this.#desk.offer(mailbox, offered)
    }
    await this.#desk.settled()
  }
}

/** Items that go together: as many as make one large frame or so. */
function* inOffers(heads: readonly ItemHead[]): Iterable<ItemHead[]> {
  let offer: ItemHead[] = []
  let bytes = 0
  for (const head of heads) {
    if (offer.length > 0 && bytes + head.sizeBytes > offerBytesMax) {
      yield offer
      offer = []
      bytes = 0
    }
    offer.push(head)
    bytes += head.sizeBytes
  }
  if (offer.length > 0) yield offer
}
