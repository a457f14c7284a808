/** What two nodes hold while a thousand mailboxes go from one to the other. @module */

import { sleep } from '../../src/base/util/wait.ts'
import { peakBytes, processUsage } from '../child.ts'
import type { Measure, Part } from '../harness.ts'
import { NodeProcess } from './node-process.ts'

const full = { accounts: 1000, chunks: 100, settleMs: 3000 }
const quick = { accounts: 10, chunks: 10, settleMs: 100 }
const mebibyte = 2 ** 20
/** What is allowed beside so many times as much as an idle node has. */
const idleFactor = 1.5

export const memory: Part = {
  name: 'memory',
  async run(context) {
    const { scheduler, signal } = context
    const { settleMs, ...growth } = context.quick ? quick : full
    const nodes = await NodeProcess.pair(context)
    const [home, holder] = nodes
    for (const node of nodes) await node.join()
    await sleep(scheduler, settleMs, signal)
    const idle = nodes.map(({ pid }) => processUsage(pid).residentBytes)
    for (const node of nodes) await node.leave()
    await home.grow(growth)
    const { items } = await home.usage()
    // What it took to make the items is not of interest.
    for (const node of nodes) {
      await node.stop()
      await node.restart()
    }
    const address = await home.join()
    await holder.join()
    const startMs = context.clock.monotonicMs()
    await holder.dial(address)
    await holder.until(items)
    const seconds = (context.clock.monotonicMs() - startMs) / 1000
    const how = `${growth.accounts} mailboxes of ${growth.chunks} chunks in ${seconds.toFixed(1)} s`
    return nodes.map(({ pid }, n) =>
      measure(n === 0 ? 'home' : 'holder', pid, idle[n] as number, how),
    )
  },
}

function measure(name: string, pid: number, idleBytes: number, how: string): Measure {
  const peak = peakBytes(pid)
  const megabytes = (bytes: number) => (bytes / mebibyte).toFixed(0)
  return {
    name: `memory-${name}`,
    value: (peak - idleFactor * idleBytes) / mebibyte,
    unit: 'MB',
    target: { op: '<=', value: 100 },
    note: `peak ${megabytes(peak)} MB but ${idleFactor} x ${megabytes(idleBytes)} MB of an idle node; ${how}`,
  }
}
