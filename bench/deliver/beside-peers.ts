/** What a household would run instead, on the same machine in the same rounds. @module */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../src/base/util/clock.ts'
import { processUsage } from '../child.ts'
import type { Measure, Part, PartContext } from '../harness.ts'
import { perSecond, runLoad } from '../load.ts'
import type { Peer, RunningPeer } from '../peers/peer.ts'
import type { Rounds, Variant } from '../rounds.ts'
import { noSteps } from './meter.ts'
import type { Sample } from './rig.ts'
import { compare, loadOf, type Scene } from './scene.ts'

const shape = { connections: 16, inFlight: 1 }
const textBytes = 1024

export function besidePeers(scene: Scene, peers: readonly Peer[]): Part {
  return {
    name: 'peers',
    async run(context) {
      const present = peers.filter((peer) => peer.missing() === undefined)
      const rig = await scene.rig(context, { work: 'durable', shape })
      const ours = { name: 'abzu', warmUp: () => rig.warmUp(), round: () => rig.round() }
      const variants: Variant<Sample>[] = [ours]
      for (const peer of present) variants.push(await variantOf(peer, scene, context))
      const rounds = await compare(context, variants)
      return [
        rate('abzu', rounds, '16 clients, depth 1; synced, sealed, noise'),
        ...peers.flatMap((peer) => measuresOf(peer, rounds)),
      ]
    },
  }
}

async function variantOf(
  peer: Peer,
  { platform }: Scene,
  context: PartContext,
): Promise<Variant<Sample>> {
  const dir = join(context.scratchDir, peer.name)
  await mkdir(dir, { mode: 0o700 })
  const running = await peer.start({ ...context, dir, clients: shape.connections })
  const text = Buffer.from(platform.random((textBytes / 4) * 3)).toString('base64')
  const { warmUpMs, roundMs } = loadOf(context)
  return {
    name: peer.name,
    warmUp: () => load(running, text, { durationMs: warmUpMs, clock: context.clock }),
    round: () => load(running, text, { durationMs: roundMs, clock: context.clock }),
  }
}

async function load(
  { pid, senders }: RunningPeer,
  text: string,
  { durationMs, clock }: { durationMs: number; clock: Clock },
): Promise<Sample> {
  const before = processUsage(pid)
  const { inFlight } = shape
  const result = await runLoad({ senders, inFlight, messages: repeat(text), durationMs, clock })
  const cpuUs = (processUsage(pid).cpuUs - before.cpuUs) / result.messages
  return { perSecond: perSecond(result), medianMs: result.medianMs, cpuUs, steps: noSteps }
}

function* repeat<T>(value: T): Generator<T> {
  for (;;) yield value
}

function measuresOf(peer: Peer, rounds: Rounds<Sample>): Measure[] {
  const missing = peer.missing()
  const name = `abzu-vs-${peer.name}`
  if (missing !== undefined) {
    return [{ name, value: null, unit: 'ratio', target: null, note: `skipped: ${missing}` }]
  }
  return [
    rate(peer.name, rounds, peer.promise),
    {
      name,
      value: rounds.median((round) => round('abzu').perSecond / round(peer.name).perSecond),
      unit: 'ratio',
      target: null,
    },
  ]
}

function rate(name: string, rounds: Rounds<Sample>, promise: string): Measure {
  const value = rounds.median((round) => round(name).perSecond)
  const cpuUs = rounds.median((round) => round(name).cpuUs).toFixed(0)
  const medianMs = rounds.median((round) => round(name).medianMs).toFixed(2)
  const note = `${promise}; median ${medianMs} ms, server CPU ${cpuUs} us/message`
  return { name: `rate-${name}`, value, unit: 'messages/s', target: null, note }
}
