/** A first letter to an address, beside a letter to somebody who is known. @module */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { mailboxIdOf, rootKeyOf } from '../../src/base/crypto/address.ts'
import type { AccountId } from '../../src/base/util/brand.ts'
import { utf8 } from '../../src/base/util/bytes.ts'
import type { AccountManager } from '../../src/user/household/account-manager.ts'
import type { Member } from '../../src/user/household/member.ts'
import type { Part, PartContext } from '../harness.ts'
import { median, quantile, runRounds } from '../rounds.ts'
import { openAccounts, platform, startMesh, until, type MeshNode } from './node.ts'
import { timeEach, timesOf, timesRatio } from './timing.ts'

const nodesCount = 5
const full = { warmUp: 4, rounds: 16 }
const quick = { warmUp: 1, rounds: 2 }
/** Letters to somebody known, in one round. */
const knownEach = 5
const budgetMs = 12_000
const receiptMs = 20_000

export const firstMessage: Part = {
  name: 'first-message',
  async run(context) {
    const { clock, signal } = context
    const { warmUp, rounds } = context.quick ? quick : full
    const nodes = await startMesh(context, await inits(context))
    const [household, ...homes] = await inTurn(nodes, async (node) => openAccounts(context, node))
    const alice = await newMember(household as AccountManager, 'alice')
    const bob = await newMember(homes[0] as AccountManager, 'bob')
    await befriend(alice, bob)
    const strangers = (
      await newStrangers(context, { nodes, homes, count: warmUp + rounds })
    ).values()

    const first = async () => {
      const link = next(strangers)
      // a name of a person and no address
      const as = `stranger ${link.slice(-8)}`
      await alice.contacts.add({ link, as })
      await deliver(alice, as)
    }
    const known = async () => deliver(alice, 'bob')
    const variant = (name: string, each: number, operation: () => Promise<unknown>) => ({
      name,
      warmUp: async () => timeEach(clock, warmUp * each, operation),
      round: async () => timeEach(clock, each, operation),
    })
    const variants = [variant('first', 1, first), variant('known', knownEach, known)]
    const samples = await runRounds({ variants, rounds, budgetMs, clock, signal })

    const printed = (name: string, value: number, note: string) => ({
      name,
      value,
      unit: 'ms',
      target: null,
      note,
    })
    const times = timesOf(samples, 'first')
    return [
      printed('first-message', median(times), 'median: resolve, stamp, seal, delivery, receipt'),
      printed('first-message-slowest', quantile(times, 1), `of ${times.length}`),
      printed(
        'known-message',
        median(timesOf(samples, 'known')),
        'median: seal, delivery, receipt',
      ),
      {
        name: 'first-vs-known-message',
        value: timesRatio(samples, 'first', 'known'),
        unit: 'ratio',
        target: { op: '<=', value: 10 },
        note: `${nodesCount} nodes on one thread, stores on disk; the sender's holds no record of others`,
      },
    ]
  },
}

async function inits({ scratchDir }: PartContext) {
  const numbers = Array.from({ length: nodesCount }, (_, n) => n)
  return inTurn(numbers, async (n) => {
    const dir = join(scratchDir, `node-${n}`)
    await mkdir(dir, { mode: 0o700 })
    return { dir, holds: n > 0 }
  })
}

async function newMember(accounts: AccountManager, name: string): Promise<Member> {
  const password = utf8('correct horse battery staple')
  return (await accounts.create({ name, role: 'admin', password })).member
}

/** Both have added each other, so that letters go through doors. */
async function befriend(alice: Member, bob: Member): Promise<void> {
  await alice.contacts.add({ link: await bob.contacts.link(), as: 'bob' })
  await deliver(alice, 'bob')
  await bob.contacts.add({ link: alice.id, as: 'alice' })
  await deliver(bob, 'alice')
}

/** Addresses of accounts at all homes in turn, whose records every other home holds. */
async function newStrangers(
  context: PartContext,
  init: { nodes: readonly MeshNode[]; homes: readonly AccountManager[]; count: number },
): Promise<AccountId[]> {
  const { nodes, homes, count } = init
  context.progress(`making ${count} accounts`)
  const numbers = Array.from({ length: count }, (_, n) => n)
  const ids = await inTurn(numbers, async (n) => {
    const accounts = homes[n % homes.length] as AccountManager
    return (await newMember(accounts, `stranger-${n}`)).id
  })
  await until(context, 'the records in the mesh', async () =>
    ids.every((id) => {
      const mailbox = mailboxIdOf(platform, rootKeyOf(id))
      return nodes.filter(({ held }) => held.get(mailbox)).length === homes.length - 1
    }),
  )
  return ids
}

/** From the call of `send` to a receipt that says `delivered`. */
async function deliver({ messages }: Member, to: string): Promise<void> {
  const { msgId } = await messages.send({ to, text: 'hello you' })
  const { state } = await messages.settled(msgId, { timeoutMs: receiptMs })
  if (state !== 'delivered') throw new Error(`a letter is ${state}`)
}

async function inTurn<T, R>(values: readonly T[], work: (value: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const value of values) results.push(await work(value))
  return results
}

function next(strangers: Iterator<AccountId>): AccountId {
  const { done, value } = strangers.next()
  if (done) throw new Error('there is nobody who was not written to')
  return value
}
