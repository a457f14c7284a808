import type { Scheduler } from '../util/clock.ts'
import { AbzuError, toAbzuError } from '../util/errors.ts'
import type { Database, WriteBatch } from './database.ts'
import type { Journal, LaidRecord } from './journal.ts'
import type { JournalEntry } from './journal-record.ts'

/** What the units of one commit add to it. */
export interface CommitUnit extends Pick<WriteBatch, 'put' | 'delete'> {
  /** Adds an item to the journal. A commit of nothing else needs no write of the database. */
  keep(entry: JournalEntry): void
  /** Makes the commit one that reaches the database. */
  withIndex(): void
}

export interface GroupCommitDeps {
  readonly database: Pick<Database, 'batch' | 'write'>
  readonly journal: Pick<Journal, 'write'>
  readonly scheduler: Pick<Scheduler, 'soon'>
  /** Called just before a commit is written. Adds to its batch, where it has one, what the units share, and
   *  lays its record, where it has entries. */
  readonly seal: (commit: SealedCommit) => LaidRecord | undefined
  /** So much is in the journal alone that the database should take it over. */
  readonly isIndexDue: () => boolean
  /** Runs after fsync and before any writer is told.
   *  @throws where the commit must not count */
  readonly durable: () => void
  /** The database has the batch that was sealed last. */
  readonly indexed: () => void
}

/** A commit to which nothing is added any more. */
export interface SealedCommit {
  readonly entries: readonly JournalEntry[]
  /** What the database takes over with it; missing where it takes nothing. */
  readonly batch: WriteBatch | undefined
  /** It counts only once the database has it: rows belong to it. */
  readonly isWithIndex: boolean
}

/** What the units of one commit have added. */
class Commit implements CommitUnit {
  readonly done = Promise.withResolvers<void>()
  readonly entries: JournalEntry[] = []
  readonly #database: Pick<Database, 'batch'>
  #batch: WriteBatch | undefined
  #entryBytes = 0

  constructor(database: Pick<Database, 'batch'>) {
    this.#database = database
    // Each writer hears of a failure itself; a commit that nobody waits for must not end the process.
    this.done.promise.catch(() => {})
  }

  get bytes(): number {
    return this.#entryBytes + (this.#batch?.bytes ?? 0)
  }

  /** Missing where the database is not needed. */
  get batch(): WriteBatch | undefined {
    return this.#batch
  }

  withIndex(): void {
    this.#opened()
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#opened().put(key, value)
  }

  delete(key: Uint8Array): void {
    this.#opened().delete(key)
  }

  #opened(): WriteBatch {
    return (this.#batch ??= this.#database.batch())
  }

  keep(entry: JournalEntry): void {
    this.entries.push(entry)
    this.#entryBytes += entry.body.length
  }
}

/**
 * One write and one fsync for everything that was queued while the last one ran. No timer: an idle
 * store starts once what is at hand in this turn of the event loop has joined.
 *
 * Items go to the journal; a commit that has rows goes to the database as well, and takes along whatever
 * was in the journal alone. Where much is, a commit without rows takes it along too, and is durable
 * before: its batch is written while later commits go to the journal. Batches are written one at a time and in
 * order, so the database always has a whole number of commits.
 *
 * An error ends it. An fsync is not tried again, since the kernel may have dropped what it could not
 * write and then say that all is well.
 */
export class GroupCommit {
  readonly #deps: GroupCommitDeps
  readonly #bytesMax: number
  readonly #failure = Promise.withResolvers<AbzuError>()
  #open: Commit | undefined
  #writing: Commit | undefined
  /** Of a batch that nobody waits for. */
  #indexing: Promise<void> | undefined
  /** Why nothing is accepted any more. */
  #end: AbzuError | undefined
  #isFailed = false

  constructor(deps: GroupCommitDeps, init: { readonly bytesMax: number }) {
    this.#deps = deps
    this.#bytesMax = init.bytesMax
  }

  get isFailed(): boolean {
    return this.#isFailed
  }

  /** Resolves when a commit has failed. */
  get failure(): Promise<AbzuError> {
    return this.#failure.promise
  }

  /** @throws {AbzuError} ABZU_STORE_FAILED, ABZU_DISK_FULL, ABZU_CLOSED, ABZU_OVERLOADED where a write
   *  would not be accepted */
  expectReady(): void {
    if (this.#end) throw this.#end
    const bytes = (this.#open?.bytes ?? 0) + (this.#writing?.bytes ?? 0)
    if (bytes > this.#bytesMax) throw new AbzuError('ABZU_OVERLOADED', 'too many writes wait')
  }

  /** Lets `add` put one atomic unit into the next commit. Resolves after its fsync. `add` must not throw: a
   *  unit is added whole or not at all.
   *  @throws {AbzuError} as expectReady; ABZU_STORE_FAILED, ABZU_DISK_FULL */
  async queue(add: (unit: CommitUnit) => void): Promise<void> {
    this.expectReady()
    const commit = this.#next()
    add(commit)
    return commit.done.promise
  }

  /** Resolves when the database has everything queued so far.
   *  @throws {AbzuError} as queue */
  async index(): Promise<void> {
    return this.queue((unit) => unit.withIndex())
  }

  /** Resolves when everything queued so far is durable.
   *  @throws {AbzuError} ABZU_STORE_FAILED, ABZU_DISK_FULL, ABZU_CLOSED */
  async settled(): Promise<void> {
    if (this.#isFailed) throw this.#end as AbzuError
    await (this.#open ?? this.#writing)?.done.promise
  }

  #next(): Commit {
    if (this.#open) return this.#open
    this.#open = new Commit(this.#deps.database)
    if (!this.#writing) this.#deps.scheduler.soon(() => void this.#write())
    return this.#open
  }

  async #write(): Promise<void> {
    const { database, journal, seal, isIndexDue, durable, indexed, scheduler } = this.#deps
    const commit = this.#open
    if (commit?.batch && this.#indexing) await this.#indexing
    if (!commit || this.#open !== commit) return
    this.#open = undefined
    this.#writing = commit
    const isWithIndex = commit.batch !== undefined
    if (!isWithIndex && !this.#indexing && isIndexDue()) commit.withIndex()
    const { entries, batch } = commit
    try {
      const record = seal({ entries, batch, isWithIndex })
      if (record) await journal.write(record)
      if (this.#writing !== commit) return
      if (batch && isWithIndex) await database.write(batch)
      if (this.#writing !== commit) return
      durable()
      if (isWithIndex) indexed()
    } catch (error) {
      this.fail(error)
      return
    }
    this.#writing = undefined
    commit.done.resolve()
    if (batch && !isWithIndex) this.#indexing = this.#index(batch)
    if (this.#open) scheduler.soon(() => void this.#write())
  }

  async #index(batch: WriteBatch): Promise<void> {
    try {
      await this.#deps.database.write(batch)
      if (!this.#isFailed) this.#deps.indexed()
    } catch (error) {
      this.fail(error)
    }
    this.#indexing = undefined
  }

  /** Ends the acceptance of writes: nobody who still waits is told that a write is durable. */
  fail(cause: unknown): void {
    if (this.#isFailed) return
    this.#isFailed = true
    const known = toAbzuError(cause)
    const error =
      known.code === 'ABZU_DISK_FULL' || known.code === 'ABZU_STORE_FAILED'
        ? known
        : new AbzuError('ABZU_STORE_FAILED', 'a write did not become durable', { cause })
    this.#end = error
    for (const commit of [this.#writing, this.#open]) commit?.done.reject(error)
    this.#writing = undefined
    this.#open = undefined
    this.#failure.resolve(error)
  }

  /** Refuses what comes from now on and resolves when what was queued is durable or has failed. */
  async close(): Promise<void> {
    this.#end ??= new AbzuError('ABZU_CLOSED', 'the store is closed')
    await (this.#open ?? this.#writing)?.done.promise.catch(() => {})
    await this.#indexing
  }
}
