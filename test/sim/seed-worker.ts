/** Runs the seeds that it is sent, one at a time. @module */

import { parentPort } from 'node:worker_threads'
import { Simulator } from './simulate.ts'

const simulator = new Simulator()
parentPort?.on('message', (seed: number) => {
  void simulator.run({ seed }).then((report) => parentPort?.postMessage(report))
})
