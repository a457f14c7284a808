/** How nodes end in ways that nobody chose, and come back. @module */

import { lasting } from './occasions.ts'
import type { CrashKind } from './sim-disk.ts'
import type { SimNode } from './sim-node.ts'
import type { World } from './world.ts'

/** Crashes a node: at once, or in the middle of a write, where most can go wrong: one of those to come, or of those
 *  that follow when mail comes in. */
export function crashSoon(world: World, kind: CrashKind): void {
  const { random, timeline, nodes } = world
  const node = random.pick(nodes)
  const { disk } = node
  let writes = 1 + random.below(5)
  const wait = (): void => {
    if (--writes > 0) disk.onNextWrite = wait
    else timeline.after(random.between(0, 8), 'fault', () => crash(world, node, kind))
  }
  const when = random.pick(['now', 'at-write', 'at-mail', 'at-mail'])
  if (when === 'now') crash(world, node, kind)
  else if (when === 'at-write') disk.onNextWrite = wait
  else disk.onNextMail = () => void (disk.onNextWrite = wait)
}

export function crash(world: World, node: SimNode, kind: CrashKind): void {
  if (node.isDown) return
  world.counts.count(kind === 'kill' ? 'kill' : 'power-cut')
  if (node.crash(kind)) world.counts.count('lost-write')
  world.timeline.after(lasting(world), `${node.name} comes back`, () => {
    if (node.isDown) world.spawn(`start ${node.name}`, async () => world.start(node))
  })
}

/** A sync fails, once; the node has to end, since nobody knows what the disk has. */
export function failSync(world: World): void {
  const { random, timeline, nodes, counts } = world
  const node = random.pick(nodes)
  const { disk } = node
  const fail = (): void => {
    counts.count('failed-sync')
    disk.isFailing = true
    timeline.after(10, `${node.name} syncs again`, () => (disk.isFailing = false))
    timeline.after(lasting(world) + 2000, `${node.name} comes back`, () => {
      if (node.isDown) world.spawn(`start ${node.name}`, async () => world.start(node))
    })
  }
  if (random.chance(0.3)) disk.onNextWrite = fail
  else disk.onNextMail = fail
}
