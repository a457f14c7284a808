/** From an address to a record and to a first letter, and the ways over which they go. @module */

import type { Benchmark } from './harness.ts'
import { dial } from './mesh/dial.ts'
import { durable } from './mesh/durable.ts'
import { firstMessage } from './mesh/first-message.ts'
import { idle } from './mesh/idle.ts'
import { resolve } from './mesh/resolve.ts'

export function meshBenchmark(): Benchmark {
  return {
    name: 'mesh',
    timeoutMs: 180_000,
    parts: [resolve(5), resolve(20), firstMessage, dial, durable, idle],
  }
}
