/** The way of a message from a node's stream to the disk of the recipient's home. @module */

import { besidePeers } from './deliver/beside-peers.ts'
import { idle } from './deliver/idle.ts'
import { oneAtATime } from './deliver/one-at-a-time.ts'
import { pipelined } from './deliver/pipelined.ts'
import { deep, Scene, wide } from './deliver/scene.ts'
import { slowDisk } from './deliver/slow-disk.ts'
import type { Benchmark } from './harness.ts'
import { prosody } from './peers/prosody.ts'
import { redis } from './peers/redis.ts'

export function deliverBenchmark(): Benchmark {
  const scene = new Scene()
  return {
    name: 'deliver',
    timeoutMs: 175_000,
    parts: [
      pipelined(scene, wide),
      pipelined(scene, deep),
      oneAtATime(scene),
      slowDisk(scene),
      besidePeers(scene, [redis, prosody]),
      idle,
    ],
  }
}
