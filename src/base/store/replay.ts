/** What the journal has and the database does not: read when a store is opened. @module */

import { bodyChecksum } from './row.ts'
import type { JournalEnd } from './journal.ts'
import {
  nextRecordAt,
  readRecord,
  saltOf,
  segmentHeadBytes,
  type ReadEntry,
} from './journal-record.ts'
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
}

/** Reads the records behind `position`. One that is damaged is passed over, and what follows it is found by
 *  its mark; the numbers of the commits then show what is missing.
 *  @throws {AbzuError} ABZU_STORE_DAMAGED */
export async function replay(segments: Segments, init: ReplayInit): Promise<Replay> {
  const reading = new Reading(init)
  const sizes = await segments.sizes()
  const numbers = [...sizes.keys()].filter((number) => number >= init.position.segment)
  for (const segment of numbers.toSorted((a, b) => a - b)) {
    const bytes = await segments.read({ segment, offset: 0 }, sizes.get(segment) ?? 0)
    if (bytes) reading.segment(segment, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
  }
  return reading
}

class Reading implements Replay {
  readonly items: ReplayedItem[] = []
  commit: number
  end: JournalEnd
  missingCommits = 0
  damagedItems = 0
  readonly #from: BodyPlace

  constructor({ commit, position }: ReplayInit) {
    this.commit = commit
    this.end = { position }
    this.#from = position
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
    let isWhole = true
    let offset = segment === this.#from.segment ? this.#from.offset : segmentHeadBytes
    while (offset < bytes.length) {
      const record = readRecord(bytes, salt, { segment, offset })
      isWhole = record !== undefined
      offset = record?.end ?? nextRecordAt(bytes, salt, offset + 1)
      // What counts only with the database is counted by it.
      const counts = record && !record.isWithIndex && record.commit > this.commit
      if (counts) this.#take(record.commit, record.entries)
    }
    return isWhole && offset === bytes.length
  }

  #take(commit: number, entries: readonly ReadEntry[]): void {
    this.missingCommits += commit - this.commit - 1
    this.commit = commit
    for (const { mailbox, head, body } of entries) {
      if (bodyChecksum(head.id, body) === head.bodyChecksum) this.items.push({ mailbox, head })
      else this.damagedItems++
    }
  }
}
