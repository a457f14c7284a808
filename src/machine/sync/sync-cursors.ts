/**
 * How far this node has come with each source: one number for all mailboxes that it shares with it, and which
 * those are. A mailbox that joins them is brought up to the same number first.
 * @module
 */

import { machineKeyOf } from '../../base/crypto/address.ts'
import type { RowChange, Table, TableName } from '../../base/store/table.ts'
import type { MailboxId, PeerId } from '../../base/util/brand.ts'
import { concatBytes, mapKey } from '../../base/util/bytes.ts'
import { isAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import { encode } from '../../base/wire/codec.ts'
import { bytes, decodeShape, literal, record, uint } from '../../base/wire/shape.ts'
import { syncEpochBytes } from '../../base/wire/sync.ts'

export interface SyncCursor {
  /** Of the source's store, 16 bytes: in another one its numbers mean nothing. */
  readonly epoch: Uint8Array
  /** Everything that the source took in up to this arrival is here. */
  readonly upTo: number
}

export interface SyncCursorsDeps {
  table(name: TableName): Table
  /** Writes rows as one unit, durable when it resolves. */
  commit(rows: readonly RowChange[]): Promise<void>
}

const cursorShape = record({ v: literal(1), epoch: bytes(syncEpochBytes), upTo: uint() })
/** Mailboxes that are read at once. */
const membersMax = 1_000_000

/** The cursor of one source. */
export class SourceCursor {
  readonly #deps: SyncCursorsDeps
  readonly #peerKey: Uint8Array
  readonly #members = new Map<string, MailboxId>()
  #cursor: SyncCursor | undefined

  /** One that cannot be read is as none: the source offers everything again.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  static async open(
    deps: SyncCursorsDeps,
    peer: PeerId,
    log: Pick<Log, 'warn'>,
  ): Promise<SourceCursor> {
    const cursor = new SourceCursor(deps, peer)
    const prefix = cursor.#peerKey
    try {
      const row = deps.table('sync-cursors').get(prefix)
      cursor.#cursor = row && decodeShape(cursorShape, row, 'sync cursor')
    } catch (error) {
      if (!isAbzuError(error)) throw error
      log.warn('sync-cursor-unreadable', { peer, error })
    }
    for await (const { key } of deps.table('sync-members').range({ prefix, limit: membersMax })) {
      const mailbox = key.slice(prefix.length) as MailboxId
      cursor.#members.set(mapKey(mailbox), mailbox)
    }
    return cursor
  }

  private constructor(deps: SyncCursorsDeps, peer: PeerId) {
    this.#deps = deps
    this.#peerKey = machineKeyOf(peer)
  }

  get cursor(): SyncCursor | undefined {
    return this.#cursor
  }

  /** The mailboxes that the cursor speaks of. */
  get members(): Iterable<{ readonly mailbox: MailboxId }> {
    return Array.from(this.#members.values(), (mailbox) => ({ mailbox }))
  }

  has(mailbox: MailboxId): boolean {
    return this.#members.has(mapKey(mailbox))
  }

  /** From now on the cursor speaks of exactly these mailboxes. Resolves after fsync. */
  async advance(cursor: SyncCursor, mailboxes: readonly MailboxId[]): Promise<void> {
    const now = new Map(mailboxes.map((mailbox) => [mapKey(mailbox), mailbox]))
    const rows: RowChange[] = [
      { table: 'sync-cursors', key: this.#peerKey, value: encode({ v: 1, ...cursor }) },
    ]
    for (const [key, mailbox] of this.#members) {
      if (!now.has(key)) rows.push(this.#row(mailbox, undefined))
    }
    for (const [key, mailbox] of now) {
      if (!this.#members.has(key)) rows.push(this.#row(mailbox, new Uint8Array([1])))
    }
    await this.#deps.commit(rows)
    this.#cursor = cursor
    this.#members.clear()
    for (const [key, mailbox] of now) this.#members.set(key, mailbox)
  }

  #row(mailbox: MailboxId, value: Uint8Array | undefined): RowChange {
    return { table: 'sync-members', key: concatBytes(this.#peerKey, mailbox), value }
  }
}
