/** A mailbox on its way to a node that has nothing of it, beside redis and rsync. @module */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Measure, Part, PartContext } from '../harness.ts'
import type { CopierKind } from '../peers/copier.ts'
import { redisReplica } from '../peers/redis-replica.ts'
import { rsync } from '../peers/rsync.ts'
import { median, runRounds, type Rounds, type Variant } from '../rounds.ts'
import { openCopying, type CopySample } from './copying.ts'
import { chunkBytes } from './node-messages.ts'

const full = { items: 10_000, warmUp: 4 }
const quick = { items: 300, warmUp: 1 }
/** One that compares by looking at each has fewer to look at: a sync for each takes its time. */
const fewItems = 1000
const budgetMs = 12_000

interface Rival {
  readonly kind: CopierKind
  readonly rounds: number
  readonly itemsMax?: number
  /** We are to take so many times as long at most; undefined where that is only printed. */
  readonly factorMax?: number
}

const rivals: readonly Rival[] = [
  { kind: redisReplica, rounds: 9, factorMax: 2 },
  { kind: rsync, rounds: 3, itemsMax: fewItems },
]

/** What a round takes, whoever copies. */
type Timed = Pick<CopySample, 'ms'>

export const firstCopy: Part = {
  name: 'first-copy',
  async run(context) {
    const { items, warmUp } = context.quick ? quick : full
    const copy = await openCopying(context)
    for (let n = 0; n < warmUp; n++) await copy(items)
    const samples: CopySample[] = []
    const besides: Measure[] = []
    for (const rival of rivals) {
      const count = Math.min(items, rival.itemsMax ?? items)
      const round = async () => {
        const sample = await copy(count)
        if (count === items) samples.push(sample)
        return sample
      }
      besides.push(...(await compare(context, round, { ...rival, items: count })))
    }
    if (samples.length === 0) samples.push(await copy(items))
    return [...own(samples, items), ...besides]
  },
}

function own(samples: readonly CopySample[], items: number): Measure[] {
  const middle = (figure: (sample: CopySample) => number) => median(samples.map(figure))
  const home = middle(({ homeUs }) => homeUs).toFixed(0)
  const holder = middle(({ holderUs }) => holderUs).toFixed(0)
  return [
    {
      name: 'first-copy-abzu',
      value: middle(({ ms }) => ms),
      unit: 'ms',
      target: null,
      note: `${items} chunks of 1 KiB, from the dial to fsync; CPU us/item: home ${home}, holder ${holder}`,
    },
    {
      name: 'first-copy-wire',
      value: middle(({ wireRatio }) => wireRatio),
      unit: 'ratio',
      target: { op: '<=', value: 1.08 },
      note: 'bytes at the TCP socket, both ways, to bytes of the bodies',
    },
  ]
}

async function compare(
  context: PartContext,
  ours: () => Promise<Timed>,
  { kind, rounds, factorMax, items }: Rival & { items: number },
): Promise<Measure[]> {
  const { name, promise } = kind
  const target = factorMax === undefined ? null : ({ op: '<=', value: factorMax } as const)
  const ratio = { name: `first-copy-vs-${name}`, unit: 'ratio', target }
  const missing = kind.missing()
  if (missing !== undefined) return [{ ...ratio, value: null, note: `skipped: ${missing}` }]
  const warmUp = async () => {}
  const variants = [{ name: 'abzu', warmUp, round: ours }, await theirs(kind, context, items)]
  const { clock, signal } = context
  const samples: Rounds<Timed> = await runRounds({ variants, rounds, budgetMs, clock, signal })
  const times = {
    name: `first-copy-${name}`,
    unit: 'ms',
    target: null,
    note: `${items} items; ${promise}`,
  }
  return [
    { ...times, value: samples.median((round) => round(name).ms) },
    { ...ratio, value: samples.median((round) => round('abzu').ms / round(name).ms) },
  ]
}

/** Is not warmed up: nothing of it is compiled as it runs. */
async function theirs(
  kind: CopierKind,
  context: PartContext,
  items: number,
): Promise<Variant<Timed>> {
  const dir = join(context.scratchDir, kind.name)
  await mkdir(dir, { mode: 0o700 })
  const copier = await kind.start({ ...context, dir, items, itemBytes: chunkBytes })
  const round = async (): Promise<Timed> => {
    await copier.clear()
    const startMs = context.clock.monotonicMs()
    await copier.copy()
    return { ms: context.clock.monotonicMs() - startMs }
  }
  return { name: kind.name, warmUp: async () => {}, round }
}
