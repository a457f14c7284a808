import type { MailboxId } from '../util/brand.ts'
import type { Scheduler } from '../util/clock.ts'
import type { Log } from '../util/log.ts'
import type { Ballast } from './ballast.ts'
import type { BodyBook } from './body-book.ts'
import type { GroupCommit } from './group-commit.ts'
import type { ItemIndex } from './item-index.ts'
import type { ItemWriter, MovedBody } from './item-writer.ts'
import type { Journal } from './journal.ts'
import { nextRecordAt, readRecord, saltOf, segmentHeadBytes } from './journal-record.ts'
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
  readonly ballast: Pick<Ballast, 'isTight'>
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
    try {
      for (const segment of await this.#chosen()) {
        if (this.#isClosed) return
        await this.#empty(segment)
      }
    } catch (error) {
      if (!this.#isClosed) this.#deps.log.warn('segments-not-swept', { error: error as Error })
    }
    if (!this.#isClosed) this.#state = 'idle'
  }

  /** Full segments to be emptied, the emptiest first. */
  async #chosen(): Promise<number[]> {
    const { segments, book, journal, ballast } = this.#deps
    const full = Array.from(await segments.sizes(), ([segment, bytes]) => {
      const { items, bytes: needed } = book.held(segment)
      return { segment, bytes, items, wasted: bytes - needed }
    }).filter(({ segment }) => segment < journal.position.segment && !this.#kept.has(segment))
    const sum = (of: 'bytes' | 'wasted') => full.reduce((total, one) => total + one[of], 0)
    let excess = sum('wasted') - Math.max(sum('bytes') / 2, this.#segmentBytesMax)
    const chosen: number[] = []
    for (const { segment, items, wasted } of full.toSorted((a, b) => a.items - b.items)) {
      // To move takes space, for a while.
      if (items > 0 && (excess <= 0 || ballast.isTight)) break
      chosen.push(segment)
      excess -= wasted
    }
    return chosen
  }

  async #empty(segment: number): Promise<void> {
    const { segments, book, commit, writer, log } = this.#deps
    const { bodies, isComplete } = await this.#remains(segment)
    let batch: MovedBody[] = []
    let bytes = 0
    for (const moved of bodies) {
      batch.push(moved)
      bytes += moved.body.length
      if (bytes < moveBytesMax) continue
      await writer.move(batch)
      ;[batch, bytes] = [[], 0]
    }
    await writer.move(batch)
    // What else was here has gone by commits before this one.
    await commit.index()
    if (isComplete || book.held(segment).items === 0) return segments.remove(segment)
    this.#kept.add(segment)
    log.warn('segment-kept', { segment })
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
