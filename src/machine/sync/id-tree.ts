/**
 * Sums over the ids of a mailbox, from coarse to fine: what two copies compare to find in which few places they differ.
 * An entry is `count[4] | sum[16]`: the lower half of the sum of the ids mod 2^256; below 12 bits, where no sums are
 * kept, the sum of their first halves mod 2^128.
 * @see docs/protocol.md#sync
 * @module
 */

import {
  addId,
  bucketCount,
  emptySum,
  idSumBytes,
  sumBytes,
  type IdSum,
} from '../../base/store/id-sum.ts'
import type { DigestSum, ItemStore } from '../../base/store/item-store.ts'
import type { MailboxId } from '../../base/util/brand.ts'
import { concatBytes, equalBytes, readU32be, u32be } from '../../base/util/bytes.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { offeredIdBytes, sumEntryBytes, type ProbeDepth } from '../../base/wire/sync.ts'

/** The step below each depth: bits of a prefix, and how many entries answer for one prefix. */
const fanOut = { 0: 256, 8: 16, 12: 16 } as const

/** What answers for prefixes of `depth` bits: 256 entries below the root, 16 below each of 8 or 12 bits, in order;
 *  below 16 bits the ids themselves, `count[4] | ids[16 each]` for each prefix.
 *  @throws {AbzuError} ABZU_PROTOCOL_VIOLATION, those of the store */
export async function branches(
  items: Pick<ItemStore, 'digest' | 'idPrefixes'>,
  mailbox: MailboxId,
  { depth, prefixes }: { readonly depth: ProbeDepth; readonly prefixes: readonly number[] },
): Promise<Uint8Array> {
  if (prefixes.some((prefix) => prefix >= 2 ** depth)) {
    throw new AbzuError('ABZU_PROTOCOL_VIOLATION', 'a prefix that is too long')
  }
  const parts: Uint8Array[] = []
  for (const prefix of prefixes) {
    if (depth === 16) parts.push(await leaves(items, mailbox, prefix))
    else parts.push(await entriesBelow(items, mailbox, { depth, prefix }))
  }
  return concatBytes(...parts)
}

async function entriesBelow(
  items: Pick<ItemStore, 'digest' | 'idPrefixes'>,
  mailbox: MailboxId,
  { depth, prefix }: { readonly depth: keyof typeof fanOut; readonly prefix: number },
): Promise<Uint8Array> {
  const count = fanOut[depth]
  const first = prefix * count
  if (depth < 12) {
    const digest = items.digest(mailbox)
    const bucketsEach = depth === 0 ? bucketCount / 256 : 1
    const sums = Array.from({ length: count }, (_, n) =>
      trunk(digest.buckets((first + n) * bucketsEach, bucketsEach)),
    )
    return concatBytes(...sums)
  }
  const sums = Array.from({ length: count }, emptySum)
  for (const id of await items.idPrefixes(mailbox, { from: first, to: first + count })) {
    const padded = new Uint8Array(idSumBytes)
    padded.set(id)
    addId(sums[(((id[0] as number) << 8) | (id[1] as number)) - first] as IdSum, padded)
  }
  return concatBytes(...sums.map((sum) => entry(sum.count, sumBytes(sum).subarray(0, 16))))
}

async function leaves(
  items: Pick<ItemStore, 'idPrefixes'>,
  mailbox: MailboxId,
  prefix: number,
): Promise<Uint8Array> {
  const ids = await items.idPrefixes(mailbox, { from: prefix, to: prefix + 1 })
  return concatBytes(u32be(ids.length), ...ids)
}

/** An entry for the whole of a mailbox, or a part of it. */
export function trunk({ count, sum }: DigestSum): Uint8Array {
  return entry(count, sum.subarray(16))
}

/** The numbers of the entries in which two answers differ, from 0.
 *  @throws {AbzuError} ABZU_PROTOCOL_VIOLATION where one is cut off */
export function differences(own: Uint8Array, other: Uint8Array): number[] {
  if (own.length !== other.length || own.length % sumEntryBytes !== 0) {
    throw new AbzuError('ABZU_PROTOCOL_VIOLATION', 'sums of another length')
  }
  const found: number[] = []
  for (let at = 0; at < own.length; at += sumEntryBytes) {
    const end = at + sumEntryBytes
    if (!equalBytes(own.subarray(at, end), other.subarray(at, end))) found.push(at / sumEntryBytes)
  }
  return found
}

/** The prefixes below `prefixes` whose entries, as numbered by `differences`, differ. */
export function below(
  depth: keyof typeof fanOut,
  prefixes: readonly number[],
  entries: readonly number[],
): number[] {
  const count = fanOut[depth]
  return entries.map((n) => (prefixes[Math.floor(n / count)] as number) * count + (n % count))
}

/** The ids in an answer below 16 bits.
 *  @throws {AbzuError} ABZU_PROTOCOL_VIOLATION where it is cut off */
export function idsOf(answer: Uint8Array): Uint8Array[] {
  const ids: Uint8Array[] = []
  for (let at = 0; at < answer.length;) {
    if (at + 4 > answer.length) throw cutOff()
    const count = readU32be(answer, at)
    const end = at + 4 + count * offeredIdBytes
    if (end > answer.length) throw cutOff()
    for (at += 4; at < end; at += offeredIdBytes) ids.push(answer.slice(at, at + offeredIdBytes))
  }
  return ids
}

function entry(count: number, half: Uint8Array): Uint8Array {
  return concatBytes(u32be(count), half)
}

function cutOff(): AbzuError {
  return new AbzuError('ABZU_PROTOCOL_VIOLATION', 'ids that are cut off')
}
