/** Runs the seeds that it is sent, one at a time. @module */

import { parentPort, workerData } from 'node:worker_threads'
import { Simulator } from './simulate.ts'

// errors are part of life here, and most are looked at by their code alone
const { hasStacks } = workerData as { readonly hasStacks: boolean }
Error.stackTraceLimit = hasStacks ? 10 : 0

const simulator = new Simulator()
parentPort?.on('message', (seed: number) => {
  void simulator.run({ seed }).then((report) => parentPort?.postMessage(report))
})
