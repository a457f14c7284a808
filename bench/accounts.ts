/** Many people on one node, nearly all of them locked. @module */

import { locked } from './accounts/locked.ts'
import { unlocking } from './accounts/unlocking.ts'
import type { Benchmark } from './harness.ts'

export function accountsBenchmark(): Benchmark {
  return { name: 'accounts', timeoutMs: 900_000, parts: [locked, unlocking] }
}
