/**
 * Format 1 kept bodies in the database, as `f0 | arrival[8] | mailbox[32] | kind[1]`; its heads had no place,
 * and its state said nothing of the journal.
 * @module
 */

import type { MailboxId } from '../util/brand.ts'
import { concatBytes } from '../util/bytes.ts'
import { BodyBook } from './body-book.ts'
import type { Database, WriteBatch } from './database.ts'
import type { Migration } from './format.ts'
import { readHead } from './head.ts'
import { putHead } from './item-index.ts'
import type { JournalEntry } from './journal-record.ts'
import { Journal } from './journal.ts'
import { family, indexKey, keyText, rangeOf } from './keys.ts'
import { bodyChecksum, checksumBytes, isIntact, newValue, seal, unseal } from './row.ts'
import { nowhere, type BodyPlace, type Segments } from './segments.ts'
import { stateKey } from './state-row.ts'
import type { StoreLimits } from './store-limits.ts'

export interface BodiesToSegmentsDeps {
  readonly segments: Segments
  readonly random: (length: number) => Uint8Array
  readonly limits: Pick<StoreLimits, 'segmentBytesMax' | 'segmentsCachedMax'>
}

interface Target {
  readonly journal: Journal
  readonly book: BodyBook
}

const bodyFamily = 0xf0
const headsPerStep = 32

/** Moves the bodies into segments, a few a step. What a step that was cut off has left there belongs to
 *  nothing, and goes as such. */
export function bodiesToSegments({ segments, random, limits }: BodiesToSegmentsDeps): Migration {
  let opened: Target | undefined
  const open = async (database: Database): Promise<Target> => {
    const book = new BodyBook(database, limits)
    const position = { segment: Math.max(0, ...(await segments.sizes()).keys()), offset: 0 }
    const init = { ...limits, end: { position } }
    return { book, journal: new Journal({ segments, book, random }, init) }
  }
  return {
    to: 2,
    async step(database, batch, cursor) {
      const { journal, book } = (opened ??= await open(database))
      const range = rangeOf(family.arrival)
      const rows = await database.page(range, { limit: headsPerStep, after: cursor })
      const moved = rows.flatMap(([key, value]) => oldItem(database, key, value) ?? [])
      const entries = moved.filter(({ head }) => !head.place)
      const record = journal.lay(entries, { commit: 0, isWithIndex: true })
      if (record) await journal.write(record)
      for (const { mailbox, head, bodyKey } of moved) {
        const key = indexKey(mailbox, head.id)
        putHead(batch, { mailbox, key, text: keyText(key), head })
        batch.delete(bodyKey)
      }
      book.seal(batch)
      if (rows.length === headsPerStep) return rows.at(-1)?.[0]
      putState(database, batch, journal.position)
      return undefined
    },
  }
}

interface OldItem extends JournalEntry {
  readonly bodyKey: Uint8Array
}

/** Mail or a chunk by its row in the order of arrival. Where its body is gone or damaged, its place is
 *  nowhere: the check of the whole store finds it there. */
function oldItem(
  database: Pick<Database, 'getSync'>,
  key: Uint8Array,
  value: Uint8Array,
): OldItem | undefined {
  const head = isIntact(key, value) ? readHead(unseal(key, value)) : undefined
  if (!head || head.kind === 'slot') return undefined
  const mailbox = key.slice(1, 33) as MailboxId
  const [kind, arrival] = [key.slice(33, 34), key.slice(34)]
  const bodyKey = concatBytes(Uint8Array.of(bodyFamily), arrival, mailbox, kind)
  const body = database.getSync(bodyKey)
  if (!body || head.bodyChecksum !== bodyChecksum(bodyKey, body)) {
    return { mailbox, head: { ...head, place: nowhere }, body: new Uint8Array(), bodyKey }
  }
  return { mailbox, head: { ...head, bodyChecksum: bodyChecksum(head.id, body) }, body, bodyKey }
}

/** Adds the position of the journal. */
function putState(database: Pick<Database, 'getSync'>, batch: WriteBatch, at: BodyPlace): void {
  const value = database.getSync(stateKey)
  if (!value) return
  const content = unseal(stateKey, value)
  const row = newValue(content.length + 8)
  row.set(content, checksumBytes)
  row.writeUInt32BE(at.segment, checksumBytes + content.length)
  row.writeUInt32BE(at.offset, checksumBytes + content.length + 4)
  batch.put(stateKey, seal(stateKey, row))
}
