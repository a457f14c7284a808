/**
 * The mailboxes that this node hosts, as their home or for their home. Nothing is said to be stored before it is
 * durable.
 * @see docs/protocol.md#delivery
 * @module
 */

import { mailboxIdOf } from '../../base/crypto/address.ts'
import { unverifiedRecord } from '../../base/crypto/mailbox-record.ts'
import type { ArrivalsTaken } from '../../base/store/item-store.ts'
import type { RowChange, Table } from '../../base/store/table.ts'
import type { ItemId, MailboxId, PeerId } from '../../base/util/brand.ts'
import { concatBytes, mapKey } from '../../base/util/bytes.ts'
import { type Cancel, earliestMs, hoursOf } from '../../base/util/clock.ts'
import { AbzuError, toAbzuError, type ErrorCode } from '../../base/util/errors.ts'
import { Tally } from '../../base/util/metric.ts'
import { Listeners } from '../../base/util/listeners.ts'
import { Turns } from '../../base/util/turns.ts'
import { Watchers } from '../../base/util/watchers.ts'
import type { DeliverRequest, DoorPass } from '../../base/wire/deliver.ts'
import type { Host } from '../../base/wire/records.ts'
import type { CopiedItem } from '../../base/wire/copied-item.ts'
import { AcknowledgedIds } from './acknowledged-ids.ts'
import { Admissions, type Admitted } from './admission.ts'
import { CopiedMailboxes } from './copied-mailboxes.ts'
import { CopyIntake } from './copy-intake.ts'
import { HostedMailbox, type CheckedSlot, type SignedSlot } from './hosted-mailbox.ts'
import { HostedShelf } from './hosted-shelf.ts'
import { HouseholdRoom } from './household-room.ts'
import type { MailboxRates } from './mailbox-rates.ts'
import { LeftMailboxes } from './left-mailboxes.ts'
import { MailboxRemoval } from './mailbox-removal.ts'
import { MailboxTiers } from './mailbox-tiers.ts'
import { Totals } from './mailbox-totals.ts'
import { OwnMailbox, type SlotDesk } from './own-mailbox.ts'
import { expectRoom } from './owner-room.ts'
import { storedRecord } from './stored-record.ts'
import type { Origin } from './stranger-rates.ts'
import type { MailboxesDeps } from './mailboxes-deps.ts'
import { isAnsweredByRecord, notHosted, refusal, type Taken } from './taken.ts'

export interface HostInit {
  /** Nodes that its record has to name as hosts. */
  readonly named?: readonly PeerId[]
  readonly taken?: ArrivalsTaken
}

export class Mailboxes implements SlotDesk {
  /** What deliveries were answered, since the start. */
  readonly taken = new Tally<'durable' | ErrorCode>()
  /** Those that have copies elsewhere. */
  readonly copied: CopiedMailboxes
  /** Those whose accounts were deleted here. */
  readonly left: LeftMailboxes
  /** What each mailbox may have and do, how fast mail comes in, and what all who live here have together. */
  readonly tiers: MailboxTiers
  readonly inbound: MailboxRates
  readonly room: HouseholdRoom
  readonly #deps: MailboxesDeps
  readonly #admissions: Admissions
  readonly #hostedRows: Table
  readonly #acknowledged: AcknowledgedIds
  readonly #shelf: HostedShelf
  readonly #listeners = new Listeners()
  readonly #recordWatchers = new Watchers<MailboxId>()
  readonly #newsWatchers = new Watchers<MailboxId>()
  /** Per mailbox: the last change of its slots, so that each sees what the one before it did. */
  readonly #changes = new Turns()
  readonly #copies: CopyIntake
  /** Of all that are hosted. */
  readonly totals: Totals
  readonly #leaving: MailboxRemoval

  constructor(deps: MailboxesDeps) {
    this.#deps = deps
    const { platform, store, limits, clock, log } = deps
    const { items } = store
    this.tiers = new MailboxTiers(limits)
    const hosted = () => this.hosted()
    this.room = new HouseholdRoom({ tiers: this.tiers, items, hosted, clock, log })
    this.#hostedRows = store.table('mailboxes')
    this.#acknowledged = new AcknowledgedIds({ table: store.table('acknowledged'), log })
    this.#shelf = new HostedShelf({
      platform,
      items,
      rootOf: (mailbox) => this.rootOf(mailbox),
      isInUse: (key) => this.#listeners.has(key) || this.#changes.has(key),
      mailboxesMax: limits.hostedInMemoryMax,
      doorsMax: limits.hostedDoorsMax,
    })
    this.totals = new Totals({ clock, items, hosted })
    const copiedRows = store.table('copied-mailboxes')
    this.left = new LeftMailboxes({ platform, table: store.table('left-mailboxes') })
    this.#leaving = new MailboxRemoval({
      items,
      hostedRows: this.#hostedRows,
      copiedRows,
      doorUses: store.table('door-uses'),
      forget: (mailbox) => this.#shelf.forget(mailbox),
    })
    this.copied = new CopiedMailboxes({
      table: copiedRows,
      self: deps.self,
      hosted: () => this.hosted(),
      hostsOf: async (mailbox) => this.hostsOf(mailbox),
    })
    this.#copies = new CopyIntake({
      ...deps,
      items,
      acknowledged: this.#acknowledged,
      changes: this.#changes,
      hosted: async (mailbox) => this.#expectHosted(mailbox),
      storeSlots: async (hosted, checked, taken) => this.#storeSlots(hosted, checked, { taken }),
      arrived: (mailbox) => this.#arrived(mailbox),
    })
    const { tiers, room } = this
    this.#admissions = new Admissions({
      ...deps,
      items,
      tiers,
      room,
      acknowledged: this.#acknowledged,
      doorUses: store.table('door-uses'),
    })
    this.inbound = this.#admissions.rates
  }

  /** Hosts a mailbox whose first slots are given; the identity slot comes first. Resolves after fsync.
   *  @throws {AbzuError} ABZU_ALREADY_EXISTS, ABZU_DENIED (not named), ABZU_MALFORMED, ABZU_SIGNATURE_INVALID, those
   *  of the store */
  async host(
    rootPk: Uint8Array,
    slots: readonly SignedSlot[],
    { named = [], taken }: HostInit = {},
  ): Promise<OwnMailbox> {
    const { platform, store } = this.#deps
    const mailbox = mailboxIdOf(platform, rootPk)
    if (this.#hostedRows.get(mailbox)) {
      throw new AbzuError('ABZU_ALREADY_EXISTS', 'this mailbox is hosted here already')
    }
    const hosted = new HostedMailbox(platform, mailbox, rootPk)
    for (const slot of slots) hosted.check(slot).apply()
    if (!named.every((peer) => hosted.hosts.some(({ peerId }) => peerId === peer))) {
      throw new AbzuError('ABZU_DENIED', 'the account does not name these nodes as its hosts')
    }
    const row = { table: this.#hostedRows.name, key: mailbox, value: rootPk }
    const { copied, left } = this
    const rows = [row, ...copied.rowsOf(mailbox, hosted.hosts), ...left.returning(mailbox)]
    await store.items.putSlots(slots, rows, taken)
    this.#shelf.keep(hosted)
    this.#recordWatchers.tell(mailbox)
    this.#newsWatchers.tell(mailbox)
    return this.#own(mailbox)
  }

  /** A mailbox that is hosted already.
   *  @throws {AbzuError} ABZU_NOT_HOSTED */
  mailbox(mailbox: MailboxId): OwnMailbox {
    if (!this.rootOf(mailbox)) {
      throw new AbzuError('ABZU_NOT_HOSTED', 'no such mailbox is hosted here')
    }
    return this.#own(mailbox)
  }

  #own(mailbox: MailboxId): OwnMailbox {
    const { store, log } = this.#deps
    return new OwnMailbox({ desk: this, items: store.items, log }, mailbox)
  }

  /** The newest signed record of a mailbox hosted here. */
  async record(mailbox: MailboxId): Promise<Uint8Array | undefined> {
    if (!this.rootOf(mailbox)) return undefined
    const { platform, store } = this.#deps
    return storedRecord({ platform, items: store.items }, mailbox)
  }

  /** Root public key of the account whose mailbox this is, where it is hosted here. */
  rootOf(mailbox: MailboxId): Uint8Array | undefined {
    return this.#leaving.isGoing(mailbox) ? undefined : this.#hostedRows.get(mailbox)
  }

  /** Drops a mailbox whose account leaves this node for good. See `HostingPort.leave`. */
  async leave(mailbox: MailboxId): Promise<void> {
    if (this.rootOf(mailbox)) await this.left.note(mailbox, await this.record(mailbox))
    await this.drop(mailbox)
  }

  /** Hosts a mailbox no more, and forgets all that is in it. See `MailboxRemoval.run`. */
  async drop(mailbox: MailboxId): Promise<void> {
    await this.#changes.run(mapKey(mailbox), async () => this.#leaving.run(mailbox))
    this.#recordWatchers.tell(mailbox)
    this.#newsWatchers.tell(mailbox)
  }

  /** Whether the account of a mailbox hosted here has revoked the device of a certificate. */
  async isRevoked(mailbox: MailboxId, certificate: Uint8Array): Promise<boolean> {
    return (await this.#shelf.get(mailbox))?.isRevoked(certificate) ?? false
  }

  /** Who holds copies of a mailbox that is hosted here, by its newest record; nobody where it is not.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  async hostsOf(mailbox: MailboxId): Promise<readonly Host[]> {
    const known = this.#shelf.ready(mailbox)
    if (known) return known.hosts
    const record = await this.record(mailbox)
    return record ? unverifiedRecord(record).hosts : []
  }

  /** Calls `listener`, which must not throw, with each mailbox whose record has changed, once that is durable. */
  watchRecords(listener: (mailbox: MailboxId) => void): Cancel {
    return this.#recordWatchers.add(listener)
  }

  /** Calls `listener`, which must not throw, with each mailbox that has got an item, once that is durable. */
  watchNews(listener: (mailbox: MailboxId) => void): Cancel {
    return this.#newsWatchers.add(listener)
  }

  /** Takes a batch of deliveries from one peer; `neighbour` stands for where it is connected from. Resolves,
   *  in the order of the requests, once everything that is said to be durable has been fsynced. Never
   *  rejects: each request has its answer. */
  async take(
    requests: readonly DeliverRequest[],
    peer: PeerId,
    neighbour?: string,
  ): Promise<Taken[]> {
    const origin = { peer, neighbour }
    const taken = new Array<Taken>(requests.length)
    const admitted: Admitted[] = []
    const places: number[] = []
    for (const [place, request] of requests.entries()) {
      try {
        const verdict = await this.#judge(request, origin)
        if (verdict.kind === 'store') {
          admitted.push(verdict)
          places.push(place)
        } else taken[place] = verdict
      } catch (error) {
        taken[place] = refusal(toAbzuError(error), this.#deps.log)
      }
    }
    const failure = admitted.length === 0 ? undefined : await this.#append(admitted)
    for (const [n, place] of places.entries()) {
      const { hosted, item } = admitted[n] as Admitted
      taken[place] = failure ?? this.#durable(hosted, item)
    }
    for (const one of taken) this.taken.count(one.kind === 'durable' ? 'durable' : one.error)
    if (failure) return taken
    for (const { mailbox } of new Set(admitted.map(({ hosted }) => hosted))) this.#arrived(mailbox)
    return taken
  }

  /** @see HostingPort.deliver of the user half
   *  @throws {AbzuError} why it was not taken */
  async deliver({ to: mailbox, ...letter }: OwnDelivery): Promise<void> {
    const [taken] = await this.take([{ requestId: 0, mailbox, ...letter }], this.#deps.self)
    if (taken && taken.kind !== 'durable') throw new AbzuError(taken.error, 'a letter of our own')
  }

  async #append(admitted: readonly Admitted[]): Promise<Taken | undefined> {
    return this.#queue(admitted).then(
      () => undefined,
      (error: unknown) => refusal(toAbzuError(error), this.#deps.log),
    )
  }

  async #queue(admitted: readonly Admitted[]): Promise<void> {
    try {
      // what was here when it was judged may have been taken out since
      const due = admitted.filter(
        ({ item: { mailbox, id } }) => !this.#acknowledged.has(mailbox, id),
      )
      const items = due.map(({ item }) => item)
      const rows = admitted.flatMap((one) => one.rows)
      return this.#deps.store.items.append(items, rows)
    } finally {
      this.#admissions.release(admitted)
    }
  }

  /** Awaits only where the mailbox is not in memory: the hot path stays synchronous. */
  #judge(request: DeliverRequest, origin: Origin): Judged | Promise<Judged> {
    const mailbox = request.mailbox as MailboxId
    const hosted = this.#shelf.ready(mailbox)
    if (hosted) return this.#verdict(request, hosted, origin)
    return this.#shelf
      .get(mailbox)
      .then((loaded) => (loaded ? this.#verdict(request, loaded, origin) : notHosted))
  }

  #verdict(
    request: DeliverRequest,
    hosted: HostedMailbox,
    origin: Origin,
  ): Judged | Promise<Judged> {
    if (!hosted.roleOf(this.#deps.self)) return notHosted
    const admission = this.#admissions.judge(request, hosted, origin)
    if (admission.kind === 'known') return this.#durable(hosted, admission)
    if (admission.kind === 'refused' && isAnsweredByRecord(admission.error)) {
      return this.record(hosted.mailbox).then((record) => ({ ...admission, record }))
    }
    return admission
  }

  /** A copy that is not, or not any more, the home's says so, whatever it was when the letter came. */
  #durable(
    hosted: HostedMailbox,
    { id, expiresAtHours }: { id: ItemId; expiresAtHours: number },
  ): Taken {
    const as = hosted.roleOf(this.#deps.self) === 'home' ? 'home' : 'replica'
    return { kind: 'durable', id, as, holdUntilHours: expiresAtHours }
  }

  /** @see SlotDesk.putSlots */
  async putSlots(
    mailbox: MailboxId,
    slots: readonly SignedSlot[],
    rows: readonly RowChange[] = [],
  ): Promise<void> {
    await this.#changes.run(mapKey(mailbox), async () => {
      const hosted = await this.#expectHosted(mailbox)
      const checked = slots.map((slot) => hosted.check(slot))
      const { tiers, room } = this
      const { store, limits } = this.#deps
      await expectRoom({ items: store.items, limits, tiers, room }, hosted, checked)
      await this.#storeSlots(hosted, checked, { rows })
    })
  }

  async #storeSlots(
    hosted: HostedMailbox,
    checked: readonly CheckedSlot[],
    { rows = [], taken }: { rows?: readonly RowChange[]; taken?: ArrivalsTaken | undefined } = {},
  ): Promise<void> {
    const { items } = this.#deps.store
    const { mailbox } = hosted
    const acknowledged = checked.flatMap((slot) => slot.acknowledged ?? [])
    const removal = this.#acknowledged.removal(mailbox, acknowledged, items)
    // one commit takes both; the removal first: without it an acknowledgement would leave the mail there
    const isEmpty = removal.rows.length === 0
    const removed = isEmpty ? undefined : items.remove(mailbox, removal.ids, removal.rows)
    const copied = checked.flatMap(({ hosts = [] }) => this.copied.rowsOf(mailbox, hosts))
    const stored = Promise.all([items.putSlots(checked, [...rows, ...copied], taken), removed])
    const [results] = await stored.finally(() => this.#acknowledged.settled(removal.rows))
    const before = hosted.recordHash
    for (const [n, slot] of checked.entries()) if (results[n] === 'stored') slot.apply()
    if (hosted.recordHash !== before) this.#recordWatchers.tell(mailbox)
    this.#newsWatchers.tell(mailbox)
  }

  /** Whether an item that another copy has is wanted here: it is not here, nor acknowledged by its owner.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  wants(mailbox: MailboxId, idPrefix: Uint8Array): boolean {
    return this.#copies.wants(mailbox, idPrefix)
  }

  /** See `CopyIntake.take`. */
  async takeCopies(
    mailbox: MailboxId,
    copies: readonly CopiedItem[],
    taken?: ArrivalsTaken,
  ): Promise<void> {
    return this.#copies.take(mailbox, copies, taken)
  }

  async #expectHosted(mailbox: MailboxId): Promise<HostedMailbox> {
    const hosted = await this.#shelf.get(mailbox)
    if (!hosted) throw new AbzuError('ABZU_NOT_HOSTED', 'no such mailbox is hosted here')
    return hosted
  }

  watch(mailbox: MailboxId, listener: () => void): Cancel {
    return this.#listeners.add(mapKey(mailbox), listener)
  }

  #arrived(mailbox: MailboxId): void {
    this.#listeners.tell(mapKey(mailbox))
    this.#newsWatchers.tell(mailbox)
  }

  /** Removes mail whose own header says that it is over, and forgets acknowledgements that no copy can
   *  contradict any more. Returns how many rows went. */
  async sweep(limit: number): Promise<number> {
    const { clock, store } = this.#deps
    const nowMs = earliestMs(clock)
    const expired = await store.items.expire(hoursOf(nowMs), limit)
    return expired + (await this.#acknowledged.forget(Math.floor(hoursOf(nowMs) / 24) - 32, limit))
  }

  /** At most `limit` mailboxes that are hosted here, in no particular order. */
  async *hosted(limit = Infinity): AsyncIterable<{ mailbox: MailboxId; rootPk: Uint8Array }> {
    for await (const { key, value } of this.#hostedRows.range({ limit })) {
      yield { mailbox: concatBytes(key) as MailboxId, rootPk: value }
    }
  }
}

type OwnDelivery = DoorPass & { readonly to: MailboxId; readonly envelope: Uint8Array }
type Judged = Taken | Admitted
