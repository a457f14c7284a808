/** Nodes, the people on them, and all that they wrote. @module */

import { toAbzuError, isAbzuError } from '../../src/base/util/errors.ts'
import { concatBytes } from '../../src/base/util/bytes.ts'
import { acknowledgedIdBytes } from '../../src/base/wire/records.ts'
import type { MailboxId } from '../../src/base/util/brand.ts'
import { FaultCounts } from './fault-counts.ts'
import { Person, type Letter } from './people.ts'
import { Random } from './random.ts'
import { simPlatform } from './platform.ts'
import { RecordBook } from './record-book.ts'
import { SimNetwork } from './sim-network.ts'
import { SimNode } from './sim-node.ts'
import { Timeline } from './timeline.ts'
import { Trace } from './trace.ts'
import type { Wiring } from './wiring.ts'

export interface WorldInit {
  readonly seed: string
  /** Whose machines these are: their keys follow from it. */
  readonly household: string
  /** Virtual ms at which it begins. @default 0 */
  readonly atMs?: number
  readonly nodes: number
  readonly people: number
  /** From the beginning nodes trust each other, two and two, and keep copies. */
  readonly isPaired: boolean
  readonly wiring: Wiring
}

/** More than anybody here gets. */
const mailMax = 1000

export class World {
  readonly isPaired: boolean
  /** Nodes that trust each other. */
  readonly pairs: (readonly [SimNode, SimNode])[] = []
  readonly random: Random
  readonly trace = new Trace()
  readonly counts = new FaultCounts()
  readonly timeline: Timeline
  readonly network: SimNetwork
  readonly nodes: readonly SimNode[]
  readonly people: Person[]
  readonly letters: Letter[] = []
  readonly records: RecordBook
  /** What must never happen, and did. */
  readonly problems: string[] = []

  constructor(init: WorldInit) {
    const { seed, household, nodes, people, isPaired, wiring, atMs = 0 } = init
    this.isPaired = isPaired
    this.random = new Random(seed)
    const randomOf = (name: string): Random => new Random(`${seed}/${name}`)
    this.timeline = new Timeline({ random: randomOf('timeline'), trace: this.trace, atMs })
    this.records = new RecordBook(simPlatform(randomOf('records')))
    const { timeline, counts } = this
    this.network = new SimNetwork({ timeline, counts, random: randomOf('network') })
    const deps = { timeline, network: this.network }
    this.nodes = Array.from({ length: nodes }, (_, n) => {
      const name = `n${n + 1}`
      const machineSeed = new Random(`${household}/${name}`).bytes(32)
      const random = randomOf(name)
      return new SimNode(deps, { name, number: n + 1, machineSeed, wiring, random })
    })
    this.people = Array.from({ length: people }, (_, n) => {
      const node = this.nodes[n % nodes] as SimNode
      return new Person(`person${n + 1}`, node)
    })
  }

  /** Lets somebody do something that takes time. Errors that a node shows are part of life; others are bugs. */
  spawn(what: string, work: () => Promise<void>): void {
    this.trace.note(`begins: ${what}`)
    work().then(
      () => this.trace.note(`ends: ${what}`),
      (error: unknown) => {
        this.trace.note(`fails: ${what}: ${toAbzuError(error).code}`)
        if (!isAbzuError(error)) this.problems.push(`${what}: ${(error as Error).stack}`)
      },
    )
  }

  /** Lets time pass until `work` is done; undefined where it is not within `limitMs`. What it throws is thrown. */
  async wait<T>(work: Promise<T>, limitMs: number): Promise<T | undefined> {
    let isDone = false
    const ended = work.finally(() => (isDone = true))
    ended.catch(() => undefined)
    await this.timeline.pass(limitMs, () => isDone)
    return isDone ? ended : undefined
  }

  /** Who keeps copies for a node. */
  partnersOf(node: SimNode): SimNode[] {
    return this.pairs.flatMap(([a, b]) => (a === node ? [b] : b === node ? [a] : []))
  }

  /** Starts a node, and opens the accounts on it. */
  async start(node: SimNode): Promise<void> {
    if (!(await node.start())) return
    for (const person of this.people) {
      if (person.node === node && person.wantsOpen) await this.unlock(person)
    }
  }

  async unlock(person: Person): Promise<void> {
    person.wantsOpen = true
    person.follow(this.nodes)
    const { node } = person
    if (!node.running || !person.hasAccount || person.member()) return
    try {
      await node.running.accounts.unlock(person.id, person.password)
    } catch (error) {
      node.log.failed('not-unlocked', error)
    }
  }

  async lock(person: Person): Promise<void> {
    person.wantsOpen = false
    if (person.member()) await person.node.running?.accounts.lock(person.id)
  }

  /** Writes a letter, where the account of its author is open. */
  async send(from: Person, to: Person): Promise<void> {
    const member = from.member()
    if (!member) return
    const { letters, timeline } = this
    const text = `letter ${letters.length + 1}`
    const { offsetMs: skewMs } = from.node.wall
    const letter: Letter = { text, from, to, atMs: timeline.nowMs, skewMs, isPromised: false }
    letters.push(letter)
    const { msgId } = await member.messages.send({ to: to.name, text })
    letter.isPromised = true
    const { state } = await member.messages.settled(msgId, { timeoutMs: 3_600_000 })
    if (state === 'delivered') letter.deliveredAtMs = timeline.nowMs
  }

  /** Notes which record of whom each node has now. */
  async lookAtRecords(): Promise<void> {
    for (const node of this.nodes) {
      if (node.answer) continue
      for (const person of this.people) {
        const { running } = node
        if (!running) break
        await this.#lookAtRecord(node, person.mailbox(), person)
      }
    }
  }

  /** I4: mail that its owner has taken out of the mailbox comes back to no node that knows of it, whoever offers it. */
  async lookAtMail(): Promise<void> {
    for (const { name, running, flips } of this.nodes) {
      if (!running || flips.length > 0) continue
      const acknowledged = running.store.table('acknowledged')
      for (const person of this.people.filter(({ hasAccount }) => hasAccount)) {
        const mailbox = person.mailbox()
        const { items } = running.store
        const page = await items.list(mailbox, { kind: 'mail', limit: mailMax })
        const back = page.items.filter(
          ({ id }) =>
            acknowledged.get(concatBytes(mailbox, id.subarray(0, acknowledgedIdBytes))) &&
            items.has(mailbox, id),
        )
        if (back.length > 0) this.problems.push(`I4: mail of ${person.name} is back at ${name}`)
      }
    }
  }

  async #lookAtRecord(node: SimNode, mailbox: MailboxId, person: Person): Promise<void> {
    const { running } = node
    try {
      const signed = await running?.held.newest(mailbox)
      if (!signed) return
      const problem = this.records.note(node, person, signed)
      if (problem !== undefined) this.problems.push(problem)
    } catch (error) {
      node.log.failed('record-unreadable', error)
    }
  }
}
