/** How nodes come to trust each other, and how accounts leave a node for another: by their own will, or since it is gone. @module */

import { crash } from './crashes.ts'
import type { Person } from './people.ts'
import type { SimNode } from './sim-node.ts'
import type { World } from './world.ts'

const second = 1000
const minute = 60 * second
/** Attempts of somebody who does not give up. */
const attemptsMax = 30

/** Nobody gives up. */
function forEver(): AbortSignal {
  return new AbortController().signal
}

/** Two owners agree that their nodes keep copies for each other. */
export async function pair(world: World, one: SimNode, other: SimNode): Promise<void> {
  if (!one.running || !other.running) return
  const { code } = await one.running.federation.invite({})
  await other.running.federation.accept(code, {}, forEver())
  world.pairs.push([one, other])
}

/** Somebody moves to a node that keeps its copy. */
export async function move(world: World, person: Person): Promise<void> {
  const { node } = person
  const [partner] = world.partnersOf(node)
  if (!partner || !person.member()) return
  person.chosen.push(partner)
  const init = { to: partner.peerId, signal: forEver(), progress: () => {} }
  await node.running?.accounts.move(person.id, init)
  await world.unlock(person)
}

/** A machine is gone for good at a moment at which another one has all that is on it, and its people come back there by
 *  their words; now and then it is found again, and started. */
export function loseHome(world: World, durationMs: number): void {
  const { random, timeline } = world
  const [node, partner] = random.pick(world.pairs) ?? []
  if (!node || !partner) return
  const mayRevive = random.chance(0.5)
  timeline.after(random.between(0, durationMs / 2), 'a loss', () => {
    world.spawn(`${node.name} is to be lost`, async () => {
      for (let left = attemptsMax; left > 0; left--) {
        if (await isCovered(world, node, partner)) return lose(world, { node, partner, mayRevive })
        await partner.running?.time.wait(random.between(0, 20) * second)
      }
    })
  })
}

function lose(
  world: World,
  { node, partner, mayRevive }: { node: SimNode; partner: SimNode; mayRevive: boolean },
): void {
  const { random, timeline, counts } = world
  counts.count('lost-home')
  node.crash('power')
  node.isLost = true
  // what has hit one may have put out the lights at the other
  if (random.chance(0.4)) crash(world, partner, 'power')
  for (const person of world.people.filter((one) => one.node === node)) {
    recoverSoon(world, { person, partner, left: attemptsMax })
  }
  if (!mayRevive) return
  timeline.after(random.between(minute, 20 * minute), `${node.name} is found again`, () => {
    node.isLost = false
    counts.count('revived-home')
    world.spawn(`start ${node.name}`, async () => world.start(node))
  })
}

function recoverSoon(
  world: World,
  { person, partner, left }: { person: Person; partner: SimNode; left: number },
): void {
  world.timeline.after(world.random.between(0, minute), `${person.name} comes back`, () => {
    if (left === 0 || person.livesAt(partner)) return
    world.spawn(`${person.name} recovers`, async () => recover(world, person, partner))
    recoverSoon(world, { person, partner, left: left - 1 })
  })
}

async function recover(world: World, person: Person, partner: SimNode): Promise<void> {
  const { name, words, password } = person
  const init = { name, words, password, signal: forEver(), progress: () => {} }
  await partner.running?.accounts.recover(init)
  person.follow(world.nodes)
}

/** Whether the other node is known to have everything that is here, of everybody. */
async function isCovered(world: World, node: SimNode, partner: SimNode): Promise<boolean> {
  const { running } = node
  if (!running || !partner.running) return false
  for (const person of world.people.filter((one) => one.node === node)) {
    if (!(await running.sync.coveredBy(person.mailbox())).includes(partner.peerId)) return false
  }
  return node.running === running
}
