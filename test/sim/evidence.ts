/** What there is to see when a run is over, gathered through the nodes' own code. @module */

import type { ConversationMessage, InboxMessage } from '../../src/user/message/messages.ts'
import { slotClass } from '../../src/base/wire/slot.ts'
import type { HostingPort, MailboxPort, SignedSlot } from '../../src/user/account/ports.ts'
import type { Person } from './people.ts'
import type { SimNode } from './sim-node.ts'
import { replacing } from './wiring.ts'
import type { World } from './world.ts'

/** What one person has in the end. */
export interface PersonEvidence {
  readonly inbox: readonly InboxMessage[]
  readonly sent: readonly ConversationMessage[]
  /** Mail that still lies in the mailbox. */
  readonly mailLeft: number
}

/** What a node does with what it must not believe. */
export interface NodeEvidence {
  /** Whether the store, asked in the end where a bit was flipped, says that everything in it is sound. */
  readonly isSound: boolean
}

export interface Evidence {
  /** Missing where the account does not open any more. */
  readonly people: ReadonlyMap<Person, PersonEvidence>
  /** Missing where the node does not start any more. */
  readonly nodes: ReadonlyMap<SimNode, NodeEvidence>
}

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const value of values) all.push(value)
  return all
}

/** Looks at everything that people see. */
export async function gather(world: World): Promise<Evidence> {
  const people = new Map<Person, PersonEvidence>()
  const nodes = new Map<SimNode, NodeEvidence>()
  for (const person of world.people) {
    try {
      const evidence = await ofPerson(person)
      if (evidence) people.set(person, evidence)
    } catch (error) {
      person.node.log.failed('account-unreadable', error)
    }
  }
  for (const node of world.nodes) {
    try {
      const { running, flips } = node
      if (running)
        nodes.set(node, flips.length > 0 ? await running.store.verify() : { isSound: true })
    } catch (error) {
      node.log.failed('not-verified', error)
    }
  }
  return { people, nodes }
}

async function ofPerson(person: Person): Promise<PersonEvidence | undefined> {
  const member = person.member()
  const { running } = person.node
  if (!member || !running) return undefined
  const inbox = await collect(member.messages.inbox())
  const sent: ConversationMessage[] = []
  for (const { name } of member.contacts.list()) {
    const all = await collect(member.messages.conversation(name)).catch(() => [])
    sent.push(...all.filter(({ direction }) => direction === 'out'))
  }
  const { items } = await running.mailboxes.mailbox(person.mailbox()).mail({ limit: 1000 })
  return { inbox, sent, mailLeft: items.length }
}

/** Lets a host show an account its sealed slots with their bodies swapped, and returns how many of these were
 *  believed. */
export async function believedSwaps(person: Person): Promise<number> {
  const { running, log } = person.node
  if (!running) return 0
  let swapped = 0
  const swap = (port: MailboxPort): MailboxPort =>
    replacing(port, {
      mail: async () => ({ items: [] }),
      putSlots: async () => undefined,
      async *slots(wanted) {
        const all = await collect(port.slots(wanted))
        const full = wanted === slotClass.sealed ? all.filter(({ body }) => body.length > 0) : []
        for (let n = 0; n + 1 < full.length; n += 2) {
          const [one, other] = [full[n], full[n + 1]] as [SignedSlot, SignedSlot]
          full[n] = { signed: one.signed, body: other.body }
          full[n + 1] = { signed: other.signed, body: one.body }
          swapped += 2
        }
        yield* full.length > 0 ? full : all
      },
    })
  const hosting = replacing<HostingPort>(running.mailboxes, {
    mailbox: (mailbox) => swap(running.mailboxes.mailbox(mailbox)),
  })
  await running.accounts.lock(person.id)
  const before = log.slotsUnreadable
  const accounts = await running.accountsOn(hosting)
  await accounts.unlock(person.id, person.password)
  await accounts.close()
  return swapped - (log.slotsUnreadable - before)
}
