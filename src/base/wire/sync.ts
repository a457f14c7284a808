/**
 * Messages of `/abzu/sync/1.0.0`: one node brings its copies of mailboxes up to what another one has. The
 * puller opens the stream; the source tells what is new, and sends what the puller has not got.
 * @see docs/protocol.md#sync
 * @module
 */

import { AbzuError } from '../util/errors.ts'
import { decode, encode } from './codec.ts'
import { copiedItemShape, fromWireItem, toWireItem, type CopiedItem } from './copied-item.ts'
import { encodeParts } from './encode-parts.ts'
import { bytes, bytesBetween, list, literal, oneOf, tuple, uint, type Shape } from './shape.ts'

export const syncEpochBytes = 16
/** Of an item's id, in an offer. No mailbox holds two items that begin alike. */
export const offeredIdBytes = 16
/** Items in one offer. */
export const offerItemsMax = 1024
/** Offers of one stream of which it is not known that all is durable at the puller: one more breaks the protocol. */
export const offersOpenMax = 64
/** Items in one frame: each is six values, of a byte string counted twice. */
export const frameItemsMax = 400
/** Bits of the prefixes that a probe asks about. */
export type ProbeDepth = 0 | 8 | 12 | 16
/** Prefixes in one probe: what answers below 12 bits fits into a frame. */
export const probePrefixesMax = 256
/** A count and half a sum. */
export const sumEntryBytes = 20
/** Mailboxes in one frame of the list of those shared. */
export const sharePageMax = 4096
/** A set of mailboxes or items, for comparison: how many, and the sum of their ids mod 2^256, big endian. */
export interface SetSum {
  readonly count: number
  /** 32 bytes. */
  readonly sum: Uint8Array
}

export type PullerMessage =
  /** All that the source had up to `upTo` is here, of the mailboxes summed; `epoch` is the source's, empty at first. */
  | {
      readonly kind: 'hello'
      readonly epoch: Uint8Array
      readonly upTo: number
      readonly set: SetSum
    }
  /** The puller is no host of this mailbox and acts for a device of its account. */
  | { readonly kind: 'appeal'; readonly mailbox: Uint8Array }
  | {
      readonly kind: 'claim'
      readonly rootPk: Uint8Array
      readonly certificate: Uint8Array
      readonly signature: Uint8Array
    }
  /** Which of the mailboxes listed just now were in the set of the greeting: a bit each, the first in the
   *  highest bit of the first byte. */
  | { readonly kind: 'members'; readonly bits: Uint8Array }
  /** A newer record, with the identity that vouches for it: it names both nodes. Two plain slots. */
  | {
      readonly kind: 'introduce'
      readonly rootPk: Uint8Array
      readonly slots: readonly CopiedItem[]
    }
  /** Which of the offered items are wanted. */
  | { readonly kind: 'want'; readonly offer: number; readonly bits: Uint8Array }
  /** Everything that was wanted of an offer is durable. */
  | { readonly kind: 'done'; readonly offer: number }
  /** How do the copies differ? Of the mailboxes of the list from the `from`th on; or of the ids of one mailbox below
   *  these prefixes of `depth` bits. */
  | { readonly kind: 'survey'; readonly from: number }
  | {
      readonly kind: 'probe'
      readonly mailbox: Uint8Array
      readonly depth: ProbeDepth
      readonly prefixes: readonly number[]
    }
  /** These items, by the first 16 bytes of their ids, are to be offered again. */
  | { readonly kind: 'fetch'; readonly mailbox: Uint8Array; readonly ids: Uint8Array }

export type SourceMessage =
  /** `isSame`: the set and the epoch are those of the greeting. Otherwise the list follows. */
  | { readonly kind: 'welcome'; readonly epoch: Uint8Array; readonly isSame: boolean }
  | { readonly kind: 'challenge'; readonly nonce: Uint8Array }
  /** Mailboxes that both hold, by the root keys of their accounts, 32 bytes each. The list has several pages;
   *  a list that begins anew replaces the last one. */
  | {
      readonly kind: 'shared'
      readonly isFirst: boolean
      readonly isLast: boolean
      readonly roots: Uint8Array
    }
  /** How much a claimed mailbox holds. */
  | { readonly kind: 'extent'; readonly items: number; readonly bytes: number }
  | {
      readonly kind: 'offer'
      readonly offer: number
      readonly mailbox: Uint8Array
      /** First 16 bytes of each id. */
      readonly ids: Uint8Array
    }
  | {
      readonly kind: 'items'
      readonly offer: number
      readonly isLast: boolean
      readonly items: readonly CopiedItem[]
    }
  /** The answer to a survey or a probe: entries of `sumEntryBytes`, or ids. */
  | { readonly kind: 'sums'; readonly sums: Uint8Array }
  /** Everything up to `upTo` was offered, of the mailboxes in `set`, which hold these items now. */
  | {
      readonly kind: 'mark'
      readonly upTo: number
      readonly set: SetSum
      readonly items: SetSum
    }

const flag = oneOf(0, 1)
const root = bytes(32)
const bits = bytesBetween(0, sharePageMax / 8)
const u32 = uint(2 ** 32 - 1)
const idsShape = bytesBetween(offeredIdBytes, offeredIdBytes * offerItemsMax)
/** An answer leaves room in its frame. */
const sumsBytesMax = 500 * 1024

const pullerShapes = {
  hello: tuple(literal(0), bytesBetween(0, syncEpochBytes), uint(), uint(), root),
  appeal: tuple(literal(1), root),
  claim: tuple(literal(2), root, bytesBetween(64, 512), bytes(64)),
  members: tuple(literal(3), bits),
  introduce: tuple(literal(4), root, list(copiedItemShape, 2)),
  want: tuple(literal(5), u32, bits),
  done: tuple(literal(6), u32),
  survey: tuple(literal(7), u32),
  probe: tuple(literal(8), root, oneOf(0, 8, 12, 16), list(uint(0xffff), probePrefixesMax)),
  fetch: tuple(literal(9), root, idsShape),
} as const

const sourceShapes = {
  welcome: tuple(literal(0), bytes(syncEpochBytes), flag),
  challenge: tuple(literal(1), root),
  shared: tuple(literal(2), flag, flag, bytesBetween(0, 32 * sharePageMax)),
  extent: tuple(literal(3), uint(), uint()),
  offer: tuple(literal(4), u32, root, idsShape),
  items: tuple(literal(5), u32, flag, list(copiedItemShape, frameItemsMax)),
  sums: tuple(literal(7), bytesBetween(0, sumsBytesMax)),
  mark: tuple(literal(6), uint(), uint(), root, uint(), root),
} as const

function setOnWire({ count, sum }: SetSum): [number, Uint8Array] {
  return [count, sum]
}

export function encodePullerMessage(message: PullerMessage): Uint8Array {
  switch (message.kind) {
    case 'hello':
      return encode([0, message.epoch, message.upTo, ...setOnWire(message.set)])
    case 'appeal':
      return encode([1, message.mailbox])
    case 'claim':
      return encode([2, message.rootPk, message.certificate, message.signature])
    case 'members':
      return encode([3, message.bits])
    case 'introduce':
      return encode([4, message.rootPk, message.slots.map(toWireItem)])
    case 'want':
      return encode([5, message.offer, message.bits])
    case 'done':
      return encode([6, message.offer])
    case 'survey':
      return encode([7, message.from])
    case 'probe':
      return encode([8, message.mailbox, message.depth, message.prefixes])
    case 'fetch':
      return encode([9, message.mailbox, message.ids])
  }
}

/** @throws {AbzuError} ABZU_MALFORMED, ABZU_TOO_LARGE */
export function decodePullerMessage(payload: Uint8Array): PullerMessage {
  const value = decode(payload)
  switch (tagOf(value)) {
    case 0: {
      const [, epoch, upTo, count, sum] = checked(pullerShapes.hello, value)
      return { kind: 'hello', epoch, upTo, set: { count, sum } }
    }
    case 1:
      return { kind: 'appeal', mailbox: checked(pullerShapes.appeal, value)[1] }
    case 2: {
      const [, rootPk, certificate, signature] = checked(pullerShapes.claim, value)
      return { kind: 'claim', rootPk, certificate, signature }
    }
    case 3:
      return { kind: 'members', bits: checked(pullerShapes.members, value)[1] }
    case 4: {
      const [, rootPk, slots] = checked(pullerShapes.introduce, value)
      return { kind: 'introduce', rootPk, slots: slots.map(fromWireItem) }
    }
    case 5: {
      const [, offer, wanted] = checked(pullerShapes.want, value)
      return { kind: 'want', offer, bits: wanted }
    }
    case 6:
      return { kind: 'done', offer: checked(pullerShapes.done, value)[1] }
    case 7:
      return { kind: 'survey', from: checked(pullerShapes.survey, value)[1] }
    case 8: {
      const [, mailbox, depth, prefixes] = checked(pullerShapes.probe, value)
      return { kind: 'probe', mailbox, depth, prefixes }
    }
    case 9: {
      const [, mailbox, ids] = checked(pullerShapes.fetch, value)
      expectWhole(ids, offeredIdBytes)
      return { kind: 'fetch', mailbox, ids }
    }
    default:
      throw unknownKind()
  }
}

/** In pieces, which share memory with what is sent. */
export function encodeSourceMessage(message: SourceMessage): readonly Uint8Array[] {
  switch (message.kind) {
    case 'welcome':
      return [encode([0, message.epoch, Number(message.isSame)])]
    case 'challenge':
      return [encode([1, message.nonce])]
    case 'shared':
      return [encode([2, Number(message.isFirst), Number(message.isLast), message.roots])]
    case 'extent':
      return [encode([3, message.items, message.bytes])]
    case 'offer':
      return [encode([4, message.offer, message.mailbox, message.ids])]
    case 'items':
      return encodeParts([5, message.offer, Number(message.isLast), message.items.map(toWireItem)])
    case 'sums':
      return [encode([7, message.sums])]
    case 'mark':
      return [encode([6, message.upTo, ...setOnWire(message.set), ...setOnWire(message.items)])]
  }
}

/** @throws {AbzuError} ABZU_MALFORMED, ABZU_TOO_LARGE */
export function decodeSourceMessage(payload: Uint8Array): SourceMessage {
  const value = decode(payload)
  switch (tagOf(value)) {
    case 0: {
      const [, epoch, isSame] = checked(sourceShapes.welcome, value)
      return { kind: 'welcome', epoch, isSame: isSame === 1 }
    }
    case 1:
      return { kind: 'challenge', nonce: checked(sourceShapes.challenge, value)[1] }
    case 2: {
      const [, isFirst, isLast, roots] = checked(sourceShapes.shared, value)
      expectWhole(roots, 32)
      return { kind: 'shared', isFirst: isFirst === 1, isLast: isLast === 1, roots }
    }
    case 3: {
      const [, items, size] = checked(sourceShapes.extent, value)
      return { kind: 'extent', items, bytes: size }
    }
    case 4: {
      const [, offer, mailbox, ids] = checked(sourceShapes.offer, value)
      expectWhole(ids, offeredIdBytes)
      return { kind: 'offer', offer, mailbox, ids }
    }
    case 5: {
      const [, offer, isLast, items] = checked(sourceShapes.items, value)
      return { kind: 'items', offer, isLast: isLast === 1, items: items.map(fromWireItem) }
    }
    case 6: {
      const [, upTo, count, sum, itemCount, itemSum] = checked(sourceShapes.mark, value)
      const items = { count: itemCount, sum: itemSum }
      return { kind: 'mark', upTo, set: { count, sum }, items }
    }
    case 7:
      return { kind: 'sums', sums: checked(sourceShapes.sums, value)[1] }
    default:
      throw unknownKind()
  }
}

/** Ids, or beginnings of ids, that were joined. */
export function offeredIds(joined: Uint8Array): Uint8Array[] {
  return Array.from({ length: joined.length / offeredIdBytes }, (_, n) =>
    joined.slice(n * offeredIdBytes, (n + 1) * offeredIdBytes),
  )
}

/** One bit for each of `flags`, the first in the highest bit of the first byte. */
export function toBits(flags: readonly boolean[]): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(flags.length / 8))
  for (const [n, isSet] of flags.entries()) if (isSet) bytes[n >> 3]! |= 0x80 >> (n & 7)
  return bytes
}

export function hasBit(bytes: Uint8Array, n: number): boolean {
  return ((bytes[n >> 3] ?? 0) & (0x80 >> (n & 7))) !== 0
}

function tagOf(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : undefined
}

function checked<T>(shape: Shape<T>, value: unknown): T {
  return shape(value, 'sync message')
}

function expectWhole(joined: Uint8Array, each: number): void {
  if (joined.length % each !== 0) throw new AbzuError('ABZU_MALFORMED', 'a list that is cut off')
}

function unknownKind(): AbzuError {
  return new AbzuError('ABZU_MALFORMED', 'a sync message of an unknown kind')
}
