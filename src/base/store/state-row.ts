/**
 * What the store as a whole holds, written in every commit that has rows: a commit that went missing shows in it.
 * `checksum[4] | commit[8] | next arrival[8] | items[8] | sum of ids[32] | rows[8] | sum of checksums[8] |
 * segment[4] | offset[4]`, the end of the commit's record in the journal
 * @module
 */

import { emptySum, idSumBytes, readSum, writeSum, type IdSum } from './id-sum.ts'
import { metaKey } from './keys.ts'
import { damaged, newValue, readU64, seal, unseal, writeU64 } from './row.ts'
import type { BodyPlace } from './segments.ts'

export interface StoreState {
  /** Number of the last commit, from 1. */
  commit: number
  nextArrival: number
  /** All items of all mailboxes. */
  readonly ids: IdSum
  /** Rows of tables, and the sum of their checksums mod 2^48. */
  rows: number
  rowSum: number
  /** Where the journal goes on behind this commit. */
  journal: BodyPlace
}

export const rowSumModulus = 2 ** 48
const contentBytes = 8 + 8 + 8 + idSumBytes + 8 + 8 + 4 + 4
export const stateKey = metaKey('state')

export function emptyState(): StoreState {
  const journal = { segment: 0, offset: 0 }
  return { commit: 0, nextArrival: 1, ids: emptySum(), rows: 0, rowSum: 0, journal }
}

export function copyState(state: StoreState): StoreState {
  return { ...state, ids: { count: state.ids.count, words: state.ids.words.slice() } }
}

export function encodeState(state: StoreState): Uint8Array {
  const value = newValue(contentBytes)
  writeU64(value, state.commit, 4)
  writeU64(value, state.nextArrival, 12)
  writeU64(value, state.ids.count, 20)
  writeSum(state.ids, value, 28)
  writeU64(value, state.rows, 60)
  writeU64(value, state.rowSum, 68)
  value.writeUInt32BE(state.journal.segment, 76)
  value.writeUInt32BE(state.journal.offset, 80)
  return seal(stateKey, value)
}

/** @throws {AbzuError} ABZU_STORE_DAMAGED */
export function decodeState(value: Uint8Array): StoreState {
  const content = unseal(stateKey, value)
  if (content.length !== contentBytes) throw damaged('the state of the store has no known form')
  return {
    commit: readU64(content, 0),
    nextArrival: readU64(content, 8),
    ids: readSum(readU64(content, 16), content, 24),
    rows: readU64(content, 56),
    rowSum: readU64(content, 64),
    journal: { segment: content.readUInt32BE(72), offset: content.readUInt32BE(76) },
  }
}
