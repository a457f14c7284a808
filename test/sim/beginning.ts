/**
 * How a run begins: people with accounts who have met. To make these takes longer than most runs, so a few
 * households are made once, and runs begin with copies of their disks.
 * @module
 */

import type { AccountId } from '../../src/base/util/brand.ts'
import type { Person } from './people.ts'
import { pair } from './relocations.ts'
import type { DiskImage } from './sim-disk.ts'
import type { SimNode } from './sim-node.ts'
import { World, type WorldInit } from './world.ts'

/** A household that lies on its disks. */
export interface Beginning {
  readonly images: readonly DiskImage[]
  readonly accounts: readonly { readonly id: AccountId; readonly words: readonly string[] }[]
  /** Nodes that trust each other, by their places. */
  readonly pairs: readonly (readonly [number, number])[]
  /** Pairs of people who know each other, by their places. */
  readonly acquainted: readonly (readonly [number, number])[]
  /** What they wrote, from one place to another; all of it delivered. */
  readonly letters: readonly { readonly text: string; readonly from: number; readonly to: number }[]
  readonly atMs: number
  /** Of everything that led to it. */
  readonly hash: string
}

const minute = 60_000

/** Makes a household, and closes its nodes. */
export async function begin(init: WorldInit): Promise<Beginning> {
  const world = new World(init)
  const { nodes, people, letters, timeline, trace, random } = world
  for (const node of nodes) await world.wait(world.start(node), minute)
  await world.wait(Promise.all(people.map(createAccount)), minute)
  for (let n = 1; world.isPaired && n < nodes.length; n += 2) {
    await world.wait(pair(world, nodes[n - 1] as SimNode, nodes[n] as SimNode), minute)
  }
  const couples = people.map((_, n): [number, number] => [n, (n + 1) % people.length])
  if (random.chance(0.5)) couples.push([0, random.below(people.length)])
  const acquainted = couples.filter(([a, b]) => a !== b)
  for (const [a, b] of acquainted) {
    await world.wait(meet(world, people[a] as Person, people[b] as Person), minute)
  }
  await timeline.pass(minute)
  for (const node of nodes) await world.wait(node.stop(), minute)
  const isWhole =
    people.every(({ hasAccount }) => hasAccount) && nodes.every(({ isDown }) => isDown)
  if (!isWhole || world.problems.length > 0) {
    throw new Error(`no household: ${world.problems.join('; ')}`)
  }
  return {
    images: nodes.map(({ disk }) => disk.image()),
    accounts: people.map(({ id, words }) => ({ id, words })),
    pairs: world.pairs.map(([a, b]) => [nodes.indexOf(a), nodes.indexOf(b)]),
    acquainted,
    letters: letters.map(({ text, from, to }) => ({
      text,
      from: people.indexOf(from),
      to: people.indexOf(to),
    })),
    atMs: timeline.nowMs,
    hash: trace.digest(),
  }
}

/** Puts a household on the disks of a world that was made for it. */
export function takeUp(world: World, beginning: Beginning): void {
  const { nodes, people, letters, trace, timeline } = world
  const { nowMs: atMs } = timeline
  for (const [n, node] of nodes.entries()) node.disk.restore(beginning.images[n] as DiskImage)
  for (const [a, b] of beginning.pairs) world.pairs.push([nodes[a] as SimNode, nodes[b] as SimNode])
  for (const [n, person] of people.entries()) Object.assign(person, beginning.accounts[n])
  for (const [a, b] of beginning.acquainted) acquaint(people[a] as Person, people[b] as Person)
  for (const { text, from, to } of beginning.letters) {
    const way = { from: people[from] as Person, to: people[to] as Person }
    letters.push({ text, ...way, atMs, skewMs: 0, isPromised: true, deliveredAtMs: atMs })
  }
  trace.note(beginning.hash)
}

function acquaint(one: Person, other: Person): void {
  if (one.contacts.includes(other)) return
  one.contacts.push(other)
  other.contacts.push(one)
}

/** Makes the person's account on its node. */
export async function createAccount(person: Person): Promise<void> {
  const { running } = person.node
  if (!running) return
  const init = { name: person.name, role: 'admin', password: person.password } as const
  const { member, words } = await running.accounts.create(init)
  person.id = member.id
  person.words = words
}

/** One adds the other by a link and writes; the other adds whoever wrote. */
export async function meet(world: World, person: Person, other: Person): Promise<void> {
  const [one, two] = [person.member(), other.member()]
  if (!one || !two || person.contacts.includes(other)) return
  await one.contacts.add({ link: await two.contacts.link(), as: other.name })
  await world.send(person, other)
  for await (const _ of two.messages.inbox());
  await two.contacts.add({ link: one.id, as: person.name })
  acquaint(person, other)
}
