import type { Scheduler } from '../util/clock.ts'
import { AbzuError, toAbzuError } from '../util/errors.ts'
import type { Database, WriteBatch } from './database.ts'

export interface GroupCommitDeps {
  readonly database: Pick<Database, 'batch' | 'write'>
  readonly scheduler: Pick<Scheduler, 'soon'>
  /** Adds to a batch, just before it is written, what all its units share. */
  readonly seal: (batch: WriteBatch) => void
  /** Runs after fsync and before any writer is told.
   *  @throws where the commit must not count */
  readonly durable: () => void
}

interface Commit {
  readonly batch: WriteBatch
  readonly done: PromiseWithResolvers<void>
}

/**
 * One write and one fsync for everything that was queued while the last one ran. No timer: an idle
 * store starts once what is at hand in this turn of the event loop has joined.
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
    const bytes = (this.#open?.batch.bytes ?? 0) + (this.#writing?.batch.bytes ?? 0)
    if (bytes > this.#bytesMax) throw new AbzuError('ABZU_OVERLOADED', 'too many writes wait')
  }

  /** Lets `add` put the rows of one atomic unit into the next commit. Resolves after its fsync. `add`
   *  must not throw: a unit is added whole or not at all.
   *  @throws {AbzuError} as expectReady; ABZU_STORE_FAILED, ABZU_DISK_FULL */
  async queue(add: (batch: WriteBatch) => void): Promise<void> {
    this.expectReady()
    const commit = this.#next()
    add(commit.batch)
    return commit.done.promise
  }

  /** Resolves when everything queued so far is durable.
   *  @throws {AbzuError} ABZU_STORE_FAILED, ABZU_DISK_FULL, ABZU_CLOSED */
  async settled(): Promise<void> {
    if (this.#isFailed) throw this.#end as AbzuError
    await (this.#open ?? this.#writing)?.done.promise
  }

  #next(): Commit {
    if (this.#open) return this.#open
    const done = Promise.withResolvers<void>()
    // Each writer hears of a failure itself; a commit that nobody waits for must not end the process.
    done.promise.catch(() => {})
    this.#open = { batch: this.#deps.database.batch(), done }
    if (!this.#writing) this.#deps.scheduler.soon(() => void this.#write())
    return this.#open
  }

  async #write(): Promise<void> {
    const commit = this.#open
    if (!commit) return
    this.#open = undefined
    this.#writing = commit
    try {
      this.#deps.seal(commit.batch)
      await this.#deps.database.write(commit.batch)
      if (this.#writing !== commit) return
      this.#deps.durable()
    } catch (error) {
      this.fail(error)
      return
    }
    this.#writing = undefined
    commit.done.resolve()
    if (this.#open) this.#deps.scheduler.soon(() => void this.#write())
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
  }
}
