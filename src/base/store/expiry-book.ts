/**
 * What expires when: one row for each hour, mailbox and commit, which lists the items by their place.
 * An item that is removed earlier stays listed, to no effect.
 * `checksum[4] |` for each item `kind[1] | arrival[8]`
 * @module
 */

import type { MailboxId } from '../util/brand.ts'
import type { WriteBatch } from './database.ts'
import type { StoredHead } from './head.ts'
import { arrivalKey, expiryKey, itemKinds, keyText, mailboxKey } from './keys.ts'
import { checksumBytes, newValue, readU64, seal, unseal, writeU64 } from './row.ts'

interface Listed {
  readonly kind: number
  readonly arrival: number
}

interface Expiring {
  readonly hours: number
  readonly mailbox: Uint8Array
  readonly items: Listed[]
}

const entryBytes = 9

function encodeListed(key: Uint8Array, items: readonly Listed[]): Buffer {
  const value = newValue(items.length * entryBytes)
  for (const [n, { kind, arrival }] of items.entries()) {
    value[checksumBytes + n * entryBytes] = kind
    writeU64(value, arrival, checksumBytes + n * entryBytes + 1)
  }
  return seal(key, value)
}

/** An expiry row, read. */
export interface ExpiryRow {
  readonly key: Uint8Array
  readonly mailbox: MailboxId
  readonly items: readonly (Listed & { readonly arrivalKey: Uint8Array })[]
}

/** @throws {AbzuError} ABZU_STORE_DAMAGED */
export function decodeExpiryRow(key: Uint8Array, value: Uint8Array): ExpiryRow {
  const content = unseal(key, value)
  const mailbox = key.subarray(5, 37) as MailboxId
  const items = []
  for (let at = 0; at + entryBytes <= content.length; at += entryBytes) {
    const kind = content[at] as number
    const arrival = readU64(content, at + 1)
    items.push({ kind, arrival, arrivalKey: arrivalKey(mailbox, kind, arrival) })
  }
  return { key, mailbox, items }
}

/** The same row without its first `done` items; undefined where none are left. */
export function restOfExpiryRow(row: ExpiryRow, done: number): Uint8Array | undefined {
  const rest = row.items.slice(done)
  return rest.length > 0 ? encodeListed(row.key, rest) : undefined
}

/** Collects what one commit adds. */
export class ExpiryBook {
  #expiring = new Map<string, Expiring>()

  add(mailbox: MailboxId, head: StoredHead): void {
    if (head.expiresAtHours === 0) return
    const text = `${head.expiresAtHours} ${keyText(mailbox)}`
    let expiring = this.#expiring.get(text)
    if (!expiring) {
      expiring = { hours: head.expiresAtHours, mailbox: mailboxKey(mailbox).subarray(1), items: [] }
      this.#expiring.set(text, expiring)
    }
    expiring.items.push({ kind: itemKinds[head.kind], arrival: head.arrival })
  }

  seal(batch: WriteBatch): void {
    for (const { hours, mailbox, items } of this.#expiring.values()) {
      const key = expiryKey(hours, mailbox, (items[0] as Listed).arrival)
      batch.put(key, encodeListed(key, items))
    }
    this.#expiring = new Map()
  }
}
