/**
 * The bodies of mail and chunks, in the order in which they came; and the promise for what lies in no other
 * place yet. A commit that only adds items is durable as one record here, after one fsync; the database
 * learns of it later, many commits at once, and what goes before that costs the database nothing.
 * @module
 */

import { addHeld, type BodyBook } from './body-book.ts'
import {
  encodeRecord,
  encodeSegmentHead,
  recordBytes,
  saltBytes,
  segmentHeadBytes,
  type JournalEntry,
  type RecordInit,
} from './journal-record.ts'
import type { BodyPlace, Segments } from './segments.ts'

export interface JournalDeps {
  readonly segments: Pick<Segments, 'create' | 'append'>
  readonly book: Pick<BodyBook, 'add'>
  readonly random: (length: number) => Uint8Array
}

/** Where a journal goes on: behind its last record. */
export interface JournalEnd {
  readonly position: BodyPlace
  /** Of that segment; missing where the next record begins a new one. */
  readonly salt?: Uint8Array
}

/** A record with its place, to be written. */
export interface LaidRecord {
  readonly at: BodyPlace
  readonly isFirst: boolean
  readonly parts: readonly Uint8Array[]
}

export class Journal {
  readonly #deps: JournalDeps
  readonly #segmentBytesMax: number
  #end: JournalEnd
  #bytesAlone = 0

  constructor(deps: JournalDeps, init: { end: JournalEnd; segmentBytesMax: number }) {
    this.#deps = deps
    this.#segmentBytesMax = init.segmentBytesMax
    this.#end = init.end
  }

  /** Where the next record goes, or the segment behind it. */
  get position(): BodyPlace {
    return this.#end.position
  }

  /** Bytes laid since `indexed`. */
  get bytesAlone(): number {
    return this.#bytesAlone
  }

  /** The database takes over what was laid so far. */
  indexed(): void {
    this.#bytesAlone = 0
  }

  /** Gives a commit's record its place, and each of its items, but for those that have gone already. A commit
   *  without items has none. */
  lay(entries: readonly JournalEntry[], init: RecordInit): LaidRecord | undefined {
    const { book, random } = this.#deps
    const length = recordBytes(entries)
    this.#bytesAlone += length
    if (entries.length === 0) return undefined
    let { position, salt } = this.#end
    const isFirst = !salt || position.offset + length > this.#segmentBytesMax
    if (isFirst) position = { segment: position.segment + 1, offset: 0 }
    salt = isFirst || !salt ? random(saltBytes) : salt
    const { segment, offset } = position
    const end = offset + (isFirst ? segmentHeadBytes : 0) + length
    let bodyAt = end - entries.reduce((bytes, { body }) => bytes + body.length, 0)
    const added = { items: 0, bytes: 0 }
    for (const { head, body } of entries) {
      if (!head.place) {
        head.place = { segment, offset: bodyAt }
        addHeld(added, { items: 1, bytes: body.length })
      }
      bodyAt += body.length
    }
    book.add(segment, added)
    const record = encodeRecord(entries, salt, init)
    const front = isFirst ? [encodeSegmentHead(salt), record] : [record]
    this.#end = { position: { segment, offset: end }, salt }
    return { at: position, isFirst, parts: [...front, ...entries.map(({ body }) => body)] }
  }

  /** Resolves after fsync. In the order in which records were laid, one at a time.
   *  @throws {AbzuError} ABZU_DISK_FULL, ABZU_STORE_FAILED */
  async write({ at, isFirst, parts }: LaidRecord): Promise<void> {
    const { segments } = this.#deps
    if (isFirst) await segments.create(at.segment)
    await segments.append(at, parts)
  }
}
