/**
 * Holds a decoder against hostile inputs (invariant I32): it returns or throws an AbzuError, in time and memory
 * that the length of the input bounds.
 * @module
 */

import type { Test } from 'tap'
import { toHex } from '../../src/base/util/bytes.ts'
import { isAbzuError } from '../../src/base/util/errors.ts'
import { hostileInputsEach } from './hostile-count.ts'
import { hostileBytesMax, hostileInputs } from './hostile.ts'
import { allocatedBytes } from './memory.ts'

/** For one input of 64 KiB at most. */
const decodeMsMax = 5
/** Large inputs that are decoded again, one by one, to measure memory. */
const probesMax = 8

export interface SurvivalInit {
  readonly name: string
  readonly seed: number
  readonly samples: readonly Uint8Array[]
  readonly count?: number
  readonly decode: (input: Uint8Array) => unknown
  /** What decoding one input may allocate, result and garbage, however small it is. */
  readonly allocatedBytesMax?: number
}

interface Slow {
  readonly input: Uint8Array
  tookMs: number
}

/** Whether `decode` was content. @throws what is no AbzuError */
function attempt(decode: SurvivalInit['decode'], input: Uint8Array): boolean {
  try {
    decode(input)
    return true
  } catch (error) {
    if (!isAbzuError(error)) throw error
    return false
  }
}

function durationMs(decode: SurvivalInit['decode'], input: Uint8Array): number {
  const startedAt = performance.now()
  attempt(decode, input)
  return performance.now() - startedAt
}

/** Runs `hostileInputsEach` inputs through `decode`, or `count`, and states how it fared as assertions of `t`. */
export function survive(t: Test, init: SurvivalInit): void {
  const { name, seed, samples, decode } = init
  const { count = hostileInputsEach, allocatedBytesMax = 4 * hostileBytesMax } = init
  let accepted = 0
  let refused = 0
  let slowest: Slow[] = []
  const probes: Uint8Array[] = []
  for (const input of hostileInputs(seed, samples, count)) {
    const startedAt = performance.now()
    try {
      if (attempt(decode, input)) accepted++
      else refused++
    } catch (error) {
      const shown = toHex(input.subarray(0, 200))
      t.fail(`${name}, seed ${seed}: ${String(error)} for ${input.length} bytes ${shown}`)
      return
    }
    const tookMs = performance.now() - startedAt
    if (tookMs > decodeMsMax / 5) slowest.push({ input, tookMs })
    if (slowest.length > 100) slowest = slowest.toSorted((a, b) => b.tookMs - a.tookMs).slice(0, 20)
    if (input.length > 2000 && probes.length < probesMax) probes.push(input)
  }
  t.equal(accepted + refused, count, `${name}: ${accepted} accepted, ${refused} refused`)
  t.ok(refused > count / 10, `${name}: the inputs are hostile`)

  // Once more for each slow one: what was a collection of garbage or another process is not slow again.
  for (const slow of slowest) {
    for (let i = 0; i < 5; i++) slow.tookMs = Math.min(slow.tookMs, durationMs(decode, slow.input))
  }
  const tookMs = Math.max(0, ...slowest.map((slow) => slow.tookMs))
  t.ok(tookMs < decodeMsMax, `${name}: ${tookMs.toFixed(2)} ms at most`)

  const allocated = [...samples.slice(0, 4), ...probes].map((probe) => {
    // up to three times: what the compiler allocates beside it is not the decoder's
    let least = Infinity
    for (let tries = 3; tries > 0 && least >= allocatedBytesMax; tries--) {
      least = Math.min(
        least,
        allocatedBytes(() => attempt(decode, probe)),
      )
    }
    return least
  })
  const most = Math.round(Math.max(...allocated))
  t.ok(most < allocatedBytesMax, `${name}: ${most} bytes allocated at most`)
}
