/** What goes wrong in a run, and when: each seed draws some of the faults, and how hard they hit. @module */

import { unverifiedRecord } from '../../src/base/crypto/mailbox-record.ts'
import { concatBytes, equalBytes } from '../../src/base/util/bytes.ts'
import type { MailboxId } from '../../src/base/util/brand.ts'
import { decodeRecordRequest, encodePutAnswer } from '../../src/base/wire/record-call.ts'
import { encode } from '../../src/base/wire/codec.ts'
import { faultKinds, type FaultKind } from './fault-counts.ts'
import type { CrashKind } from './sim-disk.ts'
import type { Person } from './people.ts'
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
}

/** The faults of a seed. */
export function drawFaults({ random }: World): ReadonlySet<FaultKind> {
  return new Set(faultKinds.filter((kind) => random.chance(likelihoods[kind])))
}

/** A few times within a duration. */
function times(world: World, durationMs: number, max: number, task: () => void): void {
  const { random, timeline } = world
  for (let left = 1 + random.below(max); left > 0; left--) {
    timeline.after(random.between(0, durationMs), 'fault', task)
  }
}

/** How long something lasts: mostly short. */
function lasting({ random }: World): number {
  return random.pick([second, 10 * second, minute, 10 * minute]) * random.between(0.3, 1.5)
}

/** Crashes a node: at once, or in the middle of a write, where most can go wrong: one of those to come, or of those
 *  that follow when mail comes in. */
function crashSoon(world: World, kind: CrashKind): void {
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

function crash(world: World, node: SimNode, kind: CrashKind): void {
  if (node.isDown) return
  world.counts.count(kind === 'kill' ? 'kill' : 'power-cut')
  if (node.crash(kind)) world.counts.count('lost-write')
  world.timeline.after(lasting(world), `${node.name} comes back`, () => {
    if (node.isDown) world.spawn(`start ${node.name}`, async () => world.start(node))
  })
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

/** A sync fails, once; the node has to end, since nobody knows what the disk has. */
function failSync(world: World): void {
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

/** One node answers questions about records with old ones and forged ones, takes what it is offered without keeping
 *  it, and offers others what it makes up. */
function lie(world: World, durationMs: number): void {
  const { random, nodes, people, records, counts } = world
  const liar = random.pick(nodes)
  const honest = nodes.filter((node) => node !== liar)
  /** An old record of a person, or one that the person has not signed. */
  const lieOf = (person: Person | undefined): Uint8Array | undefined => {
    const old = person && records.of(person)[0]
    return old && (random.chance(0.5) ? old : forged(old))
  }
  liar.answer = (answer) => async (payload, context) => {
    const request = decodeRecordRequest(payload)
    counts.count('lying-holder')
    if (request.kind === 'put') {
      if (random.chance(0.5)) return encodePutAnswer({ kind: 'held' })
      return encodePutAnswer({ kind: 'stale', record: forged(request.record) })
    }
    const mailbox = request.mailbox as MailboxId
    const lie = lieOf(people.find((person) => equalBytes(person.mailbox(), mailbox)))
    return lie && random.chance(0.8) ? lie : answer(payload, context)
  }
  times(world, durationMs, 6, () => {
    const lie = lieOf(random.pick(people))
    const { running, name } = random.pick(honest)
    if (!lie || !running) return
    counts.count('lying-holder')
    world.spawn(`${liar.name} offers ${name} a record`, async () => {
      await running.held.put(lie, liar.peerId)
    })
  })
}

/** A newer record under the signature of an older one. */
function forged(signed: Uint8Array): Uint8Array {
  const record = unverifiedRecord(signed)
  return concatBytes(encode({ ...record, seq: record.seq + 10 }), signed.subarray(-64))
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
  'lying-holder': lie,
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
  for (const { disk, wall } of nodes) {
    disk.onNextWrite = undefined
    disk.onNextMail = undefined
    disk.isSlow = false
    disk.isFailing = false
    wall.offsetMs = 0
  }
}
