/** What an unlock costs: time beside the Argon2id in it alone, and memory where many come at once. @module */

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import { argon2Default } from '../../src/base/crypto/password.ts'
import { utf8 } from '../../src/base/util/bytes.ts'
import { sleep } from '../../src/base/util/wait.ts'
import { AbzuClient } from '../../src/surface/client/client.ts'
import { peakBytes, processUsage } from '../child.ts'
import { launchDaemon } from '../daemon.ts'
import type { Part, PartContext } from '../harness.ts'
import { runRounds, type Rounds } from '../rounds.ts'
import { newHousehold, password, type Household } from './household.ts'

const full = { accounts: 50, rounds: 5, settleMs: 3000 }
const quick = { accounts: 4, rounds: 1, settleMs: 100 }
const budgetMs = 30_000
const mebibyte = 2 ** 20

export const unlocking: Part = {
  name: 'unlocking',
  async run(context) {
    const effort = context.quick ? quick : full
    const { accounts } = effort
    const household = await newHousehold(context, { name: 'family', accounts })
    const times = await compareTimes(context, household, effort)
    const oneBytes = await peakOf(context, household, { count: 1, ...effort })
    const manyBytes = await peakOf(context, household, { count: accounts, ...effort })
    const { memoryKiB, passes } = argon2Default
    return [
      {
        name: 'unlock-time',
        value: times.median((round) => round('unlock')),
        unit: 'ms',
        target: null,
        note: 'from the request on the socket to its answer',
      },
      {
        name: 'argon2id-floor',
        value: times.median((round) => round('floor')),
        unit: 'ms',
        target: null,
        note: `of node:crypto alone, ${memoryKiB / 1024} MiB and ${passes} passes`,
      },
      {
        name: 'unlock-vs-floor',
        value: times.median((round) => round('unlock') / round('floor')),
        unit: 'ratio',
        target: null,
        note: 'what is above 1 opens the account: keyring, contacts, history',
      },
      {
        name: `unlock-${accounts}-memory`,
        value: manyBytes / (2 * oneBytes),
        unit: 'ratio',
        target: { op: '<=', value: 1 },
        note: `peak of ${accounts} unlocks at once, ${megabytes(manyBytes)} MB above an idle node, beside two of the ${megabytes(oneBytes)} MB of one`,
      },
    ]
  },
}

function megabytes(bytes: number): string {
  return (bytes / mebibyte).toFixed(0)
}

function clientOf({ home }: Household): AbzuClient {
  return new AbzuClient({ socketPath: join(home, 'api.sock'), timeoutMs: 120_000 })
}

/** The time of one unlock of an account that is locked, and of one hash with the same parameters, ms. */
async function compareTimes(
  context: PartContext,
  household: Household,
  { rounds }: { rounds: number },
): Promise<Rounds<number>> {
  const { clock, signal } = context
  const daemon = await launchDaemon(context, household)
  const client = clientOf(household)
  const platform = nodePlatform()
  const unlock = async (): Promise<number> => {
    const startMs = clock.monotonicMs()
    const { token } = await client.unlock({ account: 'person-0', password })
    const elapsedMs = clock.monotonicMs() - startMs
    await client.withSession(token).lock()
    return elapsedMs
  }
  const floor = async (): Promise<number> => {
    const startMs = clock.monotonicMs()
    await platform.argon2id(utf8(password), randomBytes(16), argon2Default)
    return clock.monotonicMs() - startMs
  }
  const variants = [
    { name: 'unlock', warmUp: unlock, round: unlock },
    { name: 'floor', warmUp: floor, round: floor },
  ]
  const times = await runRounds({ variants, rounds, budgetMs, clock, signal })
  await daemon.close()
  return times
}

/** The most memory that a daemon has held while `count` of its accounts were unlocked at once, above what it held
 *  before. */
async function peakOf(
  context: PartContext,
  household: Household,
  { count, settleMs }: { count: number; settleMs: number },
): Promise<number> {
  const daemon = await launchDaemon(context, household)
  await sleep(context.scheduler, settleMs, context.signal)
  const restingBytes = processUsage(daemon.pid).residentBytes
  const client = clientOf(household)
  const names = Array.from({ length: count }, (_, n) => `person-${n}`)
  await Promise.all(names.map(async (account) => client.unlock({ account, password })))
  const peak = peakBytes(daemon.pid)
  await daemon.close()
  return peak - restingBytes
}
