/** What the journal has and the database does not: read when a store is opened. @module */

import { isAbzuError } from '../util/errors.ts'
import type { JournalEnd } from './journal.ts'
import {
  nextRecordAt,
  readRecord,
  saltOf,
  segmentHeadBytes,
  type ReadEntry,
  type ReadRecord,
} from './journal-record.ts'
import { asBuffer, bodyChecksum } from './row.ts'
import type { BodyPlace, Segments } from './segments.ts'

export type ReplayedItem = Pick<ReadEntry, 'mailbox' | 'head'>

export interface Replay {
  readonly items: readonly ReplayedItem[]
  /** Number of the last commit. */
  readonly commit: number
  readonly end: JournalEnd
  /** Commits before the last one that neither the database nor the journal has. */
  readonly missingCommits: number
  /** Items whose body is not what was written. */
  readonly damagedItems: number
}

export interface ReplayInit {
  /** Number of the last commit that the database has. */
  readonly commit: number
  /** Where its record ended. */
  readonly position: BodyPlace
  /** Number of the last commit that is known to have been durable; others may be half written. */
  readonly durableCommit: number
}

/** Reads the records behind `position`. One that is damaged is passed over, and what follows it is found by
 *  its mark; the numbers of the commits then show what is missing.
 *  @throws {AbzuError} ABZU_STORE_DAMAGED */
export async function replay(segments: Segments, init: ReplayInit): Promise<Replay> {
  const reading = new Reading(init)
  const sizes = await segments.sizes()
  const numbers = [...sizes.keys()].filter((number) => number >= init.position.segment)
  for (const segment of numbers.toSorted((a, b) => a - b)) {
    reading.segment(segment, await readAll(segments, segment, sizes.get(segment) ?? 0))
  }
  // It may lie in the page cache alone: its fsync never ran, or failed. Those before it had theirs.
  if (reading.last) await segments.append(reading.last.at, [reading.last.bytes])
  return reading
}

/** A segment that cannot be read is one without records: the numbers of the commits show it. */
async function readAll(segments: Segments, segment: number, size: number): Promise<Buffer> {
  try {
    return asBuffer((await segments.read({ segment, offset: 0 }, size)) ?? new Uint8Array())
  } catch (error) {
    if (!isAbzuError(error, 'ABZU_STORE_DAMAGED')) throw error
    return Buffer.alloc(0)
  }
}

class Reading implements Replay {
  readonly items: ReplayedItem[] = []
  commit: number
  end: JournalEnd
  missingCommits = 0
  damagedItems = 0
  last: { at: BodyPlace; bytes: Uint8Array } | undefined
  readonly #init: ReplayInit

  constructor(init: ReplayInit) {
    this.commit = init.commit
    this.end = { position: init.position }
    this.#init = init
  }

  segment(segment: number, bytes: Buffer): void {
    const salt = saltOf(bytes)
    const position = { segment, offset: bytes.length }
    const isWhole = salt !== undefined && this.#readRecords(bytes, salt, segment)
    // Nothing is appended behind what a crash has left half written.
    this.end = { position, ...(isWhole && { salt }) }
  }

  /** Returns whether the records reach to the end. */
  #readRecords(bytes: Buffer, salt: Buffer, segment: number): boolean {
    const { position } = this.#init
    let isWhole = true
    let offset = segment === position.segment ? position.offset : segmentHeadBytes
    while (offset < bytes.length) {
      const record = readRecord(bytes, salt, { segment, offset })
      isWhole = record !== undefined && !this.#isHalfWritten(record)
      if (record && isWhole) {
        // Where it is the first of its segment, the salt goes with it.
        const from = offset === segmentHeadBytes ? 0 : offset
        this.last = { at: { segment, offset: from }, bytes: bytes.subarray(from, record.end) }
        this.#take(record)
      }
      offset = record?.end ?? nextRecordAt(bytes, salt, offset + 1)
    }
    return isWhole && offset === bytes.length
  }

  /** The disk may have got the head of a commit's record and not its bodies: nobody was told of it. */
  #isHalfWritten({ commit, entries }: ReadRecord): boolean {
    return commit > this.#init.durableCommit && !entries.every(isIntact)
  }

  #take({ commit, isWithIndex, entries }: ReadRecord): void {
    // What counts only with the database is counted by it.
    if (isWithIndex || commit <= this.commit) return
    this.missingCommits += commit - this.commit - 1
    this.commit = commit
    for (const entry of entries) {
      const { mailbox, head } = entry
      if (isIntact(entry)) this.items.push({ mailbox, head })
      else this.damagedItems++
    }
  }
}

function isIntact({ head, body }: ReadEntry): boolean {
  return bodyChecksum(head.id, body) === head.bodyChecksum
}
