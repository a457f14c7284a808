/** From a dial to the first byte, by QUIC and by TCP. @module */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { deliverProtocol } from '../../src/base/wire/protocols.ts'
import { openCaller } from '../deliver/senders.ts'
import type { Carrier } from '../deliver/server-messages.ts'
import { ServerProcess, type ServerAddress } from '../deliver/server-process.ts'
import type { Part, PartContext } from '../harness.ts'
import { median, runRounds, type Variant } from '../rounds.ts'
import { platform } from './node.ts'
import { hasQuic, withoutQuic } from './quic-here.ts'
import { timesOf, timesRatio } from './timing.ts'

const full = { warmUp: 15, rounds: 9, each: 5 }
const quick = { warmUp: 1, rounds: 2, each: 1 }
const budgetMs = 10_000

const compared = { name: 'dial-quic-vs-tcp', unit: 'ratio', target: null }

export const dial: Part = {
  name: 'dial',
  async run(context) {
    const { clock, signal } = context
    const { rounds } = context.quick ? quick : full
    const isThere = await hasQuic(context)
    const carriers: readonly Carrier[] = isThere ? ['tcp', 'quic'] : ['tcp']
    const variants: Variant<number[]>[] = []
    for (const carrier of carriers) variants.push(await dialling(context, carrier))
    const samples = await runRounds({ variants, rounds, budgetMs, clock, signal })

    const printed = (carrier: Carrier, note: string) => {
      const measure = { name: `dial-${carrier}`, unit: 'ms', target: null }
      if (!carriers.includes(carrier)) return withoutQuic(measure)
      return { ...measure, value: median(timesOf(samples, carrier)), note }
    }
    return [
      printed('tcp', 'median, new machine to another process: TCP, noise, yamux, stream, answer'),
      printed('quic', 'the same by QUIC'),
      isThere
        ? { ...compared, value: timesRatio(samples, 'quic', 'tcp'), note: 'of medians' }
        : withoutQuic(compared),
    ]
  },
}

async function dialling(context: PartContext, carrier: Carrier): Promise<Variant<number[]>> {
  const { warmUp, each } = context.quick ? quick : full
  const dir = join(context.scratchDir, carrier)
  await mkdir(dir, { mode: 0o700 })
  const init = { work: 'stream', carrier, dir, recipients: [], commitDelayMs: 0 } as const
  const { at } = await ServerProcess.start(init, context)
  const times = async (count: number) => {
    const timesMs: number[] = []
    for (let n = 0; n < count; n++) timesMs.push(await timeDial(context, at))
    return timesMs
  }
  return { name: carrier, warmUp: async () => times(warmUp), round: async () => times(each) }
}

/** ms until the answer to the first message of a connection has begun. */
async function timeDial(
  { clock, scheduler, signal }: PartContext,
  { peerId, address }: ServerAddress,
): Promise<number> {
  const caller = await openCaller({ platform, clock, scheduler })
  try {
    const startMs = clock.monotonicMs()
    const stream = await caller.open(peerId, deliverProtocol, { addresses: [address], signal })
    stream.send(new Uint8Array(1))
    for await (const _ of stream.batches()) return clock.monotonicMs() - startMs
    throw new Error('the server ended the stream')
  } finally {
    await caller.close()
  }
}
