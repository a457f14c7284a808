/** A daemon that has nothing to do: what it holds, and how long it takes to get there. @module */

import { sleep } from '../../src/base/util/wait.ts'
import { processUsage } from '../child.ts'
import { startDaemon } from '../daemon.ts'
import type { Part } from '../harness.ts'

/** Until what a start leaves behind has been collected. */
const settleMs = 5000
const mebibyte = 2 ** 20

export const idle: Part = {
  name: 'idle',
  async run(context) {
    const { pid, readyMs } = await startDaemon(context)
    await sleep(context.scheduler, context.quick ? 500 : settleMs, context.signal)
    return [
      {
        name: 'idle-resident',
        value: processUsage(pid).residentBytes / mebibyte,
        unit: 'MB',
        target: { op: '<=', value: 150 },
        note: 'one unlocked account, no connection; code compiled, as after npm ci',
      },
      {
        name: 'start-to-ready',
        value: readyMs,
        unit: 'ms',
        target: null,
        note: 'from the start of the process to its ready line, in an empty home',
      },
    ]
  },
}
