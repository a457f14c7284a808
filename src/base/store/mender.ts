import { crc32 } from 'node:zlib'
import type { MailboxId } from '../util/brand.ts'
import { isAbzuError } from '../util/errors.ts'
import type { BadRow, BrokenItem, MailboxCheck } from './check-mailbox.ts'
import type { BodyBook } from './body-book.ts'
import type { CommitUnit, GroupCommit } from './group-commit.ts'
import type { StoredHead } from './head.ts'
import { equalSums, type IdSum } from './id-sum.ts'
import type { ItemIndex } from './item-index.ts'
import { arrivalKey, indexKey, itemKinds, keyText } from './keys.ts'
import type { Claim, Ledger, LedgerEntry } from './ledger.ts'
import { equalMailboxRows } from './mailbox-row.ts'
import { isSamePlace } from './segments.ts'
import type { Database } from './database.ts'

export interface MenderDeps {
  readonly database: Pick<Database, 'getSync'>
  readonly commit: Pick<GroupCommit, 'queue'>
  readonly index: ItemIndex
  readonly ledger: Ledger
  readonly book: Pick<BodyBook, 'subtract'>
}

type Repair =
  | { readonly kind: 'put-head'; readonly head: StoredHead }
  | { readonly kind: 'remove'; readonly head: StoredHead; readonly entry: LedgerEntry }

/**
 * Makes a mailbox whole again after a check: what can be derived is written again, what cannot be read
 * goes, so that it counts as missing and another copy can bring it back.
 *
 * The check looked at one moment, and the mailbox has gone on since. So counts are corrected by the
 * difference that the check found, and an item only where it still is as it was.
 */
export class Mender {
  readonly #deps: MenderDeps

  constructor(deps: MenderDeps) {
    this.#deps = deps
  }

  /** Resolves after fsync.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED, those of a write */
  async mend({ mailbox, total, buckets, badRows, halves, hollow }: MailboxCheck): Promise<void> {
    const { commit, database, ledger } = this.#deps
    const unequalBuckets = [...buckets].filter(([, claim]) => !isTrue(claim))
    ledger.correctMailbox(mailbox, isTrueTotal(total) ? undefined : total, unequalBuckets)
    const repairs = [
      ...halves.map((half) => this.#repairOfHalf(mailbox, half)),
      ...hollow.map((item) => this.#removal(mailbox, item)),
    ].filter((repair) => repair !== undefined)
    const leaving = badRows.filter((row) => isUnchanged(database, row))
    await commit.queue((unit) => {
      unit.withIndex()
      for (const { key } of leaving) unit.delete(key)
      for (const repair of repairs) this.#repair(unit, mailbox, repair)
    })
  }

  #repairOfHalf(mailbox: MailboxId, { head, isIndexed }: BrokenItem): Repair | undefined {
    const now = this.#now(mailbox, head)
    if (isIndexed)
      return now?.arrival === head.arrival ? { kind: 'put-head', head: now } : undefined
    if (now) return { kind: 'remove', head, entry: this.#entry(mailbox, head) }
    return { kind: 'put-head', head }
  }

  #removal(mailbox: MailboxId, { head, isIndexed }: BrokenItem): Repair | undefined {
    const now = this.#now(mailbox, head)
    const isSame = now?.arrival === head.arrival && isSamePlace(now.place, head.place)
    if (isIndexed && !isSame) return undefined
    return { kind: 'remove', head, entry: this.#entry(mailbox, head) }
  }

  #entry(mailbox: MailboxId, head: StoredHead): LedgerEntry {
    return this.#deps.ledger.entry(mailbox, head.id)
  }

  /** What the index says now; a row that cannot be read says nothing. */
  #now(mailbox: MailboxId, head: StoredHead): StoredHead | undefined {
    try {
      return this.#deps.index.head(indexKey(mailbox, head.id))
    } catch (error) {
      if (isAbzuError(error, 'ABZU_STORE_DAMAGED')) return undefined
      throw error
    }
  }

  #repair(unit: CommitUnit, mailbox: MailboxId, repair: Repair): void {
    const { index, ledger, book } = this.#deps
    const { head } = repair
    const key = indexKey(mailbox, head.id)
    const text = keyText(key)
    if (repair.kind === 'put-head') {
      index.add({ mailbox, key, text, head })
      return
    }
    unit.delete(arrivalKey(mailbox, itemKinds[head.kind], head.arrival))
    // A slot's row is another version's, or among the bad rows.
    if (head.place) book.subtract(head.place.segment, head.sizeBytes)
    if (this.#now(mailbox, head)?.arrival === head.arrival) {
      unit.delete(key)
      index.remove(text)
    }
    ledger.subtract(repair.entry, head)
  }
}

/** Whether a row is still as the check saw it. */
export function isUnchanged(database: Pick<Database, 'getSync'>, { key, seen }: BadRow): boolean {
  if (seen === undefined) return true
  const now = database.getSync(key)
  return now !== undefined && crc32(now) === seen
}

/** Whether a digest bucket is there and sums what was counted. */
export function isTrue({ claimed, counted }: Claim<IdSum>): boolean {
  return claimed !== undefined && equalSums(claimed, counted)
}

/** The same of a mailbox's total. */
export function isTrueTotal({ claimed, counted }: MailboxCheck['total']): boolean {
  return claimed !== undefined && equalMailboxRows(claimed, counted)
}
