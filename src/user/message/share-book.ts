/** Shares of other people's words that the account keeps for them: a sealed slot each. @module */

import {
  parseShare,
  shareBytesRange,
  type RecoveryShare,
} from '../../base/crypto/recovery-share.ts'
import { equalBytes, toHex } from '../../base/util/bytes.ts'
import { encode } from '../../base/wire/codec.ts'
import {
  bytes,
  bytesBetween,
  decodeShape,
  literal,
  record,
  uint,
  type Shaped,
} from '../../base/wire/shape.ts'
import type { Account } from '../account/account.ts'
import type { SlotDraft } from '../account/slot-draft.ts'

const shareRowShape = record({
  v: literal(1),
  /** Root public key of whom it is of, and who has sent it. */
  root: bytes(32),
  share: bytesBetween(shareBytesRange.min, shareBytesRange.max),
  /** ms since 1970. */
  receivedAt: uint(),
})
export type ShareRow = Shaped<typeof shareRowShape>

/** A share in the slot where it lies. */
export interface PlacedShare {
  readonly slot: string
  readonly row: ShareRow
}

const namePrefix = 'share/'
/** Splittings of one person of which a share is kept, the newest ones: the last one may have reached too few. */
const setsMax = 2

export function isShareSlot(name: string): boolean {
  return name.startsWith(namePrefix)
}

export class ShareBook {
  readonly #account: Account
  /** By slot. */
  readonly #rows = new Map<string, ShareRow>()

  constructor(account: Account) {
    this.#account = account
  }

  /** Takes in what the vault has.
   *  @throws {AbzuError} ABZU_MALFORMED */
  load(slot: string, value: Uint8Array): void {
    this.keep({ slot, row: decodeShape(shareRowShape, value, 'share') })
  }

  /** Of all people, or of one; the newest first. */
  of(root?: Uint8Array): readonly ShareRow[] {
    const rows = [...this.#rows.values()].filter((row) => !root || equalBytes(row.root, root))
    return rows.toSorted((a, b) => b.receivedAt - a.receivedAt)
  }

  /** Where a share goes that has come: in the place of one of the same splitting, or of the oldest where there is no room.
   *  `draft` and `keep` follow. */
  place(row: ShareRow): PlacedShare {
    const slots = Array.from({ length: setsMax }, (_, n) => `${namePrefix}${toHex(row.root)}/${n}`)
    const age = (slot: string): number => this.#rows.get(slot)?.receivedAt ?? -1
    const same = slots.find((slot) => {
      const other = this.#rows.get(slot)
      return other && equalBytes(setOf(other).set, setOf(row).set)
    })
    const [oldest] = slots.toSorted((a, b) => age(a) - age(b))
    return { slot: same ?? (oldest as string), row }
  }

  /** Puts the share into the vault, once it is written; `keep` follows. */
  draft({ slot, row }: PlacedShare): SlotDraft {
    return this.#account.vault.draft(slot, encode({ ...shareRowShape(row, 'share') }))
  }

  keep({ slot, row }: PlacedShare): void {
    this.#rows.set(slot, row)
  }
}

/** What a share that was let in says. */
export function setOf({ share }: ShareRow): RecoveryShare {
  return parseShare(share)
}
