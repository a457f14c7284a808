import type { MailboxId } from '../util/brand.ts'
import type { Scheduler } from '../util/clock.ts'
import { isAbzuError } from '../util/errors.ts'
import type { Log } from '../util/log.ts'
import type { Ballast } from './ballast.ts'
import type { BodyBook } from './body-book.ts'
import type { GroupCommit } from './group-commit.ts'
import type { ItemIndex } from './item-index.ts'
import type { ItemWriter, MovedBody } from './item-writer.ts'
import type { Journal } from './journal.ts'
import { entryBytes, nextRecordAt, readRecord, saltOf, segmentHeadBytes } from './journal-record.ts'
import { indexKey } from './keys.ts'
import { bodyChecksum, asBuffer } from './row.ts'
import { isSamePlace, type Segments } from './segments.ts'

export interface SegmentSweeperDeps {
  readonly segments: Segments
  readonly book: Pick<BodyBook, 'held'>
  readonly journal: Pick<Journal, 'position'>
  readonly commit: Pick<GroupCommit, 'index'>
  readonly index: Pick<ItemIndex, 'head'>
  readonly writer: Pick<ItemWriter, 'move'>
  readonly ballast: Pick<Ballast, 'isTight' | 'expectFree'>
  readonly scheduler: Pick<Scheduler, 'after' | 'soon'>
  readonly log: Log
}

const waitMs = 1000
/** Bodies moved in one commit. */
const moveBytesMax = 1024 * 1024

/** What a segment still has that is needed. */
interface Remains {
  readonly bodies: readonly MovedBody[]
  /** All of it was looked at. */
  readonly isComplete: boolean
}

/**
 * Removes segments of which nothing is needed; and where more than half of what lies in segments is not,
 * moves what is left of the emptiest ones, so that they can go too.
 */
export class SegmentSweeper {
  readonly #deps: SegmentSweeperDeps
  readonly #segmentBytesMax: number
  /** Segments that could not be read to their end. */
  readonly #kept = new Set<number>()
  #state: 'idle' | 'due' | 'running' | 'closed' = 'idle'
  #cancel: () => void = () => {}
  #run: Promise<void> | undefined

  constructor(deps: SegmentSweeperDeps, init: { segmentBytesMax: number }) {
    this.#deps = deps
    this.#segmentBytesMax = init.segmentBytesMax
  }

  /** Something was removed. */
  request(): void {
    if (this.#state !== 'idle') return
    this.#state = 'due'
    this.#cancel = this.#deps.scheduler.after(waitMs, () => {
      this.#state = 'running'
      this.#run = this.#sweep()
    })
  }

  /** Ends a sweep that runs. */
  async close(): Promise<void> {
    this.#state = 'closed'
    this.#cancel()
    await this.#run
  }

  get #isClosed(): boolean {
    return this.#state === 'closed'
  }

  async #sweep(): Promise<void> {
    const { log } = this.#deps
    try {
      for (const segment of await this.#chosen()) {
        if (this.#isClosed) return
        await this.#emptyOrKeep(segment)
      }
    } catch (error) {
      if (!this.#isClosed) log.warn('segments-not-swept', { error: error as Error })
    }
    if (!this.#isClosed) this.#state = 'idle'
  }

  /** A segment with damage in it stays for good: what cannot be read may be needed. */
  async #emptyOrKeep(segment: number): Promise<void> {
    const { log } = this.#deps
    try {
      if (await this.#empty(segment)) return
      log.warn('segment-kept', { segment })
    } catch (error) {
      if (!isAbzuError(error, 'ABZU_STORE_DAMAGED')) throw error
      log.warn('segment-kept', { segment, error })
    }
    this.#kept.add(segment)
  }

  /** Full segments to be emptied, the emptiest first. */
  async #chosen(): Promise<number[]> {
    const { segments, book, journal, ballast } = this.#deps
    const full = Array.from(await segments.sizes(), ([segment, bytes]) => {
      const { items, bytes: needed } = book.held(segment)
      return { segment, bytes, items, wasted: bytes - needed - items * entryBytes }
    }).filter(({ segment }) => segment < journal.position.segment && !this.#kept.has(segment))
    const sum = (of: 'bytes' | 'wasted') => full.reduce((total, one) => total + one[of], 0)
    let excess = sum('wasted') - Math.max(sum('bytes') / 2, this.#segmentBytesMax)
    const chosen: number[] = []
    const isScarce = ballast.isTight
    for (const { segment, bytes, items, wasted } of full.toSorted((a, b) => a.items - b.items)) {
      // Where space is scarce each must give back more than its move takes.
      const isWorth = isScarce ? wasted > bytes / 2 : excess > 0
      if (items > 0 && !isWorth) break
      chosen.push(segment)
      excess -= wasted
    }
    return chosen
  }

  /** Whether nothing of it is left. */
  async #empty(segment: number): Promise<boolean> {
    const { segments, commit, writer, ballast } = this.#deps
    const { bodies, isComplete } = await this.#remains(segment)
    if (!isComplete) return this.#isClosed
    if (bodies.length > 0) ballast.expectFree(2 * this.#segmentBytesMax)
    let batch: MovedBody[] = []
    let bytes = 0
    for (const moved of bodies) {
      batch.push(moved)
      bytes += moved.body.length
      if (bytes < moveBytesMax) continue
      await writer.move(batch)
      ;[batch, bytes] = [[], 0]
    }
    if (batch.length > 0) await writer.move(batch)
    // What else was here has gone by commits before this one.
    await commit.index()
    await segments.remove(segment)
    return true
  }

  async #remains(segment: number): Promise<Remains> {
    const { segments, index } = this.#deps
    const size = (await segments.sizes()).get(segment) ?? 0
    const bytes = asBuffer((await segments.read({ segment, offset: 0 }, size)) ?? new Uint8Array())
    const salt = saltOf(bytes)
    if (!salt) return { bodies: [], isComplete: false }
    const bodies: MovedBody[] = []
    let isComplete = true
    for (let offset = segmentHeadBytes; offset < bytes.length && !this.#isClosed;) {
      const record = readRecord(bytes, salt, { segment, offset })
      isComplete &&= record !== undefined
      offset = record?.end ?? nextRecordAt(bytes, salt, offset + 1)
      for (const { mailbox, head, body } of record?.entries ?? []) {
        const now = index.head(indexKey(mailbox, head.id))
        if (!isSamePlace(now?.place, head.place)) continue
        if (bodyChecksum(head.id, body) !== head.bodyChecksum) isComplete = false
        else
          bodies.push({
            mailbox: Buffer.from(mailbox) as Uint8Array as MailboxId,
            from: head,
            body,
          })
      }
      await new Promise<void>((resolve) => this.#deps.scheduler.soon(resolve))
    }
    return { bodies, isComplete: isComplete && !this.#isClosed }
  }
}
