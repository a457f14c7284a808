/**
 * How much of each segment is still needed: a row each.
 * `checksum[4] | items[4] | bytes of their bodies[8]`
 * @module
 */

import { isAbzuError } from '../util/errors.ts'
import { CachedRows, type RowForm } from './cached-rows.ts'
import type { Database, WriteBatch } from './database.ts'
import { segmentKey } from './keys.ts'
import type { Claim } from './ledger.ts'
import { damaged, newValue, readU64, seal, unseal, writeU64 } from './row.ts'

/** What a segment holds that is needed. */
export interface Held {
  items: number
  bytes: number
}

const contentBytes = 12

export const heldForm: RowForm<Held> = {
  empty: () => ({ items: 0, bytes: 0 }),

  decode(key, value) {
    const content = unseal(key, value)
    if (content.length !== contentBytes) throw damaged('the row of a segment has no known form')
    return { items: content.readUInt32BE(0), bytes: readU64(content, 4) }
  },

  encode(key, { items, bytes }) {
    if (items <= 0) return undefined
    const value = newValue(contentBytes)
    value.writeUInt32BE(items, 4)
    writeU64(value, Math.max(0, bytes), 8)
    return seal(key, value)
  },
}

/** Covers what is queued and sealed. What it says is a hint, and a damaged row counts from nothing until the
 *  check of the whole store: before a segment goes, its items are looked up. */
export class BodyBook {
  readonly #rows: CachedRows<Held>

  constructor(
    database: Pick<Database, 'getSync'>,
    { segmentsCachedMax }: { segmentsCachedMax: number },
  ) {
    this.#rows = new CachedRows(database, heldForm, segmentsCachedMax)
  }

  held(segment: number): Readonly<Held> {
    try {
      return this.#rows.peek(segmentKey(segment))
    } catch (error) {
      if (isAbzuError(error, 'ABZU_STORE_DAMAGED')) return heldForm.empty()
      throw error
    }
  }

  add(segment: number, more: Held): void {
    this.#rows.correct(segmentKey(segment), { ...more }, (held) => addHeld(held, more))
  }

  /** One item less. */
  subtract(segment: number, bytes: number): void {
    const less = { items: -1, bytes: -bytes }
    this.#rows.correct(segmentKey(segment), heldForm.empty(), (held) => addHeld(held, less))
  }

  /** Corrects one count by the difference between what it said and what was found at the same moment. */
  correct(segment: number, { claimed, counted }: Claim<Held>): void {
    this.#rows.correct(segmentKey(segment), { ...counted }, (held) => {
      if (!claimed) return
      addHeld(held, { items: counted.items - claimed.items, bytes: counted.bytes - claimed.bytes })
    })
  }

  /** To be called before a check: its corrections go by what the rows say. */
  refresh(): void {
    this.#rows.refresh()
  }

  seal(batch: WriteBatch): void {
    this.#rows.seal(batch)
  }

  /** The database has the batch that was sealed last. */
  indexed(): void {
    this.#rows.durable()
  }
}

export function addHeld(held: Held, more: Held): void {
  held.items += more.items
  held.bytes += more.bytes
}
