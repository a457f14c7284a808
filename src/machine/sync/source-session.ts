/**
 * The source's side of one sync stream: greets, lists what is shared, offers what is new since the puller's cursor,
 * and goes on offering what comes in, for as long as the stream lives.
 * @see docs/protocol.md#sync
 * @module
 */

import { mailboxIdOf } from '../../base/crypto/address.ts'
import { claimNonceBytes, verifyRestoreClaim } from '../../base/crypto/restore-claim.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import type { ItemStore } from '../../base/store/item-store.ts'
import type { MailboxId, PeerId } from '../../base/util/brand.ts'
import { concatBytes, equalBytes, mapKey } from '../../base/util/bytes.ts'
import type { Scheduler } from '../../base/util/clock.ts'
import { AbzuError, toAbzuError } from '../../base/util/errors.ts'
import {
  decodePullerMessage,
  encodeSourceMessage,
  hasBit,
  offeredIds,
  sharePageMax,
  type PullerMessage,
  type SourceMessage,
} from '../../base/wire/sync.ts'
import type { Mailboxes } from '../mailbox/mailboxes.ts'
import type { FrameStream } from '../transport/frame-stream.ts'
import { Feed } from './feed.ts'
import { branches, trunk } from './id-tree.ts'
import { OfferDesk } from './offer-desk.ts'
import type { Origins } from './origins.ts'
import { Pace } from './pace.ts'
import {
  sumOfItems,
  sumOfSet,
  type SharedMailbox,
  type SharedMailboxes,
} from './shared-mailboxes.ts'

export interface SourceDeps {
  readonly platform: Pick<CryptoPlatform, 'ed25519' | 'sha256' | 'random'>
  readonly self: PeerId
  /** Of the store, 16 bytes. */
  readonly epoch: () => Uint8Array
  readonly items: ItemStore
  readonly mailboxes: Pick<Mailboxes, 'rootOf' | 'watchNews' | 'takeCopies' | 'isRevoked'>
  readonly shared: Pick<SharedMailboxes, 'with' | 'offeredTo' | 'watch' | 'settled'>
  readonly isTrusted: (peer: PeerId) => boolean
  readonly origins: Pick<Origins, 'isFrom'>
  readonly scheduler: Pick<Scheduler, 'soon' | 'after'>
}

/** Fetches of one puller that are not done. */
const fetchesMax = 64
/** Between two marks of what the puller itself has sent, and two growths of the list: each costs a sum over all of it. */
const markRestMs = 200

/** How far a puller is. */
export interface Progress {
  /** Offered and not known to be durable there. */
  readonly behind: number
  /** Offered on this stream, and durable there or not wanted. */
  readonly given: number
  /** All that this node has of what they share is durable there. */
  readonly isUpToDate: boolean
}

/** Returns a handler for one stream, which resolves when the puller has ended it. */
export function syncHandler(
  deps: SourceDeps,
  sessions: Set<SourceSession>,
): (stream: FrameStream) => Promise<void> {
  return async (stream) => {
    const session = new SourceSession(deps, stream)
    sessions.add(session)
    try {
      await session.run()
    } finally {
      sessions.delete(session)
    }
  }
}

export class SourceSession {
  readonly peer: PeerId
  readonly #deps: SourceDeps
  readonly #stream: FrameStream
  readonly #desk: OfferDesk
  readonly #feed: Feed
  readonly #pace: Pace
  /** The mailboxes that the puller was told of, in this order. */
  readonly #listed = new Map<string, SharedMailbox>()
  /** Those of which it has not said yet whether its cursor speaks of them. */
  #asked: readonly SharedMailbox[] = []
  #upTo = 0
  /** With what its device has to sign, until it has. */
  #claimed: { mailbox: MailboxId; nonce?: Uint8Array } | undefined
  #wake = Promise.withResolvers<void>()
  /** What the puller has to say next, if anything. */
  #awaited: 'greeting' | 'members' | undefined = 'greeting'
  #fetches = 0
  #isMarked = false
  #isListChanged = false
  #isListDue = false
  #isMarkDue = false
  #isOver = false

  constructor(deps: SourceDeps, stream: FrameStream) {
    this.#deps = deps
    this.#stream = stream
    this.peer = stream.peer
    this.#desk = new OfferDesk(deps.items, (message) => this.#send(message), stream)
    this.#feed = new Feed(deps, this.#desk, this.peer)
    this.#pace = new Pace(deps.scheduler, markRestMs, () => {
      this.#isListDue = this.#isListChanged
      this.#isMarkDue = true
      this.#wake.resolve()
    })
  }

  get progress(): Progress {
    const isUpToDate = this.#isMarked && !this.#feed.hasNews && this.#desk.unfinished === 0
    const { unfinished: behind, given } = this.#desk
    return { behind, given, isUpToDate }
  }

  /** Whether everything of a mailbox up to an arrival is durable there, or was not wanted. */
  hasAll(mailbox: MailboxId, upTo: number): boolean {
    return this.#feed.reached(mailbox) >= upTo
  }

  async run(): Promise<void> {
    const { mailboxes, shared } = this.#deps
    const stops = [
      mailboxes.watchNews((mailbox) => {
        const noticed = this.#feed.notice(mailbox)
        if (noticed === 'news') this.#wake.resolve()
        if (noticed === 'own') this.#pace.request()
      }),
      shared.watch((peer) => {
        if (peer !== this.peer || this.#claimed) return
        this.#isListChanged = true
        this.#pace.request()
      }),
    ]
    try {
      for await (const payloads of this.#stream.batches()) {
        for (const payload of payloads) await this.#take(decodePullerMessage(payload))
      }
    } finally {
      this.#isOver = true
      this.#wake.resolve()
      this.#pace.close()
      this.#desk.close()
      for (const stop of stops) stop()
    }
  }

  async #take(message: PullerMessage): Promise<void> {
    switch (message.kind) {
      case 'hello':
        return this.#greet(message)
      case 'appeal':
        return this.#challenge(message.mailbox as MailboxId)
      case 'claim':
        return this.#admit(message)
      case 'members':
        return this.#begin(message.bits)
      case 'introduce':
        return this.#meet(message)
      case 'want':
        return this.#desk.wanted(message.offer, message.bits)
      case 'done':
        return this.#desk.done(message.offer)
      case 'survey':
        return this.#survey(message.from)
      case 'probe':
        return this.#send({
          kind: 'sums',
          sums: await branches(this.#deps.items, this.#of(message.mailbox), message),
        })
      case 'fetch':
        return this.#offerAgain(this.#of(message.mailbox), offeredIds(message.ids))
    }
  }

  #expect(awaited: 'greeting' | 'members'): void {
    if (this.#awaited !== awaited) {
      throw new AbzuError('ABZU_PROTOCOL_VIOLATION', 'a sync message out of turn')
    }
    this.#awaited = undefined
  }

  async #greet({ epoch, upTo, set }: Extract<PullerMessage, { kind: 'hello' }>): Promise<void> {
    this.#expect('greeting')
    const { shared, epoch: ownEpoch, isTrusted } = this.#deps
    await shared.settled()
    const listed = [...shared.offeredTo(this.peer).values()]
    if (shared.with(this.peer).size === 0 && !isTrusted(this.peer)) {
      throw new AbzuError('ABZU_DENIED', 'nothing is shared with this peer')
    }
    const own = sumOfSet(listed)
    const isOwnEpoch = equalBytes(epoch, ownEpoch())
    const isSame = isOwnEpoch && set.count === own.count && equalBytes(set.sum, own.sum)
    this.#upTo = isOwnEpoch ? upTo : 0
    this.#send({ kind: 'welcome', epoch: ownEpoch(), isSame })
    if (!isSame) return this.#list(listed)
    for (const one of listed) this.#listed.set(mapKey(one.mailbox), one)
    this.#feed.begin(
      listed.map(({ mailbox }) => ({ mailbox, isKnown: true })),
      this.#upTo,
    )
    this.#serve()
  }

  /** Tells the puller what is shared, in place of what it was told before. */
  #list(listed: readonly SharedMailbox[]): void {
    this.#listed.clear()
    this.#feed.begin([], this.#upTo)
    this.#grow(listed, { isAnew: true })
  }

  /** Tells it of more that is shared. */
  #grow(added: readonly SharedMailbox[], { isAnew }: { readonly isAnew: boolean }): void {
    this.#awaited = 'members'
    this.#asked = added
    for (const one of added) this.#listed.set(mapKey(one.mailbox), one)
    for (let at = 0; at === 0 || at < added.length; at += sharePageMax) {
      const page = added.slice(at, at + sharePageMax)
      const isLast = at + sharePageMax >= added.length
      const roots = concatBytes(...page.map(({ rootPk }) => rootPk))
      this.#send({ kind: 'shared', isFirst: isAnew && at === 0, isLast, roots })
    }
  }

  /** The puller has said which of the mailboxes that it was just told of its cursor speaks of. */
  #begin(bits: Uint8Array): void {
    this.#expect('members')
    this.#feed.extend(this.#asked.map(({ mailbox }, n) => ({ mailbox, isKnown: hasBit(bits, n) })))
    this.#asked = []
    this.#serve()
  }

  /** The set has changed: the whole list goes out anew where something has left it. */
  #relist(): void {
    this.#isListChanged = this.#isListDue = false
    const now = this.#deps.shared.offeredTo(this.peer)
    const isGrown = [...this.#listed.keys()].every((key) => now.has(key))
    if (!isGrown) return this.#list([...now.values()])
    const added = [...now].flatMap(([key, one]) => (this.#listed.has(key) ? [] : [one]))
    if (added.length > 0) return this.#grow(added, { isAnew: false })
    this.#serve()
  }

  #challenge(mailbox: MailboxId): void {
    this.#expect('greeting')
    const { platform, mailboxes } = this.#deps
    if (!mailboxes.rootOf(mailbox)) throw new AbzuError('ABZU_NOT_HOSTED', 'no such mailbox here')
    const nonce = platform.random(claimNonceBytes)
    this.#claimed = { mailbox: concatBytes(mailbox) as MailboxId, nonce }
    this.#send({ kind: 'challenge', nonce })
  }

  async #admit(claim: Extract<PullerMessage, { kind: 'claim' }>): Promise<void> {
    const { platform, self: source, epoch, items, mailboxes } = this.#deps
    if (!this.#claimed?.nonce) throw new AbzuError('ABZU_PROTOCOL_VIOLATION', 'a claim of nothing')
    const { mailbox, nonce } = this.#claimed
    this.#claimed = { mailbox }
    verifyRestoreClaim(platform, { mailbox, source, puller: this.peer, nonce }, claim)
    if (await mailboxes.isRevoked(mailbox, claim.certificate)) {
      throw new AbzuError('ABZU_DENIED', 'a claim by a revoked device')
    }
    this.#send({ kind: 'welcome', epoch: epoch(), isSame: false })
    const pools = items.usage(mailbox)
    const sum = (of: 'items' | 'bytes') => pools.reduce((total, pool) => total + pool[of], 0)
    this.#send({ kind: 'extent', items: sum('items'), bytes: sum('bytes') })
    this.#list([{ mailbox, rootPk: concatBytes(claim.rootPk) }])
  }

  /** The puller knows a newer record than this node: it decides what is shared. */
  async #meet({ rootPk, slots }: Extract<PullerMessage, { kind: 'introduce' }>): Promise<void> {
    const { platform, mailboxes } = this.#deps
    const mailbox = mailboxIdOf(platform, rootPk)
    if (!mailboxes.rootOf(mailbox)) return
    await mailboxes.takeCopies(mailbox, slots)
  }

  /** A listed mailbox.
   *  @throws {AbzuError} ABZU_PROTOCOL_VIOLATION */
  #of(bytes: Uint8Array): MailboxId {
    const found = this.#listed.get(mapKey(bytes))
    if (found) return found.mailbox
    throw new AbzuError('ABZU_PROTOCOL_VIOLATION', 'a mailbox that is not shared')
  }

  #survey(from: number): void {
    const { items } = this.#deps
    const page = [...this.#listed.values()].slice(from, from + sharePageMax)
    const sums = concatBytes(...page.map(({ mailbox }) => trunk(items.digest(mailbox))))
    this.#send({ kind: 'sums', sums })
  }

  /** Another mark follows when it is done. */
  #offerAgain(mailbox: MailboxId, ids: readonly Uint8Array[]): void {
    if (++this.#fetches > fetchesMax) {
      throw new AbzuError('ABZU_PROTOCOL_VIOLATION', 'too much is fetched at once')
    }
    const { items } = this.#deps
    const work = async () => {
      const found = ids.flatMap((prefix) => items.listed(mailbox, prefix) ?? [])
      const bodies = await items.bodies(mailbox, found)
      const offered = found.filter((_, n) => bodies[n] !== undefined)
      if (offered.length > 0) await this.#desk.offer(mailbox, offered)
      await this.#desk.settled()
      this.#fetches--
      this.#wake.resolve()
    }
    work().catch((error: unknown) => this.#stream.abort(toAbzuError(error)))
  }

  #serve(): void {
    this.#round().catch((error: unknown) => this.#stream.abort(toAbzuError(error)))
  }

  /** Offers everything that is new; then again whenever there is something, until the set changes or the stream
   *  ends. A claimed mailbox is offered once. */
  async #round(): Promise<void> {
    for (;;) {
      this.#isMarked = this.#isMarkDue = false
      const upTo = await this.#feed.offerNews()
      if (this.#isOver) return
      this.#upTo = Math.max(this.#upTo, upTo)
      const listed = [...this.#listed.values()]
      const [set, items] = [sumOfSet(listed), sumOfItems(this.#deps.items, listed)]
      this.#send({ kind: 'mark', upTo: this.#upTo, set, items })
      this.#isMarked = true
      if (this.#claimed) return
      this.#pace.happened()
      this.#wake = Promise.withResolvers()
      const isDue = this.#isListDue || this.#isMarkDue || this.#feed.isUrgent
      if (!isDue) await this.#wake.promise
      if (this.#isOver) return
      if (this.#isListDue) return this.#relist()
    }
  }

  #send(message: SourceMessage): void {
    this.#stream.send(encodeSourceMessage(message))
  }
}
