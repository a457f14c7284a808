import { unverifiedRecord } from '../../src/base/crypto/mailbox-record.ts'
import { isAbzuError } from '../../src/base/util/errors.ts'
import type { Person } from './people.ts'
import type { SimNode } from './sim-node.ts'
import type { World } from './world.ts'

/** I8, I26: whatever old records are offered, no node goes back to one; the home is ahead of all; and a node that
 *  asks is told no older one than it holds. */
export async function checkRecords(world: World): Promise<string[]> {
  await world.lookAtRecords()
  const problems: string[] = []
  const honest = world.nodes.filter(({ answer, flips }) => !answer && flips.length === 0)
  // on a damaged disk a record may be unreadable, and says so; what was put back to a time before an account came has none
  const judged = world.people.filter((one) => !one.isDamaged && one.livesAt(one.node))
  for (const person of judged) {
    const own = await person.node.running?.mailboxes.record(person.mailbox())
    const home = own && unverifiedRecord(own).seq
    if (home === undefined) continue
    for (const node of honest) {
      const before = await seqAt(node, person)
      if (before === undefined) continue
      if (before > home) {
        problems.push(`I8: ${node.name} holds record ${before} of ${person.name}, ahead of ${home}`)
      }
      await offerAll(world, node, person)
      const after = (await seqAt(node, person)) ?? 0
      if (after < before) {
        problems.push(`I26: ${node.name} went back to record ${after} of ${person.name}`)
      }
      if (after < home) {
        problems.push(
          `I26: ${node.name} holds on to record ${after} of ${person.name}, not ${home}`,
        )
      }
      const answered = await resolvedSeq(node, person)
      if (answered !== undefined && answered < after) {
        problems.push(`I8: ${node.name} is told record ${answered} of ${person.name}`)
      }
    }
  }
  return problems
}

/** Whether a node holds a newer record of somebody than its home has, as after that was put back: by its next publication
 *  the home learns of it. */
export async function isOutrun({ people, nodes }: World): Promise<boolean> {
  for (const person of people) {
    const home = (await seqAt(person.node, person)) ?? 0
    for (const node of nodes) if (((await seqAt(node, person)) ?? 0) > home) return true
  }
  return false
}

async function seqAt({ running }: SimNode, person: Person): Promise<number | undefined> {
  const signed = await running?.held.newest(person.mailbox())
  return signed && unverifiedRecord(signed).seq
}

async function resolvedSeq({ running }: SimNode, person: Person): Promise<number | undefined> {
  try {
    const signed = await running?.directory.resolve(person.mailbox(), [])
    return signed && unverifiedRecord(signed).seq
  } catch (error) {
    if (!isAbzuError(error)) throw error
    return undefined
  }
}

const offersMax = 4

/** The newest record first, then old ones. */
async function offerAll({ records, nodes }: World, node: SimNode, person: Person): Promise<void> {
  const from = nodes.find((other) => other !== node) as SimNode
  const all = records.of(person)
  for (const record of [...all.slice(-1), ...all.slice(0, offersMax)]) {
    try {
      await node.running?.held.put(record, from.peerId)
    } catch (error) {
      if (!isAbzuError(error)) throw error
    }
  }
}
