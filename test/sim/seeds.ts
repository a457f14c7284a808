/** Many seeds on several threads, each with runs of its own. @module */

import { Worker } from 'node:worker_threads'
import { faultKinds, type FaultKind } from './fault-counts.ts'
import type { RunReport } from './simulate.ts'

export interface SeedsInit {
  /** The first seed. */
  readonly first: number
  readonly count: number
  readonly threads: number
  /** Errors tell where they were made.
   *  @default false */
  readonly hasStacks?: boolean
  /** Called with each run that failed. */
  readonly failed?: (report: RunReport) => void
}

export interface SeedsReport {
  readonly passed: number
  readonly failed: number
  readonly events: number
  readonly letters: number
  readonly relocated: number
  readonly faults: Readonly<Record<FaultKind, number>>
  /** Faults that never came about: what they break was not tested. */
  readonly idleFaults: readonly FaultKind[]
}

/** Runs the seeds `first` to `first + count - 1`. */
export async function runSeeds(init: SeedsInit): Promise<SeedsReport> {
  const { first, count, threads, hasStacks = false, failed } = init
  const faults = Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as Record<
    FaultKind,
    number
  >
  const sum = { passed: 0, failed: 0, events: 0, letters: 0, relocated: 0 }
  const take = (report: RunReport): void => {
    sum.events += report.events
    sum.letters += report.letters
    sum.relocated += report.relocated
    for (const kind of faultKinds) faults[kind] += report.faults[kind]
    if (report.problems.length === 0) sum.passed++
    else {
      sum.failed++
      failed?.(report)
    }
  }
  let next = first
  const thread = async (): Promise<void> => {
    const worker = new Worker(new URL('seed-worker.ts', import.meta.url), {
      workerData: { hasStacks },
      // most of what a run makes is over soon: collected seldom, little of it is copied
      resourceLimits: { maxYoungGenerationSizeMb: 96 },
    })
    try {
      while (next < first + count) take(await ask(worker, next++))
    } finally {
      await worker.terminate()
    }
  }
  await Promise.all(Array.from({ length: Math.min(threads, count) }, thread))
  return { ...sum, faults, idleFaults: faultKinds.filter((kind) => faults[kind] === 0) }
}

async function ask(worker: Worker, seed: number): Promise<RunReport> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject)
    worker.once('message', (report: RunReport) => {
      worker.off('error', reject)
      resolve(report)
    })
    worker.postMessage(seed)
  })
}
