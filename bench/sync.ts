/** Copies of mailboxes on their way from one node to another. @module */

import type { Benchmark } from './harness.ts'
import { nothingNew, tenNew } from './sync/catching-up.ts'
import { firstCopy } from './sync/first-copy.ts'
import { homeBack } from './sync/home-killed.ts'
import { memory } from './sync/memory.ts'
import { homeGone } from './sync/home-gone.ts'
import { repair } from './sync/repairing.ts'

export function syncBenchmark(): Benchmark {
  return {
    name: 'sync',
    timeoutMs: 900_000,
    parts: [firstCopy, tenNew, nothingNew, repair, homeGone, homeBack, memory],
  }
}
