import type { Item, ItemStore } from '../../base/store/item-store.ts'
import type { ItemId, MailboxId } from '../../base/util/brand.ts'
import { concatBytes } from '../../base/util/bytes.ts'
import { AbzuError } from '../../base/util/errors.ts'
import {
  frameItemsMax,
  hasBit,
  offeredIdBytes,
  type CopiedItem,
  type SourceMessage,
} from '../../base/wire/sync.ts'
import type { FrameStream } from '../transport/frame-stream.ts'

/** An item that the puller may want. */
export interface Offered {
  readonly id: ItemId
  readonly sizeBytes: number
}

interface Offer {
  readonly mailbox: MailboxId
  readonly offered: readonly Offered[]
  readonly done: PromiseWithResolvers<void>
  isAnswered: boolean
}

/** Offers of which it is not known that all is durable at the puller. */
const windowMax = 8
const frameBytesMax = 256 * 1024
const nothing = new Uint8Array()

/** Offers items and sends those that are wanted. A few offers are open at once, so that the network and both disks
 *  work at the same time. */
export class OfferDesk {
  readonly #items: Pick<ItemStore, 'getMany'>
  readonly #send: (message: SourceMessage) => void
  readonly #stream: Pick<FrameStream, 'ready' | 'abort'>
  readonly #open = new Map<number, Offer>()
  #next = 0
  #isClosed = false

  constructor(
    items: Pick<ItemStore, 'getMany'>,
    send: (message: SourceMessage) => void,
    stream: Pick<FrameStream, 'ready' | 'abort'>,
  ) {
    this.#items = items
    this.#send = send
    this.#stream = stream
  }

  /** Items of the open offers. */
  get unfinished(): number {
    return [...this.#open.values()].reduce((sum, { offered }) => sum + offered.length, 0)
  }

  /** Resolves when the offer is on its way.
   *  @throws {AbzuError} ABZU_CLOSED; why the stream failed */
  async offer(mailbox: MailboxId, offered: readonly Offered[]): Promise<void> {
    while (this.#open.size >= windowMax) await this.#oldest()
    if (this.#isClosed) throw new AbzuError('ABZU_CLOSED', 'the puller has gone')
    await this.#stream.ready()
    const offer = this.#next++ % 2 ** 32
    const done = Promise.withResolvers<void>()
    this.#open.set(offer, { mailbox, offered, done, isAnswered: false })
    const ids = concatBytes(...offered.map(({ id }) => id.subarray(0, offeredIdBytes)))
    this.#send({ kind: 'offer', offer, mailbox, ids })
  }

  /** Resolves when every offer is done. */
  async settled(): Promise<void> {
    while (this.#open.size > 0) await this.#oldest()
  }

  async #oldest(): Promise<void> {
    const [oldest] = this.#open.values()
    await oldest?.done.promise
  }

  /** The puller's answer to an offer: sends what it wants. */
  async wanted(number: number, bits: Uint8Array): Promise<void> {
    const offer = this.#open.get(number)
    if (!offer || offer.isAnswered) {
      throw new AbzuError('ABZU_PROTOCOL_VIOLATION', 'an answer to no offer')
    }
    offer.isAnswered = true
    const wanted = offer.offered.filter((_, n) => hasBit(bits, n))
    if (wanted.length === 0) return this.done(number)
    for (let at = 0; at < wanted.length;) {
      const some = oneFrame(wanted, at)
      at += some.length
      const found = await this.#items.getMany(
        offer.mailbox,
        some.map(({ id }) => id),
      )
      // What has gone meanwhile is left out. So is what is damaged: the repair fetches it from another copy.
      const items = found.filter((item) => item !== undefined).map(copyOf)
      await this.#stream.ready()
      this.#send({ kind: 'items', offer: number, isLast: at >= wanted.length, items })
    }
  }

  /** All that was wanted of an offer is durable at the puller. */
  done(number: number): void {
    const offer = this.#open.get(number)
    if (!offer?.isAnswered) throw new AbzuError('ABZU_PROTOCOL_VIOLATION', 'the end of no offer')
    this.#open.delete(number)
    offer.done.resolve()
  }

  /** Nothing is waited for any more. */
  close(): void {
    this.#isClosed = true
    for (const { done } of this.#open.values()) done.resolve()
    this.#open.clear()
  }
}

/** As many items, from one of them on, as go into one frame. */
function oneFrame(wanted: readonly Offered[], from: number): readonly Offered[] {
  let end = from
  let bytes = 0
  do {
    bytes += (wanted[end++] as Offered).sizeBytes
  } while (
    end < Math.min(wanted.length, from + frameItemsMax) &&
    bytes + (wanted[end] as Offered).sizeBytes <= frameBytesMax
  )
  return wanted.slice(from, end)
}

function copyOf({ kind, expiresAtHours, pool, signed = nothing, body }: Item): CopiedItem {
  return { kind, expiresAtHours, pool, signed, body }
}
