/** A daemon that has nothing to do but to know others. @module */

import { sleep } from '../../src/base/util/wait.ts'
import { processUsage } from '../child.ts'
import { startDaemon } from '../daemon.ts'
import type { Part, PartContext } from '../harness.ts'
import { startNode, until, type MeshNode } from './node.ts'

const peersCount = 20
/** The watch begins when the looks around that follow a start have become rare: their pauses grow threefold from
 *  1 s to ten minutes, and one takes a tenth of a second of CPU. */
const full = { settleMs: 30_000, watchMs: 60_000 }
const quick = { settleMs: 500, watchMs: 2000 }
const mebibyte = 2 ** 20

export const idle: Part = {
  name: 'idle',
  async run(context) {
    const { signal } = context
    const { settleMs, watchMs } = context.quick ? quick : full
    const daemon = await startDaemon(context, ['--quic', '127.0.0.1:0'])
    const peers: MeshNode[] = []
    for (let n = 0; n < peersCount; n++) {
      const peer = await startNode(context, { holds: true })
      await peer.transport.connect(daemon.addresses, signal)
      peers.push(peer)
    }
    const isAmongThem = async () =>
      peers.every(({ transport }) => transport.isConnected(daemon.peerId))
    await until(context, 'the peers', isAmongThem)
    const settling = await watchCpu(context, daemon.pid, settleMs)
    const settled = await watchCpu(context, daemon.pid, watchMs)
    if (!(await isAmongThem())) throw new Error('the daemon has lost peers')
    const how = `${peersCount} peers connected, one unlocked account`
    return [
      {
        name: 'idle-peers-resident',
        value: processUsage(daemon.pid).residentBytes / mebibyte,
        unit: 'MB',
        target: { op: '<=', value: 170 },
        note: how,
      },
      {
        name: 'idle-peers-cpu',
        value: settled,
        unit: '%',
        target: { op: '<=', value: 1 },
        note: `of one core over ${watchMs / 1000} s; ${how}`,
      },
      {
        name: 'idle-peers-cpu-settling',
        value: settling,
        unit: '%',
        target: null,
        note: `the ${settleMs / 1000} s before, with the looks around that follow a start`,
      },
    ]
  },
}

/** CPU time that a process takes from now on, % of one core. */
async function watchCpu(
  { scheduler, clock, signal }: PartContext,
  pid: number,
  watchMs: number,
): Promise<number> {
  const startMs = clock.monotonicMs()
  const before = processUsage(pid).cpuUs
  await sleep(scheduler, watchMs, signal)
  const elapsedUs = (clock.monotonicMs() - startMs) * 1000
  return (100 * (processUsage(pid).cpuUs - before)) / elapsedUs
}
