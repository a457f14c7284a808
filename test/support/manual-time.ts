/** A clock and a scheduler that move only when a test says so. @module */

import type { Clock, Scheduler } from '../../src/base/util/clock.ts'

interface Task {
  readonly atMs: number
  readonly run: () => void
}

/** Starts on 2026-01-01 12:00 UTC. */
export class ManualTime implements Clock, Scheduler {
  #elapsedMs = 0
  #offsetMs = Date.UTC(2026, 0, 1, 12)
  readonly #tasks = new Set<Task>()
  /** Between which times the true one lies, where the wall clock is doubted. */
  doubted: ReturnType<NonNullable<Clock['doubt']>>

  nowMs(): number {
    // whole ms, as the system's
    return this.#offsetMs + Math.floor(this.#elapsedMs)
  }

  doubt(): ReturnType<NonNullable<Clock['doubt']>> {
    return this.doubted
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  after(delayMs: number, run: () => void): () => void {
    const task = { atMs: this.#elapsedMs + delayMs, run }
    this.#tasks.add(task)
    return () => void this.#tasks.delete(task)
  }

  soon(run: () => void): void {
    setImmediate(run)
  }

  /** Tasks that wait for their time. */
  get pending(): number {
    return this.#tasks.size
  }

  /** Moves both clocks on and runs what falls due, in order of time; lets promises settle in between. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#elapsedMs + durationMs
    for (;;) {
      await this.settle()
      const [next] = [...this.#tasks]
        .filter(({ atMs }) => atMs <= endMs)
        .toSorted((a, b) => a.atMs - b.atMs)
      if (!next) break
      this.#tasks.delete(next)
      this.#elapsedMs = Math.max(this.#elapsedMs, next.atMs)
      next.run()
    }
    this.#elapsedMs = endMs
    await this.settle()
  }

  /** Moves the wall clock only, either way. */
  jump(durationMs: number): void {
    this.#offsetMs += durationMs
  }

  /** Lets the event loop turn a few times. */
  async settle(turns = 20): Promise<void> {
    for (let turn = 0; turn < turns; turn++) {
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}
