/** Mailboxes whose accounts were deleted here: nodes that have copies still offer them. @module */

import {
  comparePlaces,
  placeOf,
  unverifiedRecord,
  verifyMailboxRecord,
} from '../../base/crypto/mailbox-record.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import type { RowChange, Table } from '../../base/store/table.ts'
import type { MailboxId } from '../../base/util/brand.ts'
import { encode } from '../../base/wire/codec.ts'
import { decodeShape, literal, record, uint } from '../../base/wire/shape.ts'

/** The place of the last record that the mailbox had. */
const rowShape = record({ v: literal(1), docSeq: uint(), seq: uint() })

export interface LeftMailboxesDeps {
  readonly platform: Pick<CryptoPlatform, 'ed25519' | 'sha256'>
  readonly table: Table
}

export class LeftMailboxes {
  readonly #deps: LeftMailboxesDeps

  constructor(deps: LeftMailboxesDeps) {
    this.#deps = deps
  }

  /** Notes that a mailbox goes, and which record it had; one that was cut off on its way is noted already. Resolves after
   *  fsync.
   *  @throws {AbzuError} those of the store */
  async note(mailbox: MailboxId, signed: Uint8Array | undefined): Promise<void> {
    const { platform, table } = this.#deps
    if (!signed && table.get(mailbox)) return
    const place = signed ? placeOf(verifyMailboxRecord(platform, signed)) : { docSeq: 0, seq: 0 }
    await table.put(mailbox, encode({ v: 1, docSeq: place.docSeq, seq: place.seq }))
  }

  /** What goes in the commit by which a mailbox is here again. */
  returning(mailbox: MailboxId): RowChange[] {
    const { table } = this.#deps
    return table.get(mailbox) ? [{ table: table.name, key: mailbox, value: undefined }] : []
  }

  /** Whether the account has left, and has signed nothing since by which it lives anywhere.
   *  @param newest its newest record that is known, if any
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  has(mailbox: MailboxId, newest: Uint8Array | undefined): boolean {
    const { platform, table } = this.#deps
    const row = table.get(mailbox)
    if (!row || !newest) return row !== undefined
    if (unverifiedRecord(newest).hosts.length === 0) return true
    const { docSeq, seq } = decodeShape(rowShape, row, 'left mailbox')
    return comparePlaces(placeOf(verifyMailboxRecord(platform, newest)), { docSeq, seq }) <= 0
  }
}
