/** One message at a time: how far from what the wire and the disk take at least. @module */

import { open as openFile } from 'node:fs/promises'
import { fdatasyncSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Part, PartContext } from '../harness.ts'
import { median, type Variant } from '../rounds.ts'
import { compare, type Scene } from './scene.ts'

interface Latency {
  readonly medianMs: number
}

const alone = { connections: 1, inFlight: 1 }
const syncsPerRound = 100

export function oneAtATime(scene: Scene): Part {
  return {
    name: 'one-at-a-time',
    async run(context) {
      const letter = (await scene.post(context)).parcels[0]?.envelope ?? new Uint8Array(1024)
      const rounds = await compare<Latency>(context, [
        await scene.rig(context, { work: 'durable', shape: alone }),
        await scene.rig(context, { work: 'stream', shape: alone }),
        await syncs(context, letter),
      ])
      const printed = (name: string, variant: string, note: string) => ({
        name,
        value: rounds.median((round) => round(variant).medianMs),
        unit: 'ms',
        target: null,
        note,
      })
      return [
        {
          name: 'single-vs-floor',
          value: rounds.median(
            (round) =>
              round('durable').medianMs / (round('stream').medianMs + round('sync').medianMs),
          ),
          unit: 'ratio',
          target: { op: '<=', value: 2.5 },
          note: 'median against a round trip on the raw stream and one fdatasync',
        },
        printed('single-durable', 'durable', 'from send to verified receipt, median'),
        printed('single-round-trip', 'stream', 'the same bytes, answered at once, median'),
        printed('single-fdatasync', 'sync', 'of one letter appended to a file, median'),
      ]
    },
  }
}

/** Appends a letter to a file and times only the sync that follows. */
async function syncs(
  { scratchDir, clock, open }: PartContext,
  letter: Uint8Array,
): Promise<Variant<Latency>> {
  const file = await openFile(join(scratchDir, 'syncs'), 'a', 0o600)
  open.add({ close: () => file.close() })
  const round = async () => {
    const timesMs = Array.from({ length: syncsPerRound }, () => {
      writeSync(file.fd, letter)
      const startMs = clock.monotonicMs()
      fdatasyncSync(file.fd)
      return clock.monotonicMs() - startMs
    })
    return { medianMs: median(timesMs) }
  }
  return { name: 'sync', warmUp: round, round }
}
