/**
 * One run: a seed makes nodes, people, letters and faults; then the faults end, time passes, and everything that
 * must hold is looked at.
 * @module
 */

import { begin, createAccount, meet, takeUp, type Beginning } from './beginning.ts'
import { checkers } from './checkers.ts'
import { believedSwaps, gather } from './evidence.ts'
import type { FaultKind } from './fault-counts.ts'
import { drawFaults, endFaults, planFaults } from './faults.ts'
import { Person } from './people.ts'
import { move, pair } from './relocations.ts'
import { checkRecords, isOutrun } from './record-checks.ts'
import { soundWiring, type Wiring } from './wiring.ts'
import { World, type WorldInit } from './world.ts'

export interface RunInit {
  readonly seed: number
  /** How each node is put together. @default soundWiring */
  readonly wiring?: Wiring
  /** In place of what the seed draws. */
  readonly faults?: readonly FaultKind[]
}

export interface RunReport {
  readonly seed: number
  /** What must never happen, and did. */
  readonly problems: readonly string[]
  /** SHA-256 of everything that happened. */
  readonly hash: string
  readonly events: number
  readonly letters: number
  readonly delivered: number
  /** Accounts that live at another node in the end than at first. */
  readonly relocated: number
  readonly faults: Readonly<Record<FaultKind, number>>
  /** The end of what happened. */
  readonly trace: readonly string[]
}

const minute = 60_000
const hour = 60 * minute
/** How long faults go on: mostly minutes, now and then so long that keys are rotated. */
const shortMs = 12 * minute
const longMs = 27 * hour
/** Longer than any pause between two attempts. */
const drainMs = 1.5 * hour
/** A home that was put back learns from its next publication that its records were outrun, and acts within an hour. */
const republishMs = 15 * hour
const lookEveryMs = 3 * minute
/** One seed in so many has nodes that keep copies for each other: it takes several times as long. */
const pairedEvery = 4

/** Runs seeds. What it keeps between two runs makes them faster and changes nothing. */
export class Simulator {
  readonly #beginnings = new Map<string, Promise<Beginning>>()

  async run({ seed, wiring = soundWiring, faults }: RunInit): Promise<RunReport> {
    const nodes = 3 + (seed % 5)
    const people = nodes + (seed % 2)
    const isPaired = seed % pairedEvery === 0
    const household = `${nodes}/${people}${isPaired ? '/paired' : ''}`
    const init = { household, nodes, people, isPaired }
    const beginning = await this.#beginning({ ...init, seed: household, wiring })
    const { atMs } = beginning
    const world = new World({ ...init, seed: String(seed), wiring, atMs })
    const { problems, trace, counts, letters } = world
    try {
      takeUp(world, beginning)
      await live(world, faults)
    } catch (error) {
      problems.push(`the run ended: ${(error as Error).stack ?? String(error)}`)
    }
    return {
      seed,
      problems,
      letters: letters.length,
      delivered: letters.filter(({ deliveredAtMs }) => deliveredAtMs !== undefined).length,
      relocated: world.people.filter(({ homes }) => homes.length > 1).length,
      events: trace.count,
      trace: trace.lines(),
      hash: trace.digest(),
      faults: counts.all(),
    }
  }

  /** Made by sound nodes, unless the nodes that take it up could not read what these write. */
  async #beginning(init: WorldInit): Promise<Beginning> {
    const { household, wiring } = init
    if (wiring.isFromBeginning) return begin(init)
    const known = this.#beginnings.get(household) ?? begin({ ...init, wiring: soundWiring })
    this.#beginnings.set(household, known)
    return known
  }
}

async function live(world: World, wanted: readonly FaultKind[] | undefined): Promise<void> {
  const { random, timeline, problems } = world
  for (const node of world.nodes) await world.wait(world.start(node), minute)
  await world.wait(world.lookAtRecords(), minute)
  const durationMs = random.chance(0.06) ? longMs : shortMs * random.between(0.2, 1.5)
  const faults = wanted ? new Set(wanted) : drawFaults(world)
  planFaults(world, { faults, durationMs })
  planLife(world, durationMs)
  await timeline.pass(durationMs)

  endFaults(world)
  for (const node of world.nodes) await world.wait(world.start(node), minute)
  for (const afterMs of [0, minute, 10 * minute, hour]) {
    timeline.after(afterMs, 'people look for their accounts', () => {
      for (const person of world.people) void world.unlock(person)
    })
  }
  for (const { running } of world.nodes) void running?.watch.confirm().catch(() => undefined)
  await timeline.pass(drainMs)

  await world.wait(world.lookAtMail(), minute)
  // what counts is what is on the disk
  for (const person of world.people) {
    await world.wait(world.lock(person), minute)
    await world.wait(world.unlock(person), minute)
  }
  const evidence = await world.wait(gather(world), 10 * minute)
  if (!evidence) problems.push('I15: what people have cannot be read')
  else for (const check of checkers) problems.push(...check(world, evidence))
  const hasLosses = world.nodes.some(({ losses }) => losses.length > 0)
  if (hasLosses && (await world.wait(outrun(world), minute))) await timeline.pass(republishMs)
  const records = await world.wait(checkRecords(world), 10 * minute)
  problems.push(...(records ?? ['I15: records cannot be read']))
  if (random.chance(0.25)) await checkSwaps(world)
}

/** Where a damaged disk does not tell, time may tell. */
async function outrun(world: World): Promise<boolean> {
  return isOutrun(world).catch(() => true)
}

/** I22: a host that swaps what it keeps is not believed. */
async function checkSwaps(world: World): Promise<void> {
  const { people, problems, random } = world
  const person = random.pick(people)
  if (!person.member() || person.node.flips.length > 0) return
  const believed = (await world.wait(believedSwaps(person), minute)) ?? 0
  if (believed > 0) problems.push(`I22: ${person.name} believes ${believed} swapped slots`)
}

/** What people do while things go wrong. */
function planLife(world: World, durationMs: number): void {
  const { random, timeline, people, nodes } = world
  const at = (what: string, work: () => Promise<void>): void => {
    timeline.after(random.between(0, durationMs), what, () => world.spawn(what, work))
  }
  for (let left = 5 + random.below(10); left > 0; left--) {
    const from = random.pick(people)
    at(`${from.name} writes`, async () => {
      if (from.contacts.length > 0) await world.send(from, random.pick(from.contacts))
    })
  }
  for (let left = random.below(4); left > 0; left--) {
    const person = random.pick(people)
    at(`${person.name} locks`, async () => world.lock(person))
    at(`${person.name} unlocks`, async () => world.unlock(person))
  }
  for (let left = random.below(4); left > 0; left--) {
    const person = random.pick(people)
    at(`${person.name} reads`, async () => {
      for await (const _ of person.member()?.messages.inbox() ?? []);
    })
  }
  for (let left = random.below(4); left > 0; left--) {
    const person = random.pick(people)
    at(`${person.name} changes its record`, async () => {
      const contacts = person.member()?.contacts
      await contacts?.letStrangersBe(contacts.strangers() === 'refused' ? 'welcome' : 'refused')
    })
  }
  if (random.chance(0.3)) {
    const [one, other] = [random.pick(people), random.pick(people)]
    if (one !== other) at(`${one.name} meets ${other.name}`, async () => meet(world, one, other))
  }
  if (random.chance(0.3)) {
    const person = random.pick(people)
    at(`${person.name} moves`, async () => move(world, person))
  }
  if (random.chance(0.1)) {
    const [one, other] = [random.pick(nodes), random.pick(nodes)]
    if (one !== other && world.partnersOf(one).length + world.partnersOf(other).length === 0) {
      at(`${one.name} and ${other.name} pair`, async () => pair(world, one, other))
    }
  }
  if (random.chance(0.1)) {
    const newcomer = new Person('newcomer', random.pick(world.nodes))
    const host = random.pick(people)
    at('a newcomer', async () => {
      await createAccount(newcomer)
      if (!newcomer.hasAccount) return
      world.people.push(newcomer)
      await meet(world, newcomer, host)
    })
  }
  for (let ms = lookEveryMs; ms < durationMs; ms += Math.max(lookEveryMs, durationMs / 8)) {
    timeline.after(ms, 'a look at all nodes', () =>
      world.spawn('a look at all nodes', async () => {
        await world.lookAtRecords()
        await world.lookAtMail()
      }),
    )
  }
}
