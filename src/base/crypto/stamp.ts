/**
 * Stamps: work that stands in for a token. A stranger's letter to a mailbox goes along with a number
 * whose hash, together with the mailbox and the letter's id, begins with as many zero bits as the
 * mailbox's record asks for. To find one takes 2^bits hashes on average, to check one takes one.
 * @see docs/protocol.md#stamps
 * @module
 */

import type { ItemId, MailboxId } from '../util/brand.ts'
import { concatBytes } from '../util/bytes.ts'
import { AbzuError } from '../util/errors.ts'
import { stampBytes } from '../wire/deliver.ts'
import { wireLimits } from '../wire/limits.ts'
import { labels } from './labels.ts'
import type { CryptoPlatform } from './platform.ts'

/** What a stamp is for, and what it has to be worth. */
export interface StampOrder {
  readonly mailbox: MailboxId
  readonly item: ItemId
  /** Leading zero bits. */
  readonly bits: number
}

/** Some of the numbers to try for an order. */
export interface StampSlice extends StampOrder {
  /** The first number. */
  readonly from: number
  /** How many. */
  readonly tries: number
}

/** Whether `stamp` is worth `bits` for this very item and mailbox. One hash. */
export function isStamp(
  { sha256 }: Pick<CryptoPlatform, 'sha256'>,
  { mailbox, item, bits }: StampOrder,
  stamp: Uint8Array,
): boolean {
  if (stamp.length !== stampBytes) return false
  return hasZeroBits(sha256(concatBytes(labels.stamp, mailbox, item, stamp)), bits)
}

/** Tries the numbers of a slice one by one; the first that is a stamp, or undefined where none is. Takes
 *  its time: about a microsecond a number on node:crypto, so not for a loop that others wait for. */
export function searchStamp(
  { sha256 }: Pick<CryptoPlatform, 'sha256'>,
  { mailbox, item, bits, from, tries }: StampSlice,
): Uint8Array | undefined {
  const text = concatBytes(labels.stamp, mailbox, item, new Uint8Array(stampBytes))
  const number = new DataView(text.buffer, text.length - stampBytes)
  for (let n = from; n < from + tries; n++) {
    number.setUint32(0, Math.floor(n / 2 ** 32))
    number.setUint32(4, n % 2 ** 32)
    if (hasZeroBits(sha256(text), bits)) return text.slice(-stampBytes)
  }
  return undefined
}

/** Whether a sender is ready to work for a stamp of so many bits. */
export function isAffordable(bits: number): boolean {
  return bits > 0 && bits <= wireLimits.stampBitsMax
}

/** Refuses work that no letter is worth, before any of it is done.
 *  @throws {AbzuError} ABZU_STRANGERS_REFUSED where the mailbox takes no stamps, ABZU_STAMP_TOO_COSTLY */
export function expectAffordable(bits: number): void {
  if (bits === 0) {
    throw new AbzuError(
      'ABZU_STRANGERS_REFUSED',
      'this person takes no letters from strangers; ask for a contact link',
    )
  }
  if (!isAffordable(bits)) {
    throw new AbzuError(
      'ABZU_STAMP_TOO_COSTLY',
      `a first letter would cost 2^${bits} hashes, and 2^${wireLimits.stampBitsMax} are the most; ask for a contact link`,
    )
  }
}

function hasZeroBits(hash: Uint8Array, bits: number): boolean {
  let left = bits
  for (const byte of hash) {
    if (left <= 0) return true
    const zeros = Math.clz32(byte) - 24
    if (zeros < Math.min(left, 8)) return false
    left -= 8
  }
  return left <= 0
}
