import type { ItemBody, ItemStore, ListedItem } from '../../base/store/item-store.ts'
import type { MailboxId } from '../../base/util/brand.ts'
import { concatBytes } from '../../base/util/bytes.ts'
import { AbzuError, toAbzuError } from '../../base/util/errors.ts'
import type { CopiedItem } from '../../base/wire/copied-item.ts'
import {
  frameItemsMax,
  hasBit,
  offeredIdBytes,
  offersOpenMax,
  type SourceMessage,
} from '../../base/wire/sync.ts'
import type { FrameStream } from '../transport/frame-stream.ts'

interface Offer {
  readonly mailbox: MailboxId
  readonly offered: readonly ListedItem[]
  readonly bytes: number
  readonly done: PromiseWithResolvers<void>
  isAnswered: boolean
}

interface Frame {
  readonly items: readonly ListedItem[]
  readonly bodies: Promise<(ItemBody | undefined)[]>
}

/** Of all open offers. */
const openBytesMax = 2 * 1024 * 1024
const frameBytesMax = 256 * 1024
const nothing = new Uint8Array()

/** Offers items and sends those that are wanted. A few offers are open at once, so that the network and both disks
 *  work at the same time. */
export class OfferDesk {
  readonly #items: Pick<ItemStore, 'bodies'>
  readonly #send: (message: SourceMessage) => void
  readonly #stream: Pick<FrameStream, 'ready' | 'abort'>
  readonly #open = new Map<number, Offer>()
  #openBytes = 0
  #next = 0
  #given = 0
  #isClosed = false
  /** What is wanted is sent in the order in which that was said. */
  #sending: Promise<void> = Promise.resolve()

  constructor(
    items: Pick<ItemStore, 'bodies'>,
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

  /** Items of the offers that are over: durable there, or not wanted. */
  get given(): number {
    return this.#given
  }

  /** Resolves when the offer is on its way.
   *  @throws {AbzuError} ABZU_CLOSED; why the stream failed */
  async offer(mailbox: MailboxId, offered: readonly ListedItem[]): Promise<void> {
    const bytes = offered.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    await this.#stream.ready()
    // whoever waits as well may have taken the place
    for (; this.#isFull(bytes); await this.#stream.ready()) await this.#oldest()
    if (this.#isClosed) throw new AbzuError('ABZU_CLOSED', 'the puller has gone')
    const offer = this.#next++ % 2 ** 32
    const done = Promise.withResolvers<void>()
    this.#open.set(offer, { mailbox, offered, bytes, done, isAnswered: false })
    this.#openBytes += bytes
    const ids = concatBytes(...offered.map(({ id }) => id.subarray(0, offeredIdBytes)))
    this.#send({ kind: 'offer', offer, mailbox, ids })
  }

  #isFull(bytes: number): boolean {
    const { size } = this.#open
    return size >= offersOpenMax || (size > 0 && this.#openBytes + bytes > openBytesMax)
  }

  /** Resolves when every offer is done. */
  async settled(): Promise<void> {
    while (this.#open.size > 0) await this.#oldest()
  }

  async #oldest(): Promise<void> {
    const [oldest] = this.#open.values()
    await oldest?.done.promise
  }

  /** The puller's answer to an offer: sends what it wants.
   *  @throws {AbzuError} ABZU_PROTOCOL_VIOLATION */
  wanted(number: number, bits: Uint8Array): void {
    const offer = this.#open.get(number)
    if (!offer || offer.isAnswered) {
      throw new AbzuError('ABZU_PROTOCOL_VIOLATION', 'an answer to no offer')
    }
    offer.isAnswered = true
    const wanted = offer.offered.filter((_, n) => hasBit(bits, n))
    if (wanted.length === 0) return this.done(number)
    // Read at once, so that the disk is not waited for between two frames.
    const frames = Array.from(inFrames(wanted), (items): Frame => {
      const bodies = this.#items.bodies(offer.mailbox, items)
      bodies.catch(() => undefined)
      return { items, bodies }
    })
    this.#sending = this.#sending.then(async () => this.#sendAll(number, frames))
    this.#sending.catch((error: unknown) => this.#stream.abort(toAbzuError(error)))
  }

  async #sendAll(offer: number, frames: readonly Frame[]): Promise<void> {
    for (const [n, { items: heads, bodies }] of frames.entries()) {
      const found = await bodies
      // What has gone meanwhile is left out. So is what is damaged: the repair fetches it from another copy.
      const items = heads.flatMap((head, at) => {
        const one = found[at]
        return one ? [copyOf(head, one)] : []
      })
      await this.#stream.ready()
      this.#send({ kind: 'items', offer, isLast: n === frames.length - 1, items })
    }
  }

  /** All that was wanted of an offer is durable at the puller. */
  done(number: number): void {
    const offer = this.#open.get(number)
    if (!offer?.isAnswered) throw new AbzuError('ABZU_PROTOCOL_VIOLATION', 'the end of no offer')
    this.#open.delete(number)
    this.#openBytes -= offer.bytes
    this.#given += offer.offered.length
    offer.done.resolve()
  }

  /** Nothing is waited for any more. */
  close(): void {
    this.#isClosed = true
    for (const { done } of this.#open.values()) done.resolve()
    this.#open.clear()
  }
}

/** As many items at a time as go into one frame. */
function* inFrames(wanted: readonly ListedItem[]): Iterable<readonly ListedItem[]> {
  for (let from = 0; from < wanted.length;) {
    let end = from
    let bytes = 0
    do {
      bytes += (wanted[end++] as ListedItem).sizeBytes
    } while (
      end < Math.min(wanted.length, from + frameItemsMax) &&
      bytes + (wanted[end] as ListedItem).sizeBytes <= frameBytesMax
    )
    yield wanted.slice(from, end)
    from = end
  }
}

function copyOf(
  { kind, expiresAtHours, pool }: ListedItem,
  { signed = nothing, body }: ItemBody,
): CopiedItem {
  return { kind, expiresAtHours, pool, signed, body }
}
