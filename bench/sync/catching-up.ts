/** What a copy costs that is nearly or wholly up to date. @module */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Measure, Part, PartContext } from '../harness.ts'
import { median } from '../rounds.ts'
import { chunkBytes } from './node-messages.ts'
import { NodeProcess } from './node-process.ts'

const added = 10
/** `tries`: the mesh says something now and then, too, which the median leaves out. */
const full = { fewItems: 10_000, manyItems: 100_000, manyMailboxes: 1000, tries: 3 }
const quick = { fewItems: 100, manyItems: 400, manyMailboxes: 20, tries: 1 }
const kilobyte = 1000

/** Ten items that come to a mailbox while its two nodes are connected. */
export const tenNew: Part = {
  name: 'ten-new',
  async run(context) {
    const { fewItems, manyItems } = context.quick ? quick : full
    const [home, holder] = await NodeProcess.pair(context)
    await home.grow({ accounts: 1, chunks: fewItems })
    await meet(home, holder)
    const few = await growth(context, home, holder)
    await home.grow({ accounts: 0, chunks: manyItems - fewItems - added })
    await level(home, holder)
    const many = await growth(context, home, holder)
    const payload = added * chunkBytes
    const measure = ({ bytes, ms }: Growth, before: number): Measure => ({
      name: `ten-new-after-${before}`,
      value: (bytes - kilobyte) / payload,
      unit: 'ratio',
      target: { op: '<=', value: 1.2 },
      note: `of all bytes at the socket but 1 KB to bytes of bodies; ${bytes} bytes, ${ms.toFixed(1)} ms`,
    })
    return [
      measure(few, fewItems),
      measure(many, manyItems),
      {
        name: 'ten-new-many-vs-few',
        value: Math.max(many.bytes / few.bytes, few.bytes / many.bytes),
        unit: 'ratio',
        target: { op: '<=', value: 1.1 },
      },
    ]
  },
}

interface Growth {
  readonly bytes: number
  /** From the order to take them in to their being durable at the other node. */
  readonly ms: number
}

async function growth(
  { clock, quick: isQuick }: PartContext,
  home: NodeProcess,
  holder: NodeProcess,
): Promise<Growth> {
  const { tries } = isQuick ? quick : full
  const growths: Growth[] = []
  for (let n = 0; n < tries; n++) {
    const before = await holder.quietBytes()
    const startMs = clock.monotonicMs()
    await home.grow({ accounts: 0, chunks: added })
    await level(home, holder)
    const ms = clock.monotonicMs() - startMs
    growths.push({ ms, bytes: (await holder.quietBytes()) - before })
  }
  const middle = (figure: (growth: Growth) => number) => median(growths.map(figure))
  return { bytes: middle(({ bytes }) => bytes), ms: middle(({ ms }) => ms) }
}

/** A node asks another one over a connection that they have, and nothing has come since it did so last. */
export const nothingNew: Part = {
  name: 'nothing-new',
  async run(context) {
    const { manyMailboxes } = context.quick ? quick : full
    return [...(await asking(context, 1)), ...(await asking(context, manyMailboxes))]
  },
}

async function asking(context: PartContext, mailboxes: number): Promise<Measure[]> {
  const { scratchDir } = context
  const { tries } = context.quick ? quick : full
  const dir = join(scratchDir, String(mailboxes))
  await mkdir(dir, { mode: 0o700 })
  const nodes = await NodeProcess.pair({ ...context, scratchDir: dir })
  const [home, holder] = nodes
  await home.grow({ accounts: mailboxes, chunks: 1 })
  await meet(home, holder)
  const { items } = await home.usage()
  const bytes = async (askers: readonly NodeProcess[]) => {
    const all: number[] = []
    for (let n = 0; n < tries; n++) {
      await holder.quietBytes()
      for (const node of askers) await node.pause()
      const before = await holder.quietBytes()
      for (const node of askers) await node.resume()
      for (const node of askers) await node.until(items)
      all.push((await holder.quietBytes()) - before)
    }
    return median(all)
  }
  const [one, both] = [await bytes([holder]), await bytes(nodes)]
  for (const node of nodes) await node.stop()
  const measure = { name: `nothing-new-${mailboxes}`, unit: 'bytes' }
  const how = `${mailboxes} mailboxes, at the socket, both ways, with the new stream`
  return [
    { ...measure, value: one, target: { op: '<=', value: kilobyte }, note: `one asks; ${how}` },
    { ...measure, name: `${measure.name}-both`, value: both, target: null, note: `both ask` },
  ]
}

/** Resolves when both have everything, and are connected from now on. */
async function meet(home: NodeProcess, holder: NodeProcess): Promise<void> {
  const address = await home.join()
  await holder.join()
  await holder.dial(address)
  await level(home, holder)
}

async function level(home: NodeProcess, holder: NodeProcess): Promise<void> {
  await NodeProcess.level(home, holder, (await home.usage()).items)
}
