/** Two nodes whose home has one more mailbox each time they meet. @module */

import { sleep } from '../../src/base/util/wait.ts'
import type { PartContext } from '../harness.ts'
import { chunkBytes } from './node-messages.ts'
import { NodeProcess } from './node-process.ts'

const settleMs = 300

/** One mailbox that went to a node which had nothing of it. */
export interface CopySample {
  /** From the dial until all is durable at the holder, and the two have compared what they hold. */
  readonly ms: number
  /** Bytes at the TCP socket, both ways, to bytes of the bodies. */
  readonly wireRatio: number
  /** CPU time for each item. */
  readonly homeUs: number
  readonly holderUs: number
}

/** Returns what copies one mailbox more of so many items, besides its two slots. `context.open` takes the nodes. */
export async function openCopying(
  context: PartContext,
): Promise<(items: number) => Promise<CopySample>> {
  const [home, holder] = await NodeProcess.pair(context)
  const usages = async () => ({ home: await home.usage(), holder: await holder.usage() })
  return async (items) => {
    await home.grow({ accounts: 1, chunks: items })
    const address = await home.join()
    await holder.join()
    // Both have been up for a while.
    await sleep(context.scheduler, settleMs, context.signal)
    const before = await usages()
    const startMs = context.clock.monotonicMs()
    await holder.dial(address)
    await holder.until(before.home.items)
    const ms = context.clock.monotonicMs() - startMs
    const after = await usages()
    for (const node of [holder, home]) await node.leave()
    return {
      ms,
      wireRatio: (after.holder.wireBytes - before.holder.wireBytes) / (items * chunkBytes),
      homeUs: (after.home.cpuUs - before.home.cpuUs) / items,
      holderUs: (after.holder.cpuUs - before.holder.cpuUs) / items,
    }
  }
}
