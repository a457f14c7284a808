/** A node with very many accounts that are all locked, beside one that has one. @module */

import { sleep } from '../../src/base/util/wait.ts'
import { peakBytes, processUsage } from '../child.ts'
import { launchDaemon, type Daemon } from '../daemon.ts'
import type { Part, PartContext } from '../harness.ts'
import { runRounds, type Rounds } from '../rounds.ts'
import { deliveryTo, type Delivery } from './delivering.ts'
import { newHousehold, type Household } from './household.ts'

const full = {
  accounts: 10_000,
  starts: 5,
  settleMs: 5000,
  warmUpMs: 4000,
  rounds: 9,
  roundMs: 500,
}
const quick = { accounts: 12, starts: 1, settleMs: 100, warmUpMs: 50, rounds: 2, roundMs: 60 }
const budgetMs = 60_000
const mebibyte = 2 ** 20
/** What is allowed beside so many times as much as a node of one account has. */
const idleFactor = 1.5

export const locked: Part = {
  name: 'locked',
  async run(context) {
    const effort = context.quick ? quick : full
    context.progress(`making ${effort.accounts} accounts`)
    const many = await newHousehold(context, { name: 'many', accounts: effort.accounts })
    const one = await newHousehold(context, { name: 'one', accounts: 1 })
    const starts = await compareStarts(context, { one, many }, effort)
    const how = `${effort.accounts} accounts, all locked, beside 1`
    const readyMs = (name: string) => starts.median((round) => round(name))
    const idle = await launchDaemon(context, one)
    const daemon = await launchDaemon(context, many)
    await sleep(context.scheduler, effort.settleMs, context.signal)
    const idleBytes = processUsage(idle.pid).residentBytes
    await idle.close()
    const resting = processUsage(daemon.pid).residentBytes
    const rates = await compareRates(context, { daemon, many }, effort)
    return [
      {
        name: 'start-vs-one',
        value: starts.median((round) => round('many') / round('one')),
        unit: 'ratio',
        target: { op: '<=', value: 3 },
        note: `start to ready, ${readyMs('many').toFixed(0)} and ${readyMs('one').toFixed(0)} ms; ${how}`,
      },
      {
        name: 'memory-resting',
        value: (resting - idleFactor * idleBytes) / mebibyte,
        unit: 'MB',
        target: { op: '<=', value: 100 },
        note: `${megabytes(resting)} MB but ${idleFactor} x ${megabytes(idleBytes)} MB of one account, some seconds after the start`,
      },
      {
        name: 'memory-peak',
        value: peakBytes(daemon.pid) / mebibyte,
        unit: 'MB',
        target: null,
        note: 'the most that it has held, with letters to all at full rate; a part of it are pages of the database',
      },
      {
        name: 'delivery-rate-all',
        value: rates.median((round) => round('all')),
        unit: 'messages/s',
        target: null,
        note: 'to all accounts in turn; receipt after fsync, the load generator shares the cores',
      },
      {
        name: 'delivery-all-vs-one',
        value: rates.median((round) => round('all') / round('one')),
        unit: 'ratio',
        target: { op: '>=', value: 0.8 },
        note: `to all of ${effort.accounts} accounts in turn, beside as many messages to one of them`,
      },
    ]
  },
}

function megabytes(bytes: number): string {
  return (bytes / mebibyte).toFixed(0)
}

/** The time from start to ready of each, in turn; the first start of both is a rehearsal. */
async function compareStarts(
  context: PartContext,
  households: Readonly<Record<'one' | 'many', Household>>,
  { starts }: { starts: number },
): Promise<Rounds<number>> {
  const variants = Object.entries(households).map(([name, { home }]) => {
    const start = async (): Promise<number> => {
      const { readyMs, close } = await launchDaemon(context, { home })
      await close()
      return readyMs
    }
    return { name, warmUp: start, round: start }
  })
  const { clock, signal } = context
  return runRounds({ variants, rounds: starts, budgetMs, clock, signal })
}

/** Messages a second to all accounts in turn, and to one. */
async function compareRates(
  context: PartContext,
  { daemon, many }: { daemon: Daemon; many: Household },
  { rounds, ...load }: { rounds: number; warmUpMs: number; roundMs: number },
): Promise<Rounds<number>> {
  const to = (accounts: Household['accounts']): Promise<Delivery> =>
    deliveryTo(context, { daemon, accounts, load })
  const variants = [
    { name: 'one', ...(await to(many.accounts.slice(0, 1))) },
    { name: 'all', ...(await to(many.accounts)) },
  ]
  const { clock, signal } = context
  return runRounds({ variants, rounds, budgetMs, clock, signal })
}
