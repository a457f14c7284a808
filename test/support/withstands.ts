/** Runs a decoder over hostile inputs: each gives a value or a typed error, soon, and leaves nothing behind. @module */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Test } from 'tap'
import { isAbzuError, type ErrorCode } from '../../src/base/util/errors.ts'
import { hostileInputs } from './hostile.ts'

export interface Onslaught {
  /** What the decoder takes, to be changed. */
  readonly samples: readonly Uint8Array[]
  readonly seed: number
  readonly count: number
  /** The only errors that the decoder may give. */
  readonly codes: readonly ErrorCode[]
}

/** Longest time for one input. The slowest is tried again, so that a busy machine does not count. */
const inputMsMax = 5
/** Heap that may be in use afterwards on top of what was before. */
const retainedBytesMax = 8 * 1024 * 1024

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

function heapBytes(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

/** Counts by outcome: `value`, or the code of the error. */
export async function withstands(
  t: Pick<Test, 'equal' | 'ok' | 'same'>,
  decode: (input: Uint8Array) => unknown,
  { samples, seed, count, codes }: Onslaught,
): Promise<ReadonlyMap<string, number>> {
  const outcomes = new Map<string, number>()
  let slowest: { ms: number; input: Uint8Array } = { ms: 0, input: new Uint8Array() }
  const before = heapBytes()
  const { stackTraceLimit } = Error
  // stacks would take most of the time
  Error.stackTraceLimit = 0
  for (const input of hostileInputs(seed, samples, count)) {
    const startMs = performance.now()
    const settling = outcomeOf(decode, input)
    // a promise for each of so many inputs costs more than most decoders
    const outcome = typeof settling === 'string' ? settling : await settling
    const ms = performance.now() - startMs
    if (ms > slowest.ms) slowest = { ms, input }
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  }
  Error.stackTraceLimit = stackTraceLimit
  const retained = heapBytes() - before
  const allowed = new Set<string>(['value', ...codes])
  t.same(
    [...outcomes.keys()].filter((outcome) => !allowed.has(outcome)),
    [],
    'a value or a typed error',
  )
  t.equal(
    [...outcomes.values()].reduce((sum, times) => sum + times, 0),
    count,
    `${count} inputs: ${[...outcomes].map(([outcome, times]) => `${times} ${outcome}`).join(', ')}`,
  )
  const slowestMs = await leastMs(decode, slowest.input)
  t.ok(slowestMs < inputMsMax, `the slowest takes ${slowestMs.toFixed(2)} ms`)
  t.ok(retained < retainedBytesMax, `${Math.round(retained / 1024)} KiB are retained`)
  return outcomes
}

function outcomeOf(
  decode: (input: Uint8Array) => unknown,
  input: Uint8Array,
): string | Promise<string> {
  try {
    const value = decode(input)
    return value instanceof Promise ? value.then(() => 'value', outcomeOfError) : 'value'
  } catch (error) {
    return outcomeOfError(error)
  }
}

function outcomeOfError(error: unknown): string {
  return isAbzuError(error) ? error.code : `untyped: ${String(error)}`
}

async function leastMs(decode: (input: Uint8Array) => unknown, input: Uint8Array): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < 50; i++) {
    const startMs = performance.now()
    await outcomeOf(decode, input)
    least = Math.min(least, performance.now() - startMs)
  }
  return least
}
