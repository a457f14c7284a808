import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

/** Twice: the memory of byte arrays is given back a collection later. */
function collect(): void {
  gc()
  gc()
}

function usedBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** Bytes that stay in use after `work` for as long as its result is held. */
export function retainedBytes(work: () => unknown): number {
  collect()
  const before = usedBytes()
  const result = work()
  collect()
  const retained = usedBytes() - before
  // Keeps the result from being collected earlier.
  return result === collect ? 0 : retained
}

/** Bytes that `work` allocates each time, garbage included: the average of some runs without a collection in
 *  between. */
export function allocatedBytes(work: () => unknown, runs = 8): number {
  collect()
  const results: unknown[] = []
  const before = usedBytes()
  for (let i = 0; i < runs; i++) results.push(work())
  return (usedBytes() - before) / results.length
}

/** Bytes in use after a collection. */
export function heldBytes(): number {
  collect()
  return usedBytes()
}
