/** Copies that lost something that no cursor speaks of, beside a comparison of all ids. @module */

import type { Part, PartContext } from '../harness.ts'
import { runRounds } from '../rounds.ts'
import { NodeProcess } from './node-process.ts'

/** A million ids take most of a benchmark's time: to store them, and to offer them all. */
const full = { chunks: 1_000_000, rounds: 3 }
const quick = { chunks: 2000, rounds: 1 }
const lostAtEach = 100
const budgetMs = 10_000
const megabyte = 1e6

interface Sample {
  /** Until both nodes have everything. */
  readonly ms: number
  readonly wireBytes: number
}

/** 200 differences between two copies of a mailbox, 100 of them lacking at each node. */
export const repair: Part = {
  name: 'repair',
  async run(context) {
    const { chunks, rounds } = context.quick ? quick : full
    const nodes = await pairWith(context, chunks)
    const lose = loser(nodes)
    const round = (compare: typeof compareAll) => async () => {
      await lose()
      return compare(context, nodes)
    }
    const [all, repairs] = [round(compareAll), round(repairBoth)]
    const variants = [
      // Each has been offered all ids once.
      { name: 'all-ids', warmUp: async () => {}, round: all },
      { name: 'repair', warmUp: repairs, round: repairs },
    ]
    const samples = await runRounds({ ...context, variants, rounds, budgetMs })
    const figures = (name: string) => {
      const ms = samples.median((round) => round(name).ms)
      const megabytes = samples.median((round) => round(name).wireBytes) / megabyte
      return { ms, megabytes }
    }
    const [compared, repaired] = [figures('all-ids'), figures('repair')]
    const note = `${2 * lostAtEach} differences among ${chunks} ids; ${samples.count} rounds`
    return [
      {
        name: 'repair-wire',
        value: repaired.megabytes,
        unit: 'MB',
        target: { op: '<=', value: 0.5 },
        note: `${note}; both repairs, at the socket, both ways; all ids: ${compared.megabytes.toFixed(2)} MB`,
      },
      {
        name: 'repair-vs-all-ids',
        value: samples.median((round) => round('repair').ms / round('all-ids').ms),
        unit: 'ratio',
        target: { op: '<=', value: 0.2 },
        note: `until both have all, one after the other; to being offered all ids, as with an empty cursor; without the 2 s of patience; ${repaired.ms.toFixed(0)} ms to ${compared.ms.toFixed(0)} ms`,
      },
    ]
  },
}

type Pair = readonly [NodeProcess, NodeProcess]

/** Chunks that the two have in common, connected; neither pulls of itself. */
async function pairWith(context: PartContext, chunks: number): Promise<Pair> {
  const nodes = await NodeProcess.pair(context)
  const [home, holder] = nodes
  await home.grow({ accounts: 1, chunks: 0 })
  const address = await home.join()
  await holder.join()
  await holder.dial(address)
  await NodeProcess.level(home, holder, (await home.usage()).items)
  for (const node of nodes) await node.pause()
  await Promise.all(nodes.map(async (node) => node.put(chunks)))
  // Their cursors speak of all of it from now on.
  for (const node of nodes) {
    await node.pull({ isAnew: false })
    await node.endPull()
  }
  return nodes
}

/** Each loses others than anyone before. */
function loser(nodes: Pair): () => Promise<void> {
  let from = 0
  return async () => {
    for (const node of nodes) {
      await node.lose({ from, count: lostAtEach })
      from += lostAtEach
    }
  }
}

async function compareAll(context: PartContext, nodes: Pair): Promise<Sample> {
  return inTurn(context, nodes, {
    begin: async () => {},
    run: async (node) => node.pull({ isAnew: true }),
  })
}

async function repairBoth(context: PartContext, nodes: Pair): Promise<Sample> {
  return inTurn(context, nodes, {
    begin: async (node) => node.pull({ isAnew: false }),
    run: async (node) => {
      const items = await node.repair()
      if (items !== lostAtEach) throw new Error(`${items} were found lacking`)
    },
  })
}

interface Step {
  readonly begin: (node: NodeProcess) => Promise<void>
  /** Is measured. */
  readonly run: (node: NodeProcess) => Promise<void>
}

async function inTurn({ clock }: PartContext, nodes: Pair, step: Step): Promise<Sample> {
  let [ms, wireBytes] = [0, 0]
  for (const node of nodes) {
    await step.begin(node)
    const before = await node.quietBytes()
    const startMs = clock.monotonicMs()
    await step.run(node)
    ms += clock.monotonicMs() - startMs
    wireBytes += (await node.quietBytes()) - before
    await node.endPull()
  }
  const [one, other] = [await nodes[0].usage(), await nodes[1].usage()]
  if (one.items !== other.items) throw new Error('something is still lacking')
  return { ms, wireBytes }
}
