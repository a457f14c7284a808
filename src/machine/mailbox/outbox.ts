/**
 * Sealed letters on their way out, durable until they have an outcome, and outcomes, durable until the
 * account has taken them over.
 * @see docs/protocol.md#delivery
 * @module
 */

import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { itemIdOf } from '../../base/crypto/address.ts'
import {
  placeOf,
  type RecordPlace,
  type VerifiedMailboxRecord,
} from '../../base/crypto/mailbox-record.ts'
import type { ItemId, MailboxId, PeerId } from '../../base/util/brand.ts'
import { mapKey } from '../../base/util/bytes.ts'
import {
  type Cancel,
  type Clock,
  earliestMs,
  hourMs,
  hoursOf,
  type Scheduler,
} from '../../base/util/clock.ts'
import { AbzuError, toAbzuError } from '../../base/util/errors.ts'
import { Tally } from '../../base/util/metric.ts'
import { Listeners } from '../../base/util/listeners.ts'
import type { Log } from '../../base/util/log.ts'
import { passOf, type Pass } from '../../base/wire/deliver.ts'
import { parseEnvelopeHeader } from '../../base/wire/envelope.ts'
import { deliverProtocol } from '../../base/wire/protocols.ts'
import type { Host } from '../../base/wire/records.ts'
import { dialAddresses } from '../node/directory.ts'
import type { Transport } from '../transport/transport.ts'
import { Courier, type Answer, type Handover } from './courier.ts'
import { Holders, holdersAmong, type HolderReceipt, type HolderRefusal } from './holders.ts'
import { Lane, type LaneDeps, type Letter } from './lane.ts'
import { Lanes } from './lanes.ts'
import { homeOf, isSameHosts, outcomeOf } from './letter-end.ts'
import { LocalHandover } from './local-handover.ts'
import type { MailboxLimits } from './mailbox-limits.ts'
import type { Mailboxes } from './mailboxes.ts'
import { MailboxRates } from './mailbox-rates.ts'
import type { OutboxHead, OutboxOutcome } from './outbox-row.ts'
import { OutboxRoom } from './outbox-room.ts'
import { OutboxStore, type Noted, type OutboxStoreDeps } from './outbox-store.ts'
import { isOutdated } from './outdated-letter.ts'
import { Whereabouts, type WhereaboutsDeps } from './whereabouts.ts'

export interface OutboxDeps {
  readonly platform: Pick<CryptoPlatform, 'ed25519' | 'sha256' | 'random'>
  readonly store: OutboxStoreDeps
  readonly transport: Pick<Transport, 'peerId' | 'open' | 'watch'>
  /** For letters between two accounts of this node. */
  readonly mailboxes: Pick<Mailboxes, 'take' | 'tiers'>
  /** Finds the newest record of a recipient whose home takes no letters.
   *  @default nobody does: letters wait for the home that they were posted to */
  readonly resolve?: WhereaboutsDeps['resolve']
  readonly limits: MailboxLimits
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly log: Log
}

export type Outgoing = Pass & {
  readonly from: MailboxId
  readonly to: MailboxId
  readonly hosts: readonly Host[]
  /** Place of the recipient's record that the letter was sealed by, where it is known. */
  readonly sealedBy?: RecordPlace | undefined
  readonly envelope: Uint8Array
}

/** A home that took a letter and says that it is not the home any more is asked again so much later... */
const askAgainMs = hourMs
/** ...and one that says that it has no such mailbox, once. A newer record is looked for meanwhile. */
const askOnceMoreMs = 60_000

export class Outbox {
  /** What became of letters, since the start; one that was held counts once more when it has an end. */
  readonly outcomesTold = new Tally<OutboxOutcome['state']>()
  readonly room: OutboxRoom
  readonly #deps: OutboxDeps
  readonly #store: OutboxStore
  readonly #homes: Lanes
  readonly #holders: Holders
  readonly #whereabouts: Whereabouts | undefined
  /** What was sent by an older record: what is still answered to it ends nothing. */
  readonly #superseded = new WeakSet<Letter>()
  /** Letters of whose mailbox their home knew nothing, once. */
  readonly #unknown = new WeakSet<Letter>()
  readonly #listeners = new Listeners()
  /** How fast mail goes out. */
  readonly rates: MailboxRates
  #nextSeq = 1
  #stopWatching: Cancel | undefined
  #isClosed = false

  constructor(deps: OutboxDeps) {
    this.#deps = deps
    this.#store = new OutboxStore(deps.store)
    const { tiers } = deps.mailboxes
    this.rates = new MailboxRates('outbound', { ...deps, tiers })
    this.room = new OutboxRoom({ tiers, rates: this.rates })
    this.#homes = new Lanes((home) => {
      const lane: Lane = this.#newLane(home, {
        settle: (letter, outcome) => this.#answered(lane, letter, outcome),
        late: (letters) => {
          this.#holders.add(letters)
          for (const letter of letters) this.#whereabouts?.add(letter)
        },
        putOff: () => undefined,
      })
      return lane
    })
    this.#holders = new Holders({
      holdersOf: (letter) => this.#holdersOf(letter),
      open: (host, told) => this.#newLane(host, told),
      held: (letter, receipt) => this.#hold(letter, receipt),
      refused: (letter, refusal) => this.#refusedByHolder(letter, refusal),
    })
    this.#whereabouts =
      deps.resolve &&
      new Whereabouts({
        ...deps,
        resolve: deps.resolve,
        jitter: () => this.#fraction(),
        headOf: (letter) => this.#readable(letter, ({ seq }) => this.#store.head(seq)),
        found: async (letter, record) => this.#relocate(letter, record),
      })
  }

  /** Takes up what was queued before the last stop. Resolves when all of it has its lane. */
  async start(): Promise<void> {
    this.#stopWatching = this.#deps.transport.watch(({ peerId, connected }) => {
      if (connected) this.wake(peerId)
    })
    for await (const { from, seq } of this.#store.allOutcomes()) {
      this.room.counted(from, 1)
      this.#nextSeq = Math.max(this.#nextSeq, seq + 1)
    }
    for await (const { seq, head } of this.#store.allHeads()) {
      this.#nextSeq = Math.max(this.#nextSeq, seq + 1)
      this.room.counted(head.from as MailboxId, 1)
      this.#enqueue(seq, head)
    }
  }

  /** Letters that are on their way to their home. */
  get depth(): number {
    return this.#homes.size
  }

  /** This host is tried again at once; without `peer` every host is: the network is another one. */
  wake(peer?: PeerId): void {
    this.#homes.wake(peer)
    this.#holders.wake(peer)
    if (!peer) this.#whereabouts?.wake()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopWatching?.()
    this.#whereabouts?.close()
    await Promise.all([this.#homes.close(), this.#holders.close()])
  }

  /** Resolves with the envelope's id once it is durable here.
   *  @throws {AbzuError} ABZU_RATE_LIMITED, ABZU_QUOTA_EXCEEDED, ABZU_MALFORMED, those of the store */
  async post(outgoing: Outgoing): Promise<ItemId> {
    const { from, to, hosts, sealedBy, envelope } = outgoing
    if (this.#isClosed) throw new AbzuError('ABZU_CLOSED', 'the outbox is closed')
    const { expiresAtHours } = parseEnvelopeHeader(envelope)
    homeOf(hosts)
    this.room.expect(from)
    const id = itemIdOf(this.#deps.platform, envelope)
    const seq = this.#nextSeq++
    const head = {
      id,
      from,
      to,
      hosts,
      ...passOf(outgoing),
      expiresAtHours,
      ...(sealedBy && { sealedBy }),
    }
    this.room.counted(from, 1)
    try {
      await this.#store.put(seq, head, envelope)
    } catch (error) {
      this.room.counted(from, -1)
      throw error
    }
    this.#enqueue(seq, head)
    return id
  }

  /** Outcomes of this sender that it has not settled, oldest first, at most 256. One that is `held` is followed by
   *  another one, unless nothing more is learnt of the letter before it ends. */
  async outcomes(from: MailboxId): Promise<OutboxOutcome[]> {
    return this.#store.outcomes(from)
  }

  /** Forgets outcomes that the account has taken over durably. */
  async settle(
    from: MailboxId,
    outcomes: readonly Pick<OutboxOutcome, 'id' | 'state'>[],
  ): Promise<void> {
    this.room.counted(from, -(await this.#store.settle(from, outcomes)))
  }

  /** Calls `listener` when this sender has a new outcome. */
  watch(from: MailboxId, listener: () => void): Cancel {
    return this.#listeners.add(mapKey(from), listener)
  }

  #enqueue(seq: number, { hosts, id, from, expiresAtHours }: Omit<OutboxHead, 'v'>): void {
    const letter = { seq, id: id as ItemId, from: mapKey(from), expiresAtHours }
    this.#homes.to(homeOf(hosts)).add(letter)
  }

  #newLane(host: Host, told: Pick<LaneDeps, 'settle' | 'late' | 'putOff'>): Lane {
    const { clock, scheduler, log } = this.#deps
    const peer = host.peerId as PeerId
    return new Lane({
      ...told,
      clock,
      scheduler,
      log,
      jitter: () => this.#fraction(),
      connect: async (signal) => this.#connect(host, signal),
      load: (letter) => this.#store.parcel(letter),
      pace: (letter) => this.rates.pace(letter.from, peer),
    })
  }

  #fraction(): number {
    return (this.#deps.platform.random(1)[0] as number) / 255
  }

  async #connect(host: Host, signal: AbortSignal): Promise<Handover> {
    const { transport, mailboxes, platform, clock, scheduler } = this.#deps
    const peer = host.peerId as PeerId
    if (peer === transport.peerId) return new LocalHandover(mailboxes, peer)
    const addresses = dialAddresses(host)
    const stream = await transport.open(peer, deliverProtocol, {
      addresses,
      signal,
      // it may have moved to another address while the account that names it was locked
      locate: true,
    })
    return new Courier({ platform, clock, scheduler }, stream)
  }

  /** What the host said that the record names as home. */
  #answered(lane: Lane, letter: Letter, outcome: Answer | { kind: 'expired' }): void {
    if (this.#superseded.has(letter)) {
      if (outcome.kind === 'receipt') this.#hold(letter, outcome)
      return
    }
    this.#holders.withdraw(letter)
    if (outcome.kind === 'receipt' && outcome.as === 'replica') {
      this.#hold(letter, outcome)
      this.#doubtHome(lane, letter, askAgainMs)
    } else if (this.#isFirstDenial(letter, outcome)) this.#doubtHome(lane, letter, askOnceMoreMs)
    else this.#conclude(letter, outcomeOf(outcome, this.#deps.transport.peerId))
  }

  #doubtHome(lane: Lane, letter: Letter, againMs: number): void {
    lane.addLater(letter, againMs)
    this.#whereabouts?.add(letter)
  }

  /** The account may have left that home, and its mailbox been dropped there. */
  #isFirstDenial(letter: Letter, outcome: Answer | { kind: 'expired' }): boolean {
    if (outcome.kind !== 'refused' || outcome.error !== 'ABZU_NOT_HOSTED') return false
    if (!this.#whereabouts || this.#unknown.has(letter)) return false
    this.#unknown.add(letter)
    return true
  }

  /** Sends a letter by a newer record of its recipient than the one that it went by until now. */
  async #relocate(letter: Letter, found: VerifiedMailboxRecord): Promise<void> {
    const { platform, clock, transport } = this.#deps
    const head = this.#readable(letter, ({ seq }) => this.#store.head(seq))
    const parcel = head && this.#readable(letter, () => this.#store.parcel(letter))
    if (!parcel || this.#isClosed) return
    const { hosts } = found.record
    const known = { head, envelope: parcel.envelope, nowHours: hoursOf(earliestMs(clock)) }
    if (isOutdated(platform, known, found.signed)) {
      this.#supersede(letter, head)
      const record = found.signed
      return this.#conclude(letter, { state: 'stale-key', by: transport.peerId, record })
    }
    const isElsewhere = !isSameHosts(head.hosts, hosts)
    if (isElsewhere) this.#supersede(letter, head)
    let goingTo: readonly Host[] | undefined = head.hosts
    try {
      const isThere = await this.#store.reroute(letter, { hosts, sealedBy: placeOf(found) })
      goingTo = isThere ? hosts : undefined
    } finally {
      // as another object, by which lanes tell what was sent before from what is sent now
      if (isElsewhere && goingTo && !this.#isClosed) {
        this.#homes.to(homeOf(goingTo)).add({ ...letter })
      }
    }
  }

  #supersede(letter: Letter, { hosts }: OutboxHead): void {
    this.#superseded.add(letter)
    this.#whereabouts?.end(letter)
    this.#holders.withdraw(letter)
    this.#homes.to(homeOf(hosts)).withdraw(letter)
  }

  #holdersOf(letter: Letter): readonly Host[] {
    const head = this.#readable(letter, ({ seq }) => this.#store.head(seq))
    if (!head || head.heldUntilHours !== undefined) return []
    const home = homeOf(head.hosts)
    const isHere = home.peerId === this.#deps.transport.peerId
    return isHere ? [] : holdersAmong(head.hosts, home)
  }

  /** A letter whose row is damaged goes to no holder, and hinders no other one. */
  #readable<T>(letter: Letter, read: (letter: Letter) => T): T | undefined {
    try {
      return read(letter)
    } catch (error) {
      this.#deps.log.error('letter-unreadable', { error: toAbzuError(error) })
      return undefined
    }
  }

  /** Whatever a holder says of itself: nobody but the home delivers. */
  #hold(letter: Letter, { by, holdUntilHours: promisedHours }: HolderReceipt): boolean {
    const { clock } = this.#deps
    // no receipt makes a letter live longer than its header says
    const holdUntilHours = Math.min(promisedHours, letter.expiresAtHours)
    if (holdUntilHours <= hoursOf(earliestMs(clock))) return false
    const outcome = { id: letter.id, state: 'held' as const, atMs: clock.nowMs(), by }
    const change = this.#store.hold(letter, { ...outcome, holdUntilHours })
    this.#note(change, outcome.state, 1)
    return true
  }

  #refusedByHolder(letter: Letter, { error, by, record }: HolderRefusal): boolean {
    if (error !== 'ABZU_STALE_KEY') return false
    const { platform, clock } = this.#deps
    const head = this.#readable(letter, ({ seq }) => this.#store.head(seq))
    const parcel = head && this.#readable(letter, () => this.#store.parcel(letter))
    if (!parcel) return false
    const nowHours = hoursOf(earliestMs(clock))
    const { envelope } = parcel
    if (!isOutdated(platform, { head, envelope, nowHours }, record)) return false
    this.#homes.to(homeOf(head.hosts)).withdraw(letter)
    this.#conclude(letter, { state: 'stale-key', by, record })
    return true
  }

  #conclude(letter: Letter, what: Omit<OutboxOutcome, 'id' | 'atMs'>): void {
    this.#whereabouts?.end(letter)
    const outcome = { id: letter.id, atMs: this.#deps.clock.nowMs(), ...what }
    this.#note(this.#store.conclude(letter, outcome), outcome.state, 0)
  }

  /** Tells of an outcome once it is durable. `more`: by how many rows the sender has more then. */
  #note(change: Promise<Noted | undefined>, state: OutboxOutcome['state'], more: number): void {
    change
      .then((noted) => {
        if (!noted) return
        this.room.counted(noted.from, noted.isTold ? more : -1)
        if (!noted.isTold) return
        this.outcomesTold.count(state)
        this.#listeners.tell(mapKey(noted.from))
      })
      .catch((error: unknown) => {
        this.#deps.log.error('outcome-not-stored', { error: toAbzuError(error) })
      })
  }
}
