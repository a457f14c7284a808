/** The decoders of messages and records against 100,000 hostile inputs each. */

import t from 'tap'
import { survive } from '../../support/survive.ts'
import {
  deliverSamples,
  pairSamples,
  recordCallSamples,
  recordSamples,
  syncSamples,
} from '../../support/wire-samples.ts'

// A stack trace costs more than all else that a refusal does.
Error.stackTraceLimit = 0

let seed = 30
for (const { name, bytes, decode } of [
  ...deliverSamples,
  ...recordSamples,
  ...recordCallSamples,
  ...syncSamples,
  ...pairSamples,
]) {
  const sampleSeed = seed++
  t.test(name, async (t) => {
    survive(t, { name, seed: sampleSeed, samples: [bytes], decode })
  })
}
