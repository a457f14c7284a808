/**
 * What must hold when the faults are over and time has passed, whatever happened before. Each checker says what
 * it found wrong, with the number of the invariant.
 * @module
 */

import { toHex } from '../../src/base/util/bytes.ts'
import type { Evidence } from './evidence.ts'
import type { Letter, Person } from './people.ts'
import type { SimNode } from './sim-node.ts'
import type { World } from './world.ts'

type Checker = (world: World, evidence: Evidence) => string[]

const dayMs = 86_400_000

/** Whether a home of the account lost durable data, by no fault of its own, after something had happened. A flipped bit may have
 *  hit what is read much later. */
function hasLost({ losses, isDamaged }: Person, sinceMs: number): boolean {
  return isDamaged || losses.some((atMs) => atMs >= sinceMs)
}

function name({ text, from, to }: Letter): string {
  return `${text} of ${from.name} to ${to.name}`
}

function copiesOf({ text, to }: Letter, { people }: Evidence): number {
  return people.get(to)?.inbox.filter((one) => one.text === text).length ?? 0
}

function stateOf({ text, from }: Letter, { people }: Evidence): string | undefined {
  return people.get(from)?.sent.find((one) => one.text === text)?.state
}

/** I3, I6: what was said to be delivered is read, and nothing is read twice; who may read nothing is another one's finding. */
const readOnce: Checker = ({ letters }, evidence) =>
  letters.flatMap((letter) => {
    const copies = copiesOf(letter, evidence)
    if (copies > 1) return [`I6: ${name(letter)} is read ${copies} times`]
    const isDelivered =
      letter.deliveredAtMs !== undefined || stateOf(letter, evidence) === 'delivered'
    const isExcused = hasLost(letter.to, letter.atMs) || !evidence.people.has(letter.to)
    if (!isDelivered || copies === 1 || isExcused) return []
    return [`I3: ${name(letter)} was delivered and is not there`]
  })

/** I7: nothing is read that its author has not sent to the reader. */
const neverSent: Checker = ({ letters }, { people }) =>
  [...people].flatMap(([reader, { inbox }]) =>
    inbox
      .filter(
        ({ text, from }) =>
          !letters.some((one) => one.text === text && one.to === reader && one.from.id === from),
      )
      .map(({ text }) => `I7: ${reader.name} reads ${JSON.stringify(text)}, which nobody sent`),
  )

/** I1 of the author: what was said to be durable is in the history. */
const keptByAuthor: Checker = ({ letters }, evidence) =>
  letters
    .filter(({ from, isPromised, atMs }) => isPromised && !hasLost(from, atMs))
    .filter((letter) => stateOf(letter, evidence) === undefined)
    .map((letter) => `I1: ${name(letter)} is gone from the history of its author`)

/** I15: when all is well again, every letter has its outcome and all mail is taken in. */
const allSettled: Checker = ({ letters, people: everybody }, evidence) => [
  ...letters
    .filter((letter) => stateOf(letter, evidence) === 'queued')
    // what lies on a damaged page waits for a repair
    .filter(({ from, to }) => !from.isDamaged && !to.isDamaged)
    .filter(({ to }) => evidence.nodes.has(to.node))
    .map((letter) => `I15: ${name(letter)} still waits`),
  ...everybody
    .filter(({ losses }) => losses.length === 0)
    .filter((person) => (evidence.people.get(person)?.mailLeft ?? 0) > 0)
    .map((person) => `I15: mail of ${person.name} still lies in the mailbox`),
]

/** I14, I15: whoever's clock was right, and whose letter met no lost data, reaches the other. */
const allDelivered: Checker = ({ letters }, evidence) =>
  letters
    .filter(({ isPromised, skewMs }) => isPromised && Math.abs(skewMs) <= dayMs)
    .filter(({ from, to }) => from.losses.length === 0 && to.losses.length === 0)
    .flatMap((letter) => {
      const state = stateOf(letter, evidence)
      if (state === 'delivered' || state === undefined) return []
      return [`${state === 'expired' ? 'I14' : 'I15'}: ${name(letter)} is ${state}`]
    })

/** I15: every node and every account opens again, but for one younger than the state that its disk was put back to. */
const allOpen: Checker = ({ nodes, people }, evidence) => [
  ...nodes
    .filter((node) => !node.isLost && !evidence.nodes.has(node) && node.flips.length === 0)
    .map((node) => `I15: ${node.name} does not run`),
  ...people
    .filter((person) => !evidence.people.has(person) && person.losses.length === 0)
    .map((person) => `I15: the account of ${person.name} does not open`),
]

/** I12: what a flipped bit has cost is reported; and what is still flipped is found by a check of the store. */
const damageReported: Checker = ({ nodes, letters }, evidence) =>
  nodes
    .filter(({ flips, log }) => flips.length > 0 && log.damage.length === 0)
    .flatMap((node) => {
      const isOf = (person: Person): boolean => person.node === node
      const rows = node.flips.filter(({ what, isThere }) => what === 'row' && isThere())
      const isSound = evidence.nodes.get(node)?.isSound === true
      const gone = letters.filter((letter) => {
        const isDelivered = stateOf(letter, evidence) === 'delivered'
        const isMissing = isOf(letter.to) && isDelivered && copiesOf(letter, evidence) === 0
        const isForgotten = isOf(letter.from) && letter.isPromised && !stateOf(letter, evidence)
        return isMissing || isForgotten
      })
      const isExcused = node.losses.length > node.flips.length
      return [
        ...(rows.length > 0 && isSound ? [`I12: a flipped row of ${node.name} is not found`] : []),
        ...(isExcused ? [] : gone.map((one) => `I12: ${name(one)} is gone without a word`)),
      ]
    })

/** I4, I5, I16: a home and the node that keeps copies for it hold the same in the end, whoever was away when: what came
 *  to either is at both, and what was taken out of one is gone from the other. */
const copiesAlike: Checker = (world) => {
  const { people, counts } = world
  if (counts.of('clock-jump') > 0) return []
  return people.flatMap((person) => {
    const hosts = [person.node, ...world.partnersOf(person.node).filter(({ isLost }) => !isLost)]
    if (!person.hasAccount || hosts.some(({ losses }) => losses.length > 0)) return []
    const held = hosts.map(({ running }) => {
      const { count, sum } = running?.store.items.digest(person.mailbox()) ?? {}
      return `${String(count)} ${toHex(sum ?? new Uint8Array())}`
    })
    return new Set(held).size === 1
      ? []
      : [`I5: copies of ${person.name} differ: ${held.join(', ')}`]
  })
}

/** I5: an account lives at one node, whichever it has left in whatever way. */
const oneHome: Checker = ({ people, nodes }) =>
  people.flatMap((person) => {
    const { losses, node, hasAccount, name: who } = person
    if (!hasAccount || !node.running || losses.length > 0) return []
    const here = nodes.filter((one) => person.livesAt(one))
    const names = here.map((home) => home.name).join(', ')
    return here.length === 1 ? [] : [`I5: ${who} lives at ${names || 'no node'}`]
  })

/** I1 of pairing: what an owner was told is agreed, both nodes have written down. */
const trustIsMutual: Checker = ({ pairs }) =>
  pairs
    .filter((pair) => pair.every(({ running, losses }) => running && losses.length === 0))
    .flatMap(([one, other]) => {
      const trusts = (a: SimNode, b: SimNode) => a.running?.trusted.get(b.peerId) !== undefined
      const isMutual = trusts(one, other) && trusts(other, one)
      return isMutual ? [] : [`I1: ${one.name} and ${other.name} do not trust each other`]
    })

/** Errors that are none of ours to show. */
const noBugs: Checker = ({ nodes }) =>
  nodes.flatMap((node) => node.log.bugs.map((bug) => `bug: ${node.name}: ${bug}`))

/** All of them, in the order in which a reader wants to hear of them. */
export const checkers: readonly Checker[] = [
  noBugs,
  readOnce,
  neverSent,
  keptByAuthor,
  damageReported,
  allOpen,
  allSettled,
  allDelivered,
  copiesAlike,
  oneHome,
  trustIsMutual,
]
