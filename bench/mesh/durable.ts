/** The rate of durable delivery over QUIC beside that over TCP. @module */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Rig, type Sample } from '../deliver/rig.ts'
import { sealPost, type Post } from '../deliver/sealing.ts'
import type { Carrier } from '../deliver/server-messages.ts'
import type { Part, PartContext } from '../harness.ts'
import { runRounds, type Variant } from '../rounds.ts'
import { platform } from './node.ts'
import { hasQuic, withoutQuic } from './quic-here.ts'

const full = { letters: 16_000, warmUpMs: 2500, rounds: 7, roundMs: 400 }
const quick = { letters: 800, warmUpMs: 50, rounds: 2, roundMs: 60 }
const connections = 1
const inFlight = 256
const budgetMs = 10_000

const rates = {
  tcp: { name: 'durable-rate-tcp', unit: 'messages/s', target: null },
  quic: { name: 'durable-rate-quic', unit: 'messages/s', target: null },
} as const
const compared = {
  name: 'durable-quic-vs-tcp',
  unit: 'ratio',
  target: { op: '>=', value: 0.5 },
} as const

export const durable: Part = {
  name: 'durable',
  async run(context) {
    const { clock, signal } = context
    if (!(await hasQuic(context))) return [rates.quic, compared].map(withoutQuic)
    const { letters, rounds } = context.quick ? quick : full
    const post = await sealPost(platform, context, letters)
    const variants = [await over(context, 'tcp', post), await over(context, 'quic', post)]
    const samples = await runRounds({ variants, rounds, budgetMs, clock, signal })
    const printed = (carrier: Carrier) => {
      const value = samples.median((round) => round(carrier).perSecond)
      const cpuUs = samples.median((round) => round(carrier).cpuUs).toFixed(0)
      const note = `receipt after fsync; server CPU ${cpuUs} us/message`
      return { ...rates[carrier], value, note }
    }
    return [
      printed('tcp'),
      printed('quic'),
      {
        ...compared,
        value: samples.median((round) => round('quic').perSecond / round('tcp').perSecond),
        note: `${connections} connection, ${inFlight} messages in flight`,
      },
    ]
  },
}

async function over(context: PartContext, carrier: Carrier, post: Post): Promise<Variant<Sample>> {
  const { letters, warmUpMs, rounds, roundMs } = context.quick ? quick : full
  const dir = join(context.scratchDir, carrier)
  await mkdir(dir, { mode: 0o700 })
  const load = { inFlight, warmUpMs, roundMs, roundMessagesMax: Math.floor(letters / rounds) }
  const init = { work: 'durable', carrier, connections, dir, post, load } as const
  const rig = await Rig.start({ ...context, platform }, init)
  return { name: carrier, warmUp: () => rig.warmUp(), round: () => rig.round() }
}
