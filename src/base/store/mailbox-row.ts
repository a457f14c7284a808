/**
 * One row a mailbox: count and sum of all its ids, and its usage by pool and kind.
 * `checksum[4] | count[8] | sum[32] |` for each pool and kind `items[6] | bytes[6]`
 * @module
 */

import type { RowForm } from './cached-rows.ts'
import {
  correctSum,
  emptySum,
  equalSums,
  idSumBytes,
  readSum,
  writeSum,
  type IdSum,
} from './id-sum.ts'
import type { ItemKind, PoolUsage } from './item-store.ts'
import { damaged, newValue, readU64, seal, unseal, writeU64 } from './row.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends object ? Mutable<T[K]> : T[K] }

export interface MailboxRow {
  readonly ids: IdSum
  readonly usage: readonly Mutable<PoolUsage>[]
}

export const poolCount = 4
const kinds: readonly ItemKind[] = ['mail', 'chunk', 'slot']
const amountBytes = 12
const usageOffset = 8 + idSumBytes
const contentBytes = usageOffset + poolCount * kinds.length * amountBytes

function emptyUsage(): MailboxRow['usage'] {
  const nothing = () => ({ items: 0, bytes: 0 })
  return Array.from({ length: poolCount }, () => ({
    ...nothing(),
    mail: nothing(),
    chunk: nothing(),
    slot: nothing(),
  }))
}

/** Counts `items` and `bytes`, which may be negative. */
export function countUsage(
  usage: MailboxRow['usage'],
  { pool, kind }: { readonly pool: number; readonly kind: ItemKind },
  items: number,
  bytes: number,
): void {
  const whole = usage[pool] as Mutable<PoolUsage>
  for (const amount of [whole, whole[kind]]) {
    amount.items += items
    amount.bytes += bytes
  }
}

/** Adds `right - left` to `row`: what it lacks where it counted `left` instead of `right`. */
export function correctMailboxRow(row: MailboxRow, left: MailboxRow, right: MailboxRow): void {
  correctSum(row.ids, left.ids, right.ids)
  for (let pool = 0; pool < poolCount; pool++) {
    for (const kind of kinds) {
      const [before, after] = [left, right].map(({ usage }) => (usage[pool] as PoolUsage)[kind])
      countUsage(
        row.usage,
        { pool, kind },
        (after?.items ?? 0) - (before?.items ?? 0),
        (after?.bytes ?? 0) - (before?.bytes ?? 0),
      )
    }
  }
}

export function equalMailboxRows(a: MailboxRow, b: MailboxRow): boolean {
  return (
    equalSums(a.ids, b.ids) &&
    a.usage.every((pool, n) =>
      kinds.every((kind) => {
        const other = b.usage[n]?.[kind]
        return pool[kind].items === other?.items && pool[kind].bytes === other.bytes
      }),
    )
  )
}

export const mailboxRowForm: RowForm<MailboxRow> = {
  empty: () => ({ ids: emptySum(), usage: emptyUsage() }),

  decode(key, value) {
    const content = unseal(key, value)
    if (content.length !== contentBytes) throw damaged('the row of a mailbox has no known form')
    const usage = emptyUsage()
    let offset = usageOffset
    for (let pool = 0; pool < poolCount; pool++) {
      for (const kind of kinds) {
        const items = content.readUIntBE(offset, 6)
        const bytes = content.readUIntBE(offset + 6, 6)
        countUsage(usage, { pool, kind }, items, bytes)
        offset += amountBytes
      }
    }
    return { ids: readSum(readU64(content, 0), content, 8), usage }
  },

  encode(key, { ids, usage }) {
    if (ids.count === 0) return undefined
    const value = newValue(contentBytes)
    writeU64(value, ids.count, 4)
    writeSum(ids, value, 12)
    let offset = 4 + usageOffset
    for (const pool of usage) {
      for (const kind of kinds) {
        value.writeUIntBE(pool[kind].items, offset, 6)
        value.writeUIntBE(pool[kind].bytes, offset + 6, 6)
        offset += amountBytes
      }
    }
    return seal(key, value)
  },
}

/** A bucket of the digest: `checksum[4] | count[8] | sum[32]`. */
export const bucketForm: RowForm<IdSum> = {
  empty: emptySum,
  decode(key, value) {
    const content = unseal(key, value)
    if (content.length !== 8 + idSumBytes) throw damaged('a bucket has no known form')
    return readSum(readU64(content, 0), content, 8)
  },
  encode(key, sum) {
    if (sum.count === 0) return undefined
    const value = newValue(8 + idSumBytes)
    writeU64(value, sum.count, 4)
    writeSum(sum, value, 12)
    return seal(key, value)
  },
}
