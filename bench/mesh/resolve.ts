/** Finding the record of an address, beside one lookup of who is near it. @module */

import type { MailboxId } from '../../src/base/util/brand.ts'
import { newPrekey, newRecipient } from '../deliver/people.ts'
import type { Part, PartContext } from '../harness.ts'
import { median, quantile, runRounds } from '../rounds.ts'
import { platform, startMesh, type MeshNode } from './node.ts'
import { timeEach, timesOf, timesRatio } from './timing.ts'

const hourMs = 3_600_000
/** Records are found once each: a node remembers an answer for a minute. */
const full = { warmUp: 20, rounds: 10, each: 10 }
const quick = { warmUp: 1, rounds: 2, each: 2 }
const budgetMs = 12_000

export function resolve(count: number): Part {
  const name = `resolve-${count}`
  return {
    name,
    async run(context) {
      const { clock, signal } = context
      const { warmUp, rounds, each } = context.quick ? quick : full
      const inits = Array.from({ length: count }, (_, n) => ({ holds: n > 0 }))
      const [asker, home] = (await startMesh(context, inits)) as [MeshNode, MeshNode]
      const records = published(context, { home, holders: count - 2 })
      const mailboxes = (await records(warmUp + rounds * each)).values()

      const find = async () => asker.directory.resolve(next(mailboxes), [])
      const look = async () => asker.transport.mesh.closest(platform.random(32), signal)
      const variant = (name: string, operation: () => Promise<unknown>) => ({
        name,
        warmUp: async () => timeEach(clock, warmUp, operation),
        round: async () => timeEach(clock, each, operation),
      })
      const variants = [variant('resolve', find), variant('closest', look)]
      const samples = await runRounds({ variants, rounds, budgetMs, clock, signal })

      const timesMs = timesOf(samples, 'resolve')
      const printed = (suffix: string, value: number, note: string) => ({
        name: `${name}-${suffix}`,
        value,
        unit: 'ms',
        target: null,
        note,
      })
      return [
        printed('p50', median(timesMs), `${count} nodes on one thread; a record never asked for`),
        printed('p99', quantile(timesMs, 0.99), `of ${timesMs.length}`),
        printed('closest-p50', median(timesOf(samples, 'closest')), 'one getClosestPeers'),
        {
          name: `${name}-vs-closest`,
          value: timesRatio(samples, 'resolve', 'closest'),
          unit: 'ratio',
          target: { op: '<=', value: 1.5 },
          note: 'of the same node, which is connected to all others and holds no record itself',
        },
      ]
    },
  }
}

/** Makes accounts that `home` hosts, and offers their records to the mesh. */
function published(
  { clock, progress, signal }: PartContext,
  { home, holders }: { home: MeshNode; holders: number },
): (count: number) => Promise<MailboxId[]> {
  const nowHours = Math.floor(clock.nowMs() / hourMs)
  const prekey = newPrekey(platform)
  return async (count) => {
    progress(`publishing ${count} records at ${holders} nodes`)
    const mailboxes: MailboxId[] = []
    for (let n = 0; n < count; n++) {
      signal.throwIfAborted()
      const { rootPk, mailbox, slots } = newRecipient(platform, { nowHours, prekey })
      await home.mailboxes.host(rootPk, slots)
      const { held } = await home.directory.publish(mailbox)
      if (held !== holders) throw new Error(`${held} nodes hold a record, not ${holders}`)
      mailboxes.push(mailbox)
    }
    return mailboxes
  }
}

function next(mailboxes: Iterator<MailboxId>): MailboxId {
  const { done, value } = mailboxes.next()
  if (done) throw new Error('there is no record that was not asked for')
  return value
}
