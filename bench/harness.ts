/**
 * One harness for all benchmarks. A benchmark is a list of parts; a part answers one question with a
 * few measures. The harness gives each a scratch directory, a deadline and a stack of what to close,
 * and ends everything however the run ends.
 * @module
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock, Scheduler } from '../src/base/util/clock.ts'
import { CloseStack } from '../src/base/util/close-stack.ts'
import { withTimeout } from '../src/base/util/wait.ts'

export interface Target {
  readonly op: '>=' | '<='
  readonly value: number
}

export interface Measure {
  /** Stable, kebab-case: other programs read it. */
  readonly name: string
  /** `null` where it could not be measured here; the note says why. */
  readonly value: number | null
  readonly unit: string
  /** `null` where the figure is only printed. */
  readonly target: Target | null
  /** For people: how it was obtained, or why not. */
  readonly note?: string
}

export interface PartContext {
  /** Fewer and shorter rounds: to see that it works, not to compare. */
  readonly quick: boolean
  readonly clock: Clock
  readonly scheduler: Scheduler
  /** Exists, empty, removed after the part. */
  readonly scratchDir: string
  /** Closed after the part, last first. */
  readonly open: CloseStack
  /** Aborts at the deadline and on a signal. */
  readonly signal: AbortSignal
  /** One line for people who wait. */
  readonly progress: (text: string) => void
}

export interface Part {
  readonly name: string
  run(context: PartContext): Promise<readonly Measure[]>
}

export interface Benchmark {
  readonly name: string
  /** Longest run of all parts together; past it the run fails. */
  readonly timeoutMs: number
  readonly parts: readonly Part[]
}

export interface RunInit {
  readonly quick: boolean
  /** Names of parts; empty means all. */
  readonly only: readonly string[]
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly signal?: AbortSignal
  readonly progress: (text: string) => void
}

/** Whether a measure reached its target; `null` where there is none or nothing was measured. */
export function isReached({ value, target }: Measure): boolean | null {
  if (value === null || target === null) return null
  return target.op === '>=' ? value >= target.value : value <= target.value
}

/** Runs the chosen parts one after the other.
 *  @throws {Error} of a part, at the deadline, of the signal, or where nothing was measured */
export async function runBenchmark(benchmark: Benchmark, init: RunInit): Promise<Measure[]> {
  const unknown = init.only.filter((name) => benchmark.parts.every((part) => part.name !== name))
  if (unknown.length > 0) throw new Error(`${benchmark.name} has no part ${unknown.join(', ')}`)
  const chosen = benchmark.parts.filter(
    ({ name }) => init.only.length === 0 || init.only.includes(name),
  )
  const measures: Measure[] = []
  const what = `benchmark ${benchmark.name}`
  const { timeoutMs } = benchmark
  const endMs = init.clock.monotonicMs() + timeoutMs
  for (const part of chosen) {
    init.signal?.throwIfAborted()
    const remainingMs = Math.max(1, endMs - init.clock.monotonicMs())
    init.progress(`${benchmark.name}: ${part.name}`)
    measures.push(...(await runPart(part, init, { timeoutMs: remainingMs, what })))
  }
  if (measures.length === 0) throw new Error(`${what} measured nothing`)
  const notFinite = measures.find(({ value }) => value !== null && !Number.isFinite(value))
  if (notFinite) throw new Error(`${notFinite.name} is ${notFinite.value}`)
  return measures
}

async function runPart(
  part: Part,
  { quick, clock, scheduler, progress, signal }: RunInit,
  bound: { timeoutMs: number; what: string },
): Promise<readonly Measure[]> {
  const open = new CloseStack()
  const scratchDir = await mkdtemp(join(tmpdir(), 'abzu-bench-'))
  open.add({ close: () => rm(scratchDir, { recursive: true, force: true }) })
  try {
    const measures = await withTimeout(scheduler, { ...bound, signal }, (signal) =>
      part.run({ quick, clock, scheduler, scratchDir, open, signal, progress }),
    )
    await open.close()
    return measures
  } catch (error) {
    throw await open.fail(error)
  }
}
