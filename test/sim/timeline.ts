/**
 * Virtual time: one queue of events for all nodes. Between two events every promise that can go on does so,
 * so that the real asynchronous code runs to where it waits for time, network or disk; nothing else runs.
 * @module
 */

import type { Cancel, Clock, Scheduler } from '../../src/base/util/clock.ts'
import type { Random } from './random.ts'
import type { Trace } from './trace.ts'

interface Event {
  readonly atMs: number
  /** Of events that are due at the same time, chance says which comes first. */
  readonly tie: number
  readonly line: string
  run: (() => void) | undefined
}

/** Runs are made of a few hundred thousand events; more is a loop that never rests. */
const eventsMax = 2_000_000

export class Timeline {
  readonly trace: Trace
  readonly #random: Random
  /** A binary heap. */
  readonly #events: Event[] = []
  #nowMs: number
  #run = 0

  constructor({ random, trace, atMs }: { random: Random; trace: Trace; atMs: number }) {
    this.#nowMs = atMs
    this.#random = random
    this.trace = trace
  }

  /** ms since the beginning of all runs. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** Runs `task` at a time from now on. `line` names the event in the trace. */
  after(delayMs: number, line: string, task: () => void): Cancel {
    const atMs = this.#nowMs + Math.max(0, delayMs)
    const event: Event = { atMs, tie: this.#random.fraction(), line, run: task }
    this.#push(event)
    return () => void (event.run = undefined)
  }

  /** Lets `durationMs` pass, or less where `isDone` says so after an event. */
  async pass(durationMs: number, isDone: () => boolean = () => false): Promise<void> {
    const endMs = this.#nowMs + durationMs
    await settle()
    if (isDone()) return
    for (let next = this.#events[0]; next && next.atMs <= endMs; next = this.#events[0]) {
      this.#pop()
      const { run } = next
      if (!run) continue
      if (++this.#run > eventsMax) throw new Error('a run that never rests')
      this.#nowMs = next.atMs
      this.trace.note(`${next.atMs.toFixed(3)} ${next.line}`)
      run()
      await settle()
      if (isDone()) return
    }
    this.#nowMs = endMs
  }

  #push(event: Event): void {
    const events = this.#events
    let at = events.push(event) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(event, events[parent] as Event)) break
      events[at] = events[parent] as Event
      at = parent
    }
    events[at] = event
  }

  #pop(): void {
    const events = this.#events
    const last = events.pop() as Event
    if (events.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= events.length) break
      const right = events[child + 1]
      if (right && isBefore(right, events[child] as Event)) child++
      if (!isBefore(events[child] as Event, last)) break
      events[at] = events[child] as Event
      at = child
    }
    events[at] = last
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs === b.atMs ? a.tie < b.tie : a.atMs < b.atMs
}

/** Resolves when every promise has gone on as far as it can. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

/** The wall clock of one machine, which survives its crashes and may be wrong. */
export interface WallClock {
  /** To the true time, ms. */
  offsetMs: number
}

/** The beginning is at 2026-03-01 12:00 UTC. */
const beginMs = Date.UTC(2026, 2, 1, 12)

/** The time as one start of a node sees it; when that has crashed, nothing of it runs any more. */
export class NodeTime implements Clock, Scheduler {
  readonly #timeline: Timeline
  readonly #name: string
  readonly #wall: WallClock
  readonly #bootMs: number
  /** In the order in which they were asked for, as the event loop would. */
  readonly #soon: (() => void)[] = []
  #isOver = false

  constructor(timeline: Timeline, init: { name: string; wall: WallClock }) {
    this.#timeline = timeline
    this.#name = init.name
    this.#wall = init.wall
    this.#bootMs = timeline.nowMs
  }

  get isOver(): boolean {
    return this.#isOver
  }

  nowMs(): number {
    return Math.floor(beginMs + this.#timeline.nowMs + this.#wall.offsetMs)
  }

  monotonicMs(): number {
    return this.#timeline.nowMs - this.#bootMs
  }

  after(delayMs: number, task: () => void): Cancel {
    if (this.#isOver) return () => undefined
    // as the runtime's timers: whole ms, and one at least
    return this.#timeline.after(Math.max(1, Math.trunc(delayMs)), `${this.#name} timer`, () => {
      if (!this.#isOver) task()
    })
  }

  soon(task: () => void): void {
    if (this.#isOver) return
    this.#soon.push(task)
    this.#timeline.after(0, `${this.#name} soon`, () => {
      if (!this.#isOver) this.#soon.shift()?.()
    })
  }

  /** Resolves after a while, which may be a fraction of a ms; never where the node has crashed meanwhile. */
  async wait(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#timeline.after(delayMs, `${this.#name} waited`, () => {
        if (!this.#isOver) resolve()
      })
    })
  }

  /** The machine has crashed. */
  end(): void {
    this.#isOver = true
  }
}
