/**
 * A real daemon's node in a process of its own, which tells over IPC what an attack on it costs. Says
 * `{ready}` with its addresses once it listens; answers `'begin'` by measuring afresh, `'report'` with what it
 * measured since, and `'memory'` with what it needs now.
 * @module
 */

import { readFileSync } from 'node:fs'
import { createHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import type { PeerId } from '../../../src/base/util/brand.ts'
import type { Log } from '../../../src/base/util/log.ts'
import { realSystem, startNode } from '../../../src/compose/daemon.ts'
import { loadConfig } from '../../../src/config.ts'
import { heldBytes } from '../memory.ts'

export interface Ready {
  readonly peerId: PeerId
  readonly addresses: readonly string[]
}

/** What was measured since the last `'begin'`. */
export interface Report {
  /** Most resident memory seen. */
  readonly rssBytesMax: number
  /** 99th percentile of how late the event loop was, by the clock. */
  readonly loopP99Ms: number
  /** The same without the time in which the machine had no processor left for this process. */
  readonly ownLoopP99Ms: number
  /** Events that the node's log calls errors: bugs. */
  readonly errors: readonly string[]
  /** Peers that were shut out. */
  readonly shutOut: number
}

/** Resident and used memory, before and after the garbage is collected. */
export interface Memory {
  readonly rssBytes: number
  readonly rssBytesCollected: number
  /** Of the heap and of byte arrays. */
  readonly usedBytesCollected: number
}

/** Counts as delay by the clock, not as the process's own. */
const resolutionMs = 10
const sampleMs = 50

/** For how long the main thread was ready to run and had no processor, ms. */
function starvedMs(): number {
  const [, waitedNs] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')
  return Number(waitedNs) / 1e6
}

/** Measures the process's own share of the event loop's delay. */
function measureOwnDelay() {
  const histogram = createHistogram()
  let lastMs = performance.now()
  let lastStarvedMs = starvedMs()
  setInterval(() => {
    const nowMs = performance.now()
    const nowStarvedMs = starvedMs()
    const ownMs = nowMs - lastMs - (nowStarvedMs - lastStarvedMs) - resolutionMs
    histogram.record(Math.max(1, Math.round(1000 * ownMs)))
    lastMs = nowMs
    lastStarvedMs = nowStarvedMs
  }, resolutionMs)
  return { reset: () => histogram.reset(), p99Ms: () => histogram.percentile(99) / 1000 }
}

async function run(): Promise<void> {
  const errors: string[] = []
  let shutOut = 0
  const log: Log = {
    debug() {},
    info() {},
    warn: (event) => void (event.includes('shut out') && shutOut++),
    error: (event, { error } = {}) => void errors.push(`${event} ${String(error)}`),
  }
  const flags = { tcp: ['127.0.0.1:0'], quic: ['127.0.0.1:0'] }
  const config = await loadConfig({ flags })
  const node = await startNode(config, realSystem({ log, stop: () => process.disconnect() }))

  const delay = monitorEventLoopDelay({ resolution: resolutionMs })
  const own = measureOwnDelay()
  let rssBytesMax = 0
  const sample = () => {
    rssBytesMax = Math.max(rssBytesMax, process.memoryUsage.rss())
  }
  setInterval(sample, sampleMs)
  process.on('message', (message) => {
    if (message === 'begin') {
      rssBytesMax = 0
      shutOut = 0
      delay.reset()
      own.reset()
      delay.enable()
      return
    }
    if (message === 'memory') {
      const rssBytes = process.memoryUsage.rss()
      const usedBytesCollected = heldBytes()
      const rssBytesCollected = process.memoryUsage.rss()
      process.send?.({ rssBytes, rssBytesCollected, usedBytesCollected } satisfies Memory)
      return
    }
    sample()
    const loopP99Ms = delay.percentile(99) / 1e6
    const ownLoopP99Ms = own.p99Ms()
    process.send?.({ rssBytesMax, loopP99Ms, ownLoopP99Ms, errors, shutOut } satisfies Report)
  })
  // not longer than the test that it is for
  process.once('disconnect', () => void node.close().finally(() => process.exit(0)))
  process.send?.({ peerId: node.peerId, addresses: node.addresses } satisfies Ready)
}

await run()
