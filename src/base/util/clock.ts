/** Time as a collaborator, so that the same code runs in a daemon and in a seeded simulation. @module */

export interface Clock {
  /** Wall clock, ms since 1970 UTC. May jump either way: safety never rests on it. */
  nowMs(): number
  /** Monotonic clock, ms since an arbitrary start. For durations and timeouts. */
  monotonicMs(): number
}

/** Ends a scheduled task; harmless after it ran. */
export type Cancel = () => void

export interface Scheduler {
  /** Runs `task` once, `delayMs` from now. A pending task does not keep the process alive. */
  after(delayMs: number, task: () => void): Cancel
  /** Runs `task` once, when what is at hand in this turn of the event loop is done. */
  soon(task: () => void): void
}
