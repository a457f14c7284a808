/**
 * The puller's side of one sync stream: wants what it has not got, stores it, and says when that is durable. For
 * whom it pulls, its errand knows.
 * @see docs/protocol.md#sync
 * @module
 */

import { mailboxIdOf } from '../../base/crypto/address.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import type { ArrivalsTaken, ItemStore } from '../../base/store/item-store.ts'
import type { MailboxId, PeerId } from '../../base/util/brand.ts'
import { concatBytes, mapKey } from '../../base/util/bytes.ts'
import { AbzuError, toAbzuError } from '../../base/util/errors.ts'
import type { CopiedItem } from '../../base/wire/copied-item.ts'
import {
  decodeSourceMessage,
  encodePullerMessage,
  offeredIds,
  offersOpenMax,
  toBits,
  type PullerMessage,
  type SetSum,
  type SourceMessage,
} from '../../base/wire/sync.ts'
import type { Mailboxes } from '../mailbox/mailboxes.ts'
import type { FrameStream } from '../transport/frame-stream.ts'
import { introductionSlotsMax } from './introduction.ts'
import type { Origins } from './origins.ts'
import { Questions, repair, type Repaired } from './repair.ts'

export interface PullerDeps {
  readonly platform: Pick<CryptoPlatform, 'sha256'>
  readonly mailboxes: Pick<Mailboxes, 'rootOf' | 'host' | 'wants' | 'takeCopies'>
  readonly origins: Pick<Origins, 'note'>
  readonly items: Pick<ItemStore, 'digest' | 'idPrefixes'>
}

/** Everything that the source had of some mailboxes is durable here. */
export interface Mark {
  /** Of the source, 16 bytes. */
  readonly epoch: Uint8Array
  readonly upTo: number
  /** The mailboxes, as the source sums them. */
  readonly set: SetSum
  /** What they hold at the source. */
  readonly items: SetSum
  /** Those of them that are here. */
  readonly mailboxes: readonly MailboxId[]
}

/** For whom a pull is, and what that allows. */
export interface Errand {
  /** Says what the stream begins with. `say` resolves when more may be said. */
  greet(say: (message: PullerMessage) => Promise<void>): Promise<void>
  /** The mailboxes of which the greeting spoke. */
  greeted(): Iterable<MailboxId>
  /** Whether the greeting spoke of this mailbox, to a source of this epoch. */
  isKnown(mailbox: MailboxId, epoch: Uint8Array): boolean
  /** Whether a copy of this mailbox is to be here. */
  isWelcome(mailbox: MailboxId): Promise<boolean>
  /** @throws {AbzuError} ABZU_QUOTA_EXCEEDED where there is no room for so many bytes of it */
  expectRoom(mailbox: MailboxId, bytes: number): Promise<void>
  /** Nodes that the record of a mailbox which is new here has to name. */
  readonly named: readonly PeerId[]
  /** Signs what the source asks to be signed.
   *  @throws {AbzuError} ABZU_PROTOCOL_VIOLATION where there is nothing to sign */
  claim(nonce: Uint8Array): PullerMessage
  /** The source has said how much there is. */
  extent(amount: { readonly items: number; readonly bytes: number }): void
  /** Items were stored. */
  stored(amount: { readonly items: number; readonly bytes: number }): void
  marked(mark: Mark): Promise<void>
}

interface Offer {
  readonly mailbox: MailboxId
  /** Items that were wanted and have not come. */
  lacking: number
  /** Stores that are under way. */
  readonly stores: Promise<void>[]
}

/** Mailboxes that one source shares with this node. */
const listedMax = 100_000

type Message<K extends SourceMessage['kind']> = Extract<SourceMessage, { kind: K }>

export class Puller {
  readonly #deps: PullerDeps
  readonly #stream: FrameStream
  readonly #errand: Errand
  readonly #offers = new Map<number, Offer>()
  /** Root keys of the mailboxes that the source shares. */
  #listed = new Map<string, { readonly mailbox: MailboxId; readonly rootPk: Uint8Array }>()
  /** Those of which the source was not told yet whether the cursor speaks of them. */
  #asked: MailboxId[] = []
  /** Mailboxes that are new here, and whose first slots are being stored. */
  readonly #hosting = new Map<string, Promise<unknown>>()
  /** Empty until the source has greeted. */
  #epoch: Uint8Array = new Uint8Array()
  readonly #questions = new Questions()
  /** Work on what was received, one piece after the other. */
  #work: Promise<void> = Promise.resolve()

  constructor(deps: PullerDeps, stream: FrameStream, errand: Errand) {
    this.#deps = deps
    this.#stream = stream
    this.#errand = errand
  }

  /** Pulls until the stream ends.
   *  @throws {AbzuError} why it failed: ABZU_UNREACHABLE, ABZU_DENIED, ABZU_QUOTA_EXCEEDED, those of the store */
  async run(): Promise<void> {
    try {
      await this.#errand.greet(async (message) => {
        this.say(message)
        await this.#stream.ready()
      })
      for await (const payloads of this.#stream.batches()) {
        for (const payload of payloads) await this.#take(decodeSourceMessage(payload))
      }
    } finally {
      this.#questions.end(new AbzuError('ABZU_CLOSED', 'the pull is over'))
    }
  }

  /** Compares what is here of the listed mailboxes with what the source holds, and has it offer again what is lacking.
   *  @throws {AbzuError} why the stream failed; those of the store */
  async repair(): Promise<Repaired> {
    const { items, mailboxes } = this.#deps
    const listed = Array.from(this.#listed.values(), ({ mailbox }) => mailbox)
    const ask = async (question: PullerMessage) => {
      this.say(question)
      return this.#questions.next()
    }
    return repair(
      {
        items,
        ask,
        say: (message) => this.say(message),
        wants: (mailbox, id) =>
          mailboxes.rootOf(mailbox) !== undefined && mailboxes.wants(mailbox, id),
      },
      listed,
    )
  }

  /** Tells the source something. */
  say(message: PullerMessage): void {
    this.#stream.send(encodePullerMessage(message))
  }

  async #take(message: SourceMessage): Promise<void> {
    const hasGreeted = this.#epoch.length > 0
    if (!hasGreeted && message.kind !== 'welcome' && message.kind !== 'challenge') {
      throw new AbzuError('ABZU_PROTOCOL_VIOLATION', 'a source that has not greeted')
    }
    switch (message.kind) {
      case 'welcome':
        return this.#enter(message)
      case 'challenge':
        return this.say(this.#errand.claim(message.nonce))
      case 'extent':
        return this.#errand.extent(message)
      case 'shared':
        return this.#learn(message)
      case 'offer':
        return this.#answer(message)
      case 'items':
        return this.#receive(message)
      case 'sums':
        return this.#questions.answer(concatBytes(message.sums))
      case 'mark': {
        await this.#work
        const { upTo, set, items } = message
        const mailboxes = Array.from(this.#listed.values(), ({ mailbox }) => mailbox).filter(
          (mailbox) => this.#deps.mailboxes.rootOf(mailbox) !== undefined,
        )
        return this.#errand.marked({ epoch: this.#epoch, upTo, set, items, mailboxes })
      }
    }
  }

  #enter({ epoch, isSame }: Message<'welcome'>): void {
    this.#epoch = concatBytes(epoch)
    if (!isSame) return
    for (const mailbox of this.#errand.greeted()) {
      const rootPk = this.#deps.mailboxes.rootOf(mailbox)
      if (rootPk) this.#listed.set(mapKey(mailbox), { mailbox, rootPk })
    }
  }

  #learn({ isFirst, isLast, roots }: Message<'shared'>): void {
    if (isFirst) {
      this.#listed = new Map()
      this.#asked = []
    }
    for (let at = 0; at < roots.length; at += 32) {
      const rootPk = roots.slice(at, at + 32)
      const mailbox = mailboxIdOf(this.#deps.platform, rootPk)
      this.#listed.set(mapKey(mailbox), { mailbox, rootPk })
      this.#asked.push(mailbox)
    }
    if (Math.max(this.#listed.size, this.#asked.length) > listedMax) {
      throw new AbzuError('ABZU_PROTOCOL_VIOLATION', 'more mailboxes than one node shares')
    }
    if (!isLast) return
    const flags = this.#asked.map((mailbox) => this.#errand.isKnown(mailbox, this.#epoch))
    this.#asked = []
    this.say({ kind: 'members', bits: toBits(flags) })
  }

  async #answer({ offer, mailbox: bytes, ids: joined }: Message<'offer'>): Promise<void> {
    const mailbox = concatBytes(bytes) as MailboxId
    const isListed = this.#listed.has(mapKey(mailbox))
    const isWelcome = isListed && (await this.#errand.isWelcome(mailbox))
    const all = offeredIds(joined)
    const flags = all.map((id) => isWelcome && this.#deps.mailboxes.wants(mailbox, id))
    const wanted = flags.filter((isWanted) => isWanted).length
    if (this.#offers.size >= offersOpenMax) {
      throw new AbzuError('ABZU_PROTOCOL_VIOLATION', 'more offers than are open at once')
    }
    if (wanted > 0) this.#offers.set(offer, { mailbox, lacking: wanted, stores: [] })
    this.say({ kind: 'want', offer, bits: toBits(flags) })
  }

  #receive({ offer: number, isLast, items }: Message<'items'>): void {
    const offer = this.#offers.get(number)
    if (!offer) throw new AbzuError('ABZU_PROTOCOL_VIOLATION', 'items of no offer')
    offer.lacking -= items.length
    if (offer.lacking < 0) {
      throw new AbzuError('ABZU_PROTOCOL_VIOLATION', 'more items than were wanted')
    }
    const store = this.#store(offer.mailbox, items.map(ownSlot))
    store.catch((error: unknown) => this.#stream.abort(toAbzuError(error)))
    offer.stores.push(store)
    if (!isLast) return
    this.#offers.delete(number)
    this.#work = this.#work
      .then(async () => Promise.all(offer.stores))
      .then(() => this.say({ kind: 'done', offer: number }))
    this.#work.catch((error: unknown) => this.#stream.abort(toAbzuError(error)))
  }

  async #store(mailbox: MailboxId, items: readonly CopiedItem[]): Promise<void> {
    const { mailboxes, origins } = this.#deps
    const { peer } = this.#stream
    const bytes = items.reduce((sum, { body }) => sum + body.length, 0)
    await this.#errand.expectRoom(mailbox, bytes)
    await this.#host(mailbox, items)
    await mailboxes.takeCopies(mailbox, items, (first, last) => origins.note(peer, first, last))
    this.#errand.stored({ items: items.length, bytes })
  }

  /** Where a mailbox is new here, its first items are its identity and its record, and whatever else comes waits for
   *  them. */
  async #host(mailbox: MailboxId, items: readonly CopiedItem[]): Promise<void> {
    const { mailboxes, origins } = this.#deps
    const { peer } = this.#stream
    const key = mapKey(mailbox)
    const rootPk = this.#listed.get(key)?.rootPk
    const isHere = rootPk === undefined || mailboxes.rootOf(mailbox) !== undefined
    if (this.#hosting.has(key) || isHere) {
      await this.#hosting.get(key)
      return
    }
    const slots = items.slice(0, introductionSlotsMax).filter(({ kind }) => kind === 'slot')
    const taken: ArrivalsTaken = (first, last) => origins.note(peer, first, last)
    const hosting = mailboxes.host(rootPk, slots, { named: this.#errand.named, taken })
    this.#hosting.set(key, hosting)
    await hosting
    this.#hosting.delete(key)
  }

  /** Whether a mailbox comes into being here by what this source sends. */
  isHosting(mailbox: MailboxId): boolean {
    return this.#hosting.has(mapKey(mailbox))
  }
}

/** What is kept in memory of a slot would keep the whole frame there with it. */
function ownSlot(item: CopiedItem): CopiedItem {
  if (item.kind !== 'slot') return item
  return { ...item, signed: concatBytes(item.signed), body: concatBytes(item.body) }
}
