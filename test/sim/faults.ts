/** What goes wrong in a run, and when: each seed draws some of the faults, and how hard they hit. @module */

import { crashSoon, failSync } from './crashes.ts'
import { faultKinds, type FaultKind } from './fault-counts.ts'
import { lieOfCopies, lieOfRecords } from './lies.ts'
import { lasting, times } from './occasions.ts'
import { loseHome } from './relocations.ts'
import type { SimNode } from './sim-node.ts'
import type { World } from './world.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** Plans one kind of fault within `durationMs` from now. */
type Planner = (world: World, durationMs: number) => void

/** How likely a seed has a fault. Those that cost data are rarer, so that the others are judged strictly. */
const likelihoods: Readonly<Record<FaultKind, number>> = {
  partition: 0.4,
  'one-way-partition': 0.3,
  reset: 0.4,
  drop: 0.3,
  duplicate: 0.4,
  reorder: 0.4,
  kill: 0.4,
  'power-cut': 0.5,
  'lost-write': 0,
  restart: 0.3,
  'slow-disk': 0.4,
  'failed-sync': 0.25,
  'bit-flip': 0.12,
  'snapshot-restored': 0.12,
  'clock-jump': 0.25,
  'lying-holder': 0.2,
  'lying-copy': 0.3,
  'lost-home': 0.3,
  'revived-home': 0,
}

/** The faults of a seed. */
export function drawFaults({ random }: World): ReadonlySet<FaultKind> {
  const drawn = new Set(faultKinds.filter((kind) => random.chance(likelihoods[kind])))
  // what the only copy withholds, nobody has
  if (drawn.has('lost-home')) drawn.delete('lying-copy')
  return drawn
}

function partition(world: World, ways: 'both' | 'one'): void {
  const { network, nodes, random, counts, timeline } = world
  const side = new Set(nodes.filter(() => random.chance(0.5)))
  const cuts: [SimNode, SimNode][] = []
  for (const a of nodes) {
    for (const b of nodes) {
      if (!side.has(a) || side.has(b)) continue
      cuts.push([a, b])
      if (ways === 'both') cuts.push([b, a])
    }
  }
  if (cuts.length === 0) return
  counts.count(ways === 'both' ? 'partition' : 'one-way-partition')
  for (const [a, b] of cuts) network.cut(a.peerId, b.peerId)
  timeline.after(lasting(world), 'mended', () => {
    for (const [a, b] of cuts) network.mend(a.peerId, b.peerId)
  })
}

function restore(world: World, durationMs: number): void {
  const { random, timeline, counts, nodes } = world
  const node = random.pick(nodes)
  const [first, then] = [random.between(0, durationMs), random.between(0, durationMs)].sort(
    (a, b) => a - b,
  ) as [number, number]
  timeline.after(first, `${node.name} is backed up`, () => {
    const image = node.disk.image()
    timeline.after(then - first, `${node.name} is put back`, () => {
      node.crash('power')
      node.disk.restore(image)
      node.losses.push(timeline.nowMs)
      counts.count('snapshot-restored')
      world.spawn(`start ${node.name}`, async () => world.start(node))
    })
  })
}

function flip(world: World): void {
  const { random, nodes, counts, timeline } = world
  const node = random.pick(nodes)
  for (let left = 1 + random.below(4); left > 0; left--) {
    const flipped = node.disk.flip()
    if (!flipped) continue
    counts.count('bit-flip')
    node.flips.push(flipped)
    node.losses.push(timeline.nowMs)
  }
}

function jump(world: World): void {
  const { random, nodes, counts, timeline } = world
  const { wall, name } = random.pick(nodes)
  const direction = random.chance(0.5) ? 1 : -1
  const jumpMs = random.pick([hour, 20 * hour, 2 * day, 40 * day, 3650 * day])
  wall.offsetMs = direction * jumpMs
  counts.count('clock-jump')
  timeline.after(lasting(world), `${name} has the time again`, () => (wall.offsetMs = 0))
}

const planners: Readonly<Record<FaultKind, Planner>> = {
  partition: (world, ms) => times(world, ms, 3, () => partition(world, 'both')),
  'one-way-partition': (world, ms) => times(world, ms, 3, () => partition(world, 'one')),
  reset: (world, ms) =>
    times(world, ms, 12, () => {
      if (world.network.reset()) world.counts.count('reset')
    }),
  drop: ({ network, random }) => {
    network.lossy = random.between(0.01, 0.15)
  },
  duplicate: (world, ms) =>
    times(world, ms, 8, () => {
      if (world.network.replay()) world.counts.count('duplicate')
    }),
  reorder: ({ network, random }) => {
    network.slow = random.between(0.1, 0.6)
  },
  kill: (world, ms) => times(world, ms, 4, () => crashSoon(world, 'kill')),
  'power-cut': (world, ms) => times(world, ms, 5, () => crashSoon(world, 'power')),
  'lost-write': () => undefined,
  restart: (world, ms) =>
    times(world, ms, 2, () => {
      const node = world.random.pick(world.nodes)
      if (!node.running) return
      world.counts.count('restart')
      world.spawn(`restart ${node.name}`, async () => {
        await node.stop()
        await world.start(node)
      })
    }),
  'slow-disk': (world, ms) =>
    times(world, ms, 3, () => {
      const { disk, name } = world.random.pick(world.nodes)
      disk.isSlow = true
      world.counts.count('slow-disk')
      world.timeline.after(lasting(world), `${name} is quick again`, () => (disk.isSlow = false))
    }),
  'failed-sync': (world, ms) => times(world, ms, 3, () => failSync(world)),
  'bit-flip': (world, ms) => times(world, ms, 2, () => flip(world)),
  'snapshot-restored': restore,
  'clock-jump': (world, ms) => times(world, ms, 3, () => jump(world)),
  'lying-holder': lieOfRecords,
  'lying-copy': lieOfCopies,
  'lost-home': loseHome,
  'revived-home': () => undefined,
}

/** Plans faults for the time from now on. */
export function planFaults(
  world: World,
  { faults, durationMs }: { faults: ReadonlySet<FaultKind>; durationMs: number },
): void {
  for (const kind of faults) planners[kind](world, durationMs)
}

/** Everything works again. What was lost is lost. */
export function endFaults({ network, nodes }: World): void {
  network.mendAll()
  network.lossy = 0
  network.slow = 0
  for (const node of nodes) {
    const { disk, wall } = node
    node.lies = undefined
    disk.onNextWrite = undefined
    disk.onNextMail = undefined
    disk.isSlow = false
    disk.isFailing = false
    wall.offsetMs = 0
  }
}
