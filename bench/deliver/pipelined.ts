/** Many messages in flight: what durability costs, and where the server's time goes. @module */

import { decodeDeliverRequest, encodeDeliverRequest } from '../../src/base/wire/deliver.ts'
import type { Measure, Part, PartContext } from '../harness.ts'
import type { Round, Rounds } from '../rounds.ts'
import type { Sample } from './rig.ts'
import { compare, nameOf, type Scene, type Shape } from './scene.ts'
import type { Post } from './sealing.ts'

/** Compares a host with one that stores nothing, under one shape of load. */
export function pipelined(scene: Scene, shape: Shape): Part {
  const name = nameOf(shape)
  return {
    name,
    async run(context) {
      const rounds = await compare(context, [
        await scene.rig(context, { work: 'unstored', shape }),
        await scene.rig(context, { work: 'durable', shape }),
      ])
      return [
        {
          name: `durable-rate-${name}`,
          value: rounds.median((round) => round('durable').perSecond),
          unit: 'messages/s',
          target: null,
          note: 'receipt after fsync; the load generator shares the cores',
        },
        {
          name: `durable-vs-unstored-${name}`,
          value: rounds.median((round) => round('durable').perSecond / round('unstored').perSecond),
          unit: 'ratio',
          target: { op: '>=', value: 0.75 },
          note: 'the same handler decodes, checks and signs, and stores nothing',
        },
        {
          name: `cpu-${name}`,
          value: rounds.median((round) => round('durable').cpuUs),
          unit: 'us/message',
          target: { op: '<=', value: 45 },
          note: 'CPU time of the server, all its threads',
        },
        ...shares(rounds, name, timeDecoding(await scene.post(context), context)),
      ]
    },
  }
}

interface Share {
  readonly name: string
  readonly us: (round: Round<Sample>) => number
  readonly how: string
}

function sharesOf(decodeUs: number): Share[] {
  const timed = 'timed around it in the main thread'
  return [
    { name: 'decode', us: () => decodeUs, how: 'timed alone, in a loop' },
    { name: 'checks', us: (round) => round('durable').steps.checks, how: timed },
    { name: 'receipts', us: (round) => round('durable').steps.receipts, how: timed },
    {
      name: 'store',
      us: (round) => round('durable').cpuUs - round('unstored').cpuUs,
      how: 'all, less a server that stores nothing; with the threads of the database',
    },
    {
      name: 'transport',
      us: (round) => {
        const { cpuUs, steps } = round('unstored')
        return cpuUs - decodeUs - steps.checks - steps.receipts
      },
      how: 'a server that stores nothing, less the above: sockets, noise, yamux, frames, garbage',
    },
  ]
}

function shares(rounds: Rounds<Sample>, shape: string, decodeUs: number): Measure[] {
  return sharesOf(decodeUs).map(({ name, us, how }) => ({
    name: `cpu-${shape}-${name}`,
    value: rounds.median(us),
    unit: 'us/message',
    target: null,
    note: how,
  }))
}

const timings = 21

/** The least time that decoding one request took, us: what is above it is the work of others. */
function timeDecoding({ parcels }: Post, { clock }: PartContext): number {
  const payloads = parcels
    .slice(0, 1000)
    .map((parcel, requestId) => encodeDeliverRequest({ requestId, ...parcel }))
  const timesMs = Array.from({ length: timings }, () => {
    const startMs = clock.monotonicMs()
    for (const payload of payloads) decodeDeliverRequest(payload)
    return clock.monotonicMs() - startMs
  })
  return (Math.min(...timesMs) * 1000) / payloads.length
}
