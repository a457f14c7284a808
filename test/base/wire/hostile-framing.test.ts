/** The decoders of values, frames and fixed layouts against tens of thousands of hostile inputs each. */

import t from 'tap'
import { concatBytes } from '../../../src/base/util/bytes.ts'
import { decode } from '../../../src/base/wire/codec.ts'
import { FrameDecoder } from '../../../src/base/wire/frame.ts'
import { hostileBytesMax } from '../../support/hostile.ts'
import { survive } from '../../support/survive.ts'
import {
  codecSample,
  frameSamples,
  layoutSamples,
  recordSamples,
} from '../../support/wire-samples.ts'

// A stack trace costs more than all else that a refusal does.
Error.stackTraceLimit = 0

t.test('msgpack values', async (t) => {
  const samples = [codecSample, ...recordSamples].filter(({ bytes }) => bytes.length < 400)
  survive(t, { name: 'values', seed: 1, samples: samples.map(({ bytes }) => bytes), decode })
})

t.test('frames', async (t) => {
  const frames = frameSamples.map(({ bytes }) => bytes)
  const stream = concatBytes(...frames)
  survive(t, {
    name: 'frames in one piece',
    seed: 2,
    samples: [stream, ...frames],
    decode: (input) => new FrameDecoder().push(input),
    // A frame costs its view of the chunk, and a chunk may be all frames.
    allocatedBytesMax: 24 * hostileBytesMax,
  })
  survive(t, {
    name: 'frames in pieces',
    seed: 3,
    samples: [stream],
    decode: (input) => {
      const decoder = new FrameDecoder()
      const step = 1 + (input.length >> 3)
      for (let at = 0; at < input.length; at += step) decoder.push(input.subarray(at, at + step))
    },
  })
})

/** The plain slots differ in one byte and are one decoder. */
const layouts = Map.groupBy(layoutSamples, ({ name }) => name.split(',')[0] ?? name)
let seed = 10
for (const [name, samples] of layouts) {
  const sampleSeed = seed++
  t.test(name, async (t) => {
    const [first] = samples
    if (!first) throw new Error('a group of none')
    survive(t, {
      name,
      seed: sampleSeed,
      samples: samples.map(({ bytes }) => bytes),
      decode: first.decode,
    })
  })
}
