import type { ItemId, MailboxId } from '../util/brand.ts'
import { assert, AbzuError } from '../util/errors.ts'
import { equalBytes } from '../util/bytes.ts'
import type { Clock } from '../util/clock.ts'
import { parseSlotHeader } from '../wire/slot.ts'
import type { BodyBook } from './body-book.ts'
import type { ExpiryBook } from './expiry-book.ts'
import type { CommitUnit, GroupCommit } from './group-commit.ts'
import { encodeSlot, type StoredHead } from './head.ts'
import { isNewer, slotText, type CurrentSlot, type ItemIndex } from './item-index.ts'
import type { ArrivalsTaken, NewItem, SlotResult, StoredSlot } from './item-store.ts'
import { arrivalKey, indexKey, itemKinds, keyText, slotKey } from './keys.ts'
import type { Ledger, LedgerEntry } from './ledger.ts'
import { poolCount } from './mailbox-row.ts'
import { bodyChecksum, seal } from './row.ts'
import { isSamePlace, nowhere, type BodyPlace } from './segments.ts'
import type { RowChange } from './table.ts'
import type { TableRows } from './table-rows.ts'

export interface ItemWriterDeps {
  readonly commit: Pick<GroupCommit, 'expectReady' | 'queue' | 'settled'>
  readonly index: ItemIndex
  readonly ledger: Ledger
  readonly book: Pick<BodyBook, 'subtract'>
  readonly expiry: Pick<ExpiryBook, 'add'>
  readonly tables: Pick<TableRows, 'prepare' | 'write'>
  readonly slotIdOf: (signed: Uint8Array) => ItemId
  readonly clock: Pick<Clock, 'nowMs'>
  /** @throws {AbzuError} ABZU_DISK_FULL where there is no room for so many bytes */
  readonly expectRoom: (bytes: number) => void
  /** Called after items were removed. */
  readonly freed: () => void
}

interface Fresh {
  readonly item: NewItem
  readonly key: Uint8Array
  readonly text: string
  readonly entry: LedgerEntry
}

interface Leaving {
  readonly mailbox: MailboxId
  readonly head: StoredHead
  readonly entry: LedgerEntry
}

interface Replacement {
  readonly mailbox: MailboxId
  readonly slot: StoredSlot
  readonly current: CurrentSlot
  readonly entry: LedgerEntry
  readonly replaced: Leaving | undefined
}

/**
 * Writes of items. Each call reads first, and may fail there; then it adds its rows to the open commit,
 * and what lies in memory runs ahead of the disk. Nothing is ever rolled back: a commit that fails ends
 * the store.
 */
export class ItemWriter {
  readonly #deps: ItemWriterDeps

  constructor(deps: ItemWriterDeps) {
    this.#deps = deps
  }

  async append(
    items: readonly NewItem[],
    rows: readonly RowChange[],
    taken: ArrivalsTaken = nobodyAsks,
  ): Promise<void> {
    const { commit, index, ledger, tables, expectRoom } = this.#deps
    commit.expectReady()
    const fresh: Fresh[] = []
    const inThisCall = new Map<string, { id: ItemId }>()
    for (const item of items) {
      expectSound(item)
      const key = indexKey(item.mailbox, item.id)
      const text = keyText(key)
      const known = inThisCall.get(text) ?? index.head(key, text)
      if (!known) {
        inThisCall.set(text, item)
        fresh.push({ item, key, text, entry: ledger.entry(item.mailbox, item.id) })
      } else if (!equalBytes(known.id, item.id)) {
        throw new AbzuError('ABZU_ALREADY_EXISTS', 'another item has the first half of this id')
      }
    }
    const changes = tables.prepare(rows)
    if (fresh.length === 0 && changes.length === 0) return commit.settled()
    if (fresh.length > 0) expectRoom(Infinity)
    const before = ledger.newestTaken
    const stored = commit.queue((unit) => {
      for (const one of fresh) this.#store(unit, one)
      tables.write(unit, changes)
    })
    if (ledger.newestTaken > before) taken(before + 1, ledger.newestTaken)
    return stored
  }

  #store(unit: CommitUnit, { item, key, text, entry }: Fresh): void {
    const { index, ledger, expiry } = this.#deps
    const { mailbox, kind, id, receivedAtMs, expiresAtHours, pool, body } = item
    const head: StoredHead = {
      kind,
      id,
      arrival: ledger.takeArrival(),
      receivedAtMs,
      expiresAtHours,
      pool,
      sizeBytes: body.length,
      bodyChecksum: bodyChecksum(id, body),
    }
    unit.keep({ mailbox, head, body })
    index.add({ mailbox, key, text, head })
    ledger.add(entry, head)
    expiry.add(mailbox, head)
  }

  async putSlots(
    slots: readonly StoredSlot[],
    rows: readonly RowChange[],
    taken: ArrivalsTaken = nobodyAsks,
  ): Promise<SlotResult[]> {
    const { commit, ledger, tables, expectRoom } = this.#deps
    commit.expectReady()
    const before = ledger.newestTaken
    expectRoom(slots.reduce((bytes, { body }) => bytes + body.length, 0))
    const results: SlotResult[] = []
    const replacements: Replacement[] = []
    const inThisCall = new Map<string, CurrentSlot>()
    for (const slot of slots) {
      const replacement = this.#replacement(slot, inThisCall)
      results.push(replacement === 'older' ? 'older' : 'stored')
      if (typeof replacement === 'object') replacements.push(replacement)
    }
    const changes = tables.prepare(rows)
    if (replacements.length > 0) taken(before + 1, ledger.newestTaken)
    if (replacements.length === 0 && changes.length === 0) await commit.settled()
    else {
      await commit.queue((unit) => {
        for (const replacement of replacements) this.#replace(unit, replacement)
        tables.write(unit, changes)
      })
    }
    return results
  }

  #replacement(
    slot: StoredSlot,
    inThisCall: Map<string, CurrentSlot>,
  ): Replacement | 'older' | 'same' {
    const { index, ledger, slotIdOf, clock } = this.#deps
    const { header } = parseSlotHeader(slot.signed)
    const mailbox = header.mailbox as MailboxId
    const text = slotText(mailbox, header.key)
    const before = inThisCall.get(text) ?? index.slot(mailbox, header.key)
    const current: CurrentSlot = {
      version: header.version,
      head: {
        kind: 'slot',
        id: slotIdOf(slot.signed),
        arrival: ledger.takeArrival(),
        receivedAtMs: clock.nowMs(),
        expiresAtHours: 0,
        pool: 0,
        sizeBytes: slot.signed.length + slot.body.length,
        bodyChecksum: 0,
        slot: { class: header.class, key: header.key },
      },
    }
    if (before && equalBytes(before.head.id, current.head.id)) return 'same'
    if (before && !isNewer(current, before)) return 'older'
    inThisCall.set(text, current)
    return {
      mailbox,
      slot,
      current,
      entry: ledger.entry(mailbox, current.head.id),
      replaced: before && {
        mailbox,
        head: before.head,
        entry: ledger.entry(mailbox, before.head.id),
      },
    }
  }

  #replace(unit: CommitUnit, { mailbox, slot, current, entry, replaced }: Replacement): void {
    const { index, ledger } = this.#deps
    const { head } = current
    if (replaced) this.#erase(unit, replaced)
    const key = indexKey(mailbox, head.id)
    const rowKey = slotKey(mailbox, head.slot.class, head.slot.key)
    unit.put(rowKey, seal(rowKey, encodeSlot({ arrival: head.arrival, ...slot })))
    index.add({ mailbox, key, text: keyText(key), head })
    index.setSlot(mailbox, head.slot.key, current)
    ledger.add(entry, head)
  }

  async remove(
    mailbox: MailboxId,
    ids: readonly ItemId[],
    rows: readonly RowChange[],
  ): Promise<void> {
    const { commit, index, tables, freed } = this.#deps
    commit.expectReady()
    const heads = ids
      .map((id) => index.head(indexKey(mailbox, id)))
      .filter((head) => head !== undefined && head.kind !== 'slot')
    const leaving = this.leaving(mailbox, heads as StoredHead[])
    const changes = tables.prepare(rows)
    if (leaving.length === 0 && changes.length === 0) return commit.settled()
    await commit.queue((unit) => {
      for (const one of leaving) this.#erase(unit, one)
      tables.write(unit, changes)
    })
    freed()
  }

  /** Reads what removing these items will change, each once.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  leaving(mailbox: MailboxId, heads: readonly StoredHead[]): Leaving[] {
    const distinct = new Map(heads.map((head) => [head.arrival, head]))
    return Array.from(distinct.values(), (head) => ({
      mailbox,
      head,
      entry: this.#deps.ledger.entry(mailbox, head.id),
    }))
  }

  /** Removes what is still there of these items, and lets `add` put more rows into the same unit. */
  async removeHeads(
    units: readonly { mailbox: MailboxId; heads: readonly StoredHead[] }[],
    add: (unit: CommitUnit) => void = () => {},
  ): Promise<number> {
    const { commit, index, freed } = this.#deps
    commit.expectReady()
    const leaving = units.flatMap(({ mailbox, heads }) =>
      this.leaving(
        mailbox,
        // As it is now: its body may have moved since it was read.
        heads.flatMap(({ id, arrival }) => {
          const now = index.head(indexKey(mailbox, id))
          return now?.arrival === arrival ? [now] : []
        }),
      ),
    )
    await commit.queue((unit) => {
      for (const one of leaving) this.#erase(unit, one)
      add(unit)
    })
    freed()
    return leaving.length
  }

  /** Gives items other places for their bodies: those that are still where they were. Resolves after fsync. */
  async move(bodies: readonly MovedBody[]): Promise<void> {
    const { commit, index, book } = this.#deps
    await commit.queue((unit) => {
      unit.withIndex()
      for (const { mailbox, from, body } of bodies) {
        const key = indexKey(mailbox, from.id)
        const text = keyText(key)
        const now = index.head(key, text)
        if (!now || !isSamePlace(now.place, from.place)) continue
        const { place: _, ...rest } = now
        const head: StoredHead = rest
        book.subtract(from.place.segment, body.length)
        unit.keep({ mailbox, head, body })
        index.add({ mailbox, key, text, head })
      }
    })
  }

  #erase(unit: CommitUnit, { mailbox, head, entry }: Leaving): void {
    const { index, ledger, book } = this.#deps
    const key = indexKey(mailbox, head.id)
    unit.delete(key)
    unit.delete(arrivalKey(mailbox, itemKinds[head.kind], head.arrival))
    if (head.slot) {
      unit.delete(slotKey(mailbox, head.slot.class, head.slot.key))
      index.setSlot(mailbox, head.slot.key, null)
    } else if (head.place) book.subtract(head.place.segment, head.sizeBytes)
    else head.place = nowhere
    index.remove(keyText(key))
    ledger.subtract(entry, head)
  }
}

/** A body to be kept in another place. */
export interface MovedBody {
  readonly mailbox: MailboxId
  readonly from: StoredHead & { readonly place: BodyPlace }
  readonly body: Uint8Array
}

const nobodyAsks: ArrivalsTaken = () => {}

function expectSound({ mailbox, id, receivedAtMs, expiresAtHours, pool }: NewItem): void {
  assert(mailbox.length === 32 && id.length === 32, 'ids have 32 bytes')
  assert(Number.isInteger(pool) && pool >= 0 && pool < poolCount, 'a pool is 0 to 3')
  assert(receivedAtMs >= 0 && receivedAtMs < 2 ** 48, 'receivedAtMs fits 48 bits')
  assert(expiresAtHours >= 0 && expiresAtHours < 2 ** 32, 'expiresAtHours fits 32 bits')
}
