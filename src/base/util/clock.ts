/** Time as a collaborator, so that the same code runs in a daemon and in a seeded simulation. @module */

export interface Clock {
  /** Wall clock, ms since 1970 UTC. May jump either way: safety never rests on it. */
  nowMs(): number
  /** Monotonic clock, ms since an arbitrary start. For durations and timeouts. */
  monotonicMs(): number
  /** Between which times the true one lies while the wall clock is doubted; undefined while it is trusted. A
   *  clock without this is never doubted. */
  doubt?(): { readonly earliestMs: number; readonly latestMs: number } | undefined
}

type DoubtedClock = Pick<Clock, 'nowMs' | 'doubt'>

/** Wall clock for what ends by age: what is not over by this time is kept, accepted or tried on. */
export function earliestMs(clock: DoubtedClock): number {
  return clock.doubt?.()?.earliestMs ?? clock.nowMs()
}

/** Wall clock for what is too far ahead. */
export function latestMs(clock: DoubtedClock): number {
  return clock.doubt?.()?.latestMs ?? clock.nowMs()
}

export const hourMs = 3_600_000

/** Whole hours since 1970, as records and headers count time, of ms since then. */
export function hoursOf(ms: number): number {
  return Math.floor(ms / hourMs)
}

/** ISO 8601, of hours since 1970. */
export function isoOfHours(hours: number): string {
  return new Date(hours * hourMs).toISOString()
}

/** Ends a scheduled task; harmless after it ran. */
export type Cancel = () => void

export interface Scheduler {
  /** Runs `task` once, `delayMs` from now. A pending task does not keep the process alive. */
  after(delayMs: number, task: () => void): Cancel
  /** Runs `task` once, when what is at hand in this turn of the event loop is done. */
  soon(task: () => void): void
}
