/**
 * The mailboxes that this node hosts. Nothing is said to be stored before it is durable.
 * @see docs/protocol.md#delivery
 * @module
 */

import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { mailboxIdOf } from '../../base/crypto/address.ts'
import type { Amount, ItemStore } from '../../base/store/item-store.ts'
import type { RowChange, Table, TableName } from '../../base/store/table.ts'
import type { ItemId, MailboxId, PeerId } from '../../base/util/brand.ts'
import { concatBytes, mapKey } from '../../base/util/bytes.ts'
import { type Cancel, type Clock, earliestMs, hoursOf } from '../../base/util/clock.ts'
import { AbzuError, toAbzuError, type ErrorCode } from '../../base/util/errors.ts'
import { Tally } from '../../base/util/metric.ts'
import { Listeners } from '../../base/util/listeners.ts'
import { Turns } from '../../base/util/turns.ts'
import type { Log } from '../../base/util/log.ts'
import type { DeliverRequest } from '../../base/wire/deliver.ts'
import { acknowledgedIdBytes, type Acknowledgement } from '../../base/wire/records.ts'
import { AcknowledgedIds } from './acknowledged-ids.ts'
import { Admissions, pool, type Admitted } from './admission.ts'
import { HostedMailbox, type CheckedSlot, type SignedSlot } from './hosted-mailbox.ts'
import type { MailboxLimits } from './mailbox-limits.ts'
import { OwnMailbox, type SlotDesk } from './own-mailbox.ts'
import type { Origin } from './stranger-rates.ts'

export interface MailboxesDeps {
  readonly platform: Pick<CryptoPlatform, 'ed25519' | 'sha256' | 'hmacSha256'>
  readonly store: { readonly items: ItemStore; table(name: TableName): Table }
  readonly limits: MailboxLimits
  readonly clock: Clock
  readonly log: Log
}

/** What became of one request of a batch. */
export type Taken =
  | { readonly kind: 'durable'; readonly id: ItemId; readonly holdUntilHours: number }
  | {
      readonly kind: 'refused'
      readonly error: ErrorCode
      readonly retryAfterMs: number
      /** With ABZU_STALE_KEY and ABZU_STAMP_INVALID the newest record. */
      readonly record?: Uint8Array | undefined
    }

const dayMs = 86_400_000

/** What all mailboxes hold together. */
export interface MailboxTotals {
  readonly mailboxes: number
  readonly mail: Amount
  readonly chunk: Amount
  readonly slot: Amount
}

/** How long a sum over all mailboxes is told again. */
const totalsMs = 60_000

export class Mailboxes implements SlotDesk {
  /** What deliveries were answered, since the start. */
  readonly taken = new Tally<'durable' | ErrorCode>()
  readonly #deps: MailboxesDeps
  readonly #admissions: Admissions
  readonly #hostedRows: Table
  readonly #acknowledged: AcknowledgedIds
  /** Least recently used first. */
  readonly #inMemory = new Map<string, Promise<HostedMailbox | undefined>>()
  readonly #ready = new Map<string, HostedMailbox>()
  readonly #listeners = new Listeners()
  readonly #recordWatchers = new Set<(mailbox: MailboxId) => void>()
  /** Per mailbox: the last change of its slots, so that each sees what the one before it did. */
  readonly #changes = new Turns()

  constructor(deps: MailboxesDeps) {
    this.#deps = deps
    const { platform, store, limits, clock, log } = deps
    this.#hostedRows = store.table('mailboxes')
    this.#acknowledged = new AcknowledgedIds({ table: store.table('acknowledged'), log })
    this.#admissions = new Admissions({
      platform,
      items: store.items,
      acknowledged: this.#acknowledged,
      doorUses: store.table('door-uses'),
      limits,
      clock,
    })
  }

  /** Hosts a mailbox whose first slots are given; the identity slot comes first. Resolves after fsync.
   *  @throws {AbzuError} ABZU_ALREADY_EXISTS, ABZU_MALFORMED, ABZU_SIGNATURE_INVALID, those of the store */
  async host(rootPk: Uint8Array, slots: readonly SignedSlot[]): Promise<OwnMailbox> {
    const { platform, store } = this.#deps
    const mailbox = mailboxIdOf(platform, rootPk)
    if (this.#hostedRows.get(mailbox)) {
      throw new AbzuError('ABZU_ALREADY_EXISTS', 'this mailbox is hosted here already')
    }
    const hosted = new HostedMailbox(platform, mailbox, rootPk)
    for (const slot of slots) hosted.check(slot).apply()
    const row = { table: this.#hostedRows.name, key: mailbox, value: rootPk }
    await store.items.putSlots(slots, [row])
    this.#keep(hosted)
    this.#tellOfRecord(mailbox)
    return this.#own(mailbox)
  }

  /** A mailbox that is hosted already.
   *  @throws {AbzuError} ABZU_NOT_HOSTED */
  mailbox(mailbox: MailboxId): OwnMailbox {
    if (!this.#hostedRows.get(mailbox)) {
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
    return (await this.#hosted(mailbox))?.record
  }

  /** Calls `listener`, which must not throw, with each mailbox whose record has changed, once that is durable. */
  watchRecords(listener: (mailbox: MailboxId) => void): Cancel {
    this.#recordWatchers.add(listener)
    return () => this.#recordWatchers.delete(listener)
  }

  #tellOfRecord(mailbox: MailboxId): void {
    for (const watcher of this.#recordWatchers) watcher(concatBytes(mailbox) as MailboxId)
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
      const { id, expiresAtHours } = (admitted[n] as Admitted).item
      taken[place] = failure ?? { kind: 'durable', id, holdUntilHours: expiresAtHours }
    }
    for (const one of taken) this.taken.count(one.kind === 'durable' ? 'durable' : one.error)
    if (!failure) this.#announce(admitted)
    return taken
  }

  async #append(admitted: readonly Admitted[]): Promise<Taken | undefined> {
    try {
      await this.#queue(admitted)
      return undefined
    } catch (error) {
      return refusal(toAbzuError(error), this.#deps.log)
    }
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
    const hosted = this.#ready.get(mapKey(mailbox))
    if (hosted) return this.#verdict(request, hosted, origin)
    return this.#hosted(mailbox).then((loaded) =>
      loaded
        ? this.#verdict(request, loaded, origin)
        : { kind: 'refused', error: 'ABZU_NOT_HOSTED', retryAfterMs: 0 },
    )
  }

  #verdict(request: DeliverRequest, hosted: HostedMailbox, origin: Origin): Judged {
    const admission = this.#admissions.judge(request, hosted, origin)
    if (admission.kind === 'known') {
      return { kind: 'durable', id: admission.id, holdUntilHours: admission.expiresAtHours }
    }
    if (admission.kind === 'refused' && isAnsweredByRecord(admission.error)) {
      return { ...admission, record: hosted.record }
    }
    return admission
  }

  /** @see SlotDesk.putSlots */
  async putSlots(mailbox: MailboxId, slots: readonly SignedSlot[]): Promise<void> {
    await this.#changes.run(mapKey(mailbox), async () => this.#putSlots(mailbox, slots))
  }

  async #putSlots(mailbox: MailboxId, slots: readonly SignedSlot[]): Promise<void> {
    const { items } = this.#deps.store
    const hosted = await this.#hosted(mailbox)
    if (!hosted) throw new AbzuError('ABZU_NOT_HOSTED', 'no such mailbox is hosted here')
    const checked = slots.map((slot) => hosted.check(slot))
    this.#expectRoom(hosted, checked)
    const acknowledged = checked.flatMap((slot) => slot.acknowledged ?? [])
    const removal = this.#removal(mailbox, acknowledged)
    // Both are queued in this turn, so that one commit takes them; the removal first, since an
    // acknowledgement without its removal would leave the mail there.
    const isEmpty = removal.rows.length === 0
    const removed = isEmpty ? undefined : items.remove(mailbox, removal.ids, removal.rows)
    const [results] = await Promise.all([items.putSlots(slots), removed]).finally(() =>
      this.#acknowledged.settled(removal.rows),
    )
    const before = hosted.record
    for (const [n, slot] of checked.entries()) if (results[n] === 'stored') slot.apply()
    if (hosted.record !== before) this.#tellOfRecord(mailbox)
  }

  #expectRoom(hosted: HostedMailbox, slots: readonly CheckedSlot[]): void {
    const { limits, store } = this.#deps
    const used = store.items.usage(hosted.mailbox)[pool.owner]
    const grows = slots.some((slot) => slot.body.length > 0)
    const isFull = used && (used.items >= limits.slotItemsMax || used.bytes >= limits.slotBytesMax)
    if (grows && isFull) throw new AbzuError('ABZU_QUOTA_EXCEEDED', 'the account is full')
    if (grows && hosted.doorCount > limits.doorsMax) {
      throw new AbzuError('ABZU_QUOTA_EXCEEDED', `an account has at most ${limits.doorsMax} doors`)
    }
  }

  /** The mail that acknowledgements remove, and the rows that refuse its return. */
  #removal(
    mailbox: MailboxId,
    acknowledgements: readonly Acknowledgement[],
  ): { ids: ItemId[]; rows: RowChange[] } {
    const ids: ItemId[] = []
    const rows: RowChange[] = []
    for (const { day, ids: listed } of acknowledgements) {
      for (let at = 0; at < listed.length; at += acknowledgedIdBytes) {
        const prefix = listed.slice(at, at + acknowledgedIdBytes)
        if (this.#acknowledged.has(mailbox, prefix)) continue
        rows.push(this.#acknowledged.note(mailbox, prefix, day))
        const id = this.#deps.store.items.find(mailbox, prefix)
        if (id) ids.push(id)
      }
    }
    return { ids, rows }
  }

  watch(mailbox: MailboxId, listener: () => void): Cancel {
    return this.#listeners.add(mapKey(mailbox), listener)
  }

  #announce(admitted: readonly Admitted[]): void {
    for (const key of new Set(admitted.map(({ hosted }) => hosted.key))) {
      this.#listeners.tell(key)
    }
  }

  /** Removes mail whose own header says that it is over, and forgets acknowledgements that no copy can
   *  contradict any more. Returns how many rows went. */
  async sweep(limit: number): Promise<number> {
    const { clock, store } = this.#deps
    const nowMs = earliestMs(clock)
    const expired = await store.items.expire(hoursOf(nowMs), limit)
    return expired + (await this.#acknowledged.forget(Math.floor(nowMs / dayMs) - 32, limit))
  }

  /** At most `limit` mailboxes that are hosted here, in no particular order. */
  async *hosted(limit = Infinity): AsyncIterable<{ mailbox: MailboxId; rootPk: Uint8Array }> {
    for await (const { key, value } of this.#hostedRows.range({ limit })) {
      yield { mailbox: concatBytes(key) as MailboxId, rootPk: value }
    }
  }

  /** Counted anew once a minute at most: there may be thousands of mailboxes. */
  async totals(): Promise<MailboxTotals> {
    const nowMs = this.#deps.clock.monotonicMs()
    if (!this.#totals || nowMs - this.#totals.atMs > totalsMs) {
      this.#totals = { atMs: nowMs, sum: this.#sum() }
      this.#totals.sum.catch(() => (this.#totals = undefined))
    }
    return this.#totals.sum
  }

  async #sum(): Promise<MailboxTotals> {
    let mailboxes = 0
    const kinds = ['mail', 'chunk', 'slot'] as const
    const sum = kinds.map(() => ({ items: 0, bytes: 0 }))
    for await (const { mailbox } of this.hosted()) {
      mailboxes++
      for (const used of this.#deps.store.items.usage(mailbox)) {
        for (const [n, kind] of kinds.entries()) {
          const amount = sum[n] as { items: number; bytes: number }
          amount.items += used[kind].items
          amount.bytes += used[kind].bytes
        }
      }
    }
    const [mail, chunk, slot] = sum as [Amount, Amount, Amount]
    return { mailboxes, mail, chunk, slot }
  }

  #totals: { readonly atMs: number; readonly sum: Promise<MailboxTotals> } | undefined

  async #hosted(mailbox: MailboxId): Promise<HostedMailbox | undefined> {
    const key = mapKey(mailbox)
    const known = this.#ready.get(key)
    if (known) return known
    const loading = this.#inMemory.get(key)
    if (loading) return loading
    const rootPk = this.#hostedRows.get(mailbox)
    if (!rootPk) return undefined
    const load = this.#load(concatBytes(mailbox) as MailboxId, rootPk)
    this.#inMemory.set(key, load)
    try {
      return await load
    } finally {
      this.#inMemory.delete(key)
    }
  }

  async #load(mailbox: MailboxId, rootPk: Uint8Array): Promise<HostedMailbox> {
    const { platform, store } = this.#deps
    const hosted = await HostedMailbox.load({ platform, items: store.items }, { mailbox, rootPk })
    this.#keep(hosted)
    return hosted
  }

  /** Bounded: the mailbox that was loaded first makes room, unless its account watches it. */
  #keep(hosted: HostedMailbox): void {
    this.#ready.set(hosted.key, hosted)
    if (this.#ready.size <= this.#deps.limits.hostedInMemoryMax) return
    for (const key of this.#ready.keys()) {
      if (this.#listeners.has(key) || this.#changes.has(key)) continue
      this.#ready.delete(key)
      return
    }
  }
}

type Judged = Taken | Admitted

/** What the sender can heal once it knows the newest record. */
function isAnsweredByRecord(error: ErrorCode): boolean {
  return error === 'ABZU_STALE_KEY' || error === 'ABZU_STAMP_INVALID'
}

function refusal(error: AbzuError, log: Log): Taken {
  if (error.code === 'ABZU_INTERNAL') log.error('delivery-failed', { error })
  return { kind: 'refused', error: error.code, retryAfterMs: 0 }
}
