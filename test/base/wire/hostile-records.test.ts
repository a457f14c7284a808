/** The decoders of messages and records against tens of thousands of hostile inputs each. */

import t from 'tap'
import { survive } from '../../support/survive.ts'
import {
  deliverSamples,
  moveSamples,
  pairSamples,
  recordCallSamples,
  recordSamples,
  syncSamples,
} from '../../support/wire-samples.ts'

// A stack trace costs more than all else that a refusal does.
Error.stackTraceLimit = 0

/** Samples of one decoder are mixed. */
const byDecoder = Map.groupBy(
  [
    ...deliverSamples,
    ...recordSamples,
    ...recordCallSamples,
    ...syncSamples,
    ...pairSamples,
    ...moveSamples,
  ],
  ({ decode }) => decode,
)

let seed = 30
for (const [decode, all] of byDecoder) {
  const sampleSeed = seed
  seed += all.length
  const name = all.map((sample) => sample.name).join(', ')
  t.test(name, async (t) => {
    survive(t, { name, seed: sampleSeed, samples: all.map(({ bytes }) => bytes), decode })
  })
}
