/** A home that dies while somebody writes to it, and a holder that takes the letter. @module */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import type { Host } from '../../src/base/wire/records.ts'
import { newPrekey, newRecipient } from '../deliver/people.ts'
import type { Measure, Part, PartContext } from '../harness.ts'
import { median, quantile } from '../rounds.ts'
import { MailSender } from './mail-sender.ts'
import { NodeProcess } from './node-process.ts'

const platform = nodePlatform()
const hourMs = 3_600_000
/** Households whose homes die at their own times: most of a run is a wait. */
const full = { households: 4, budgetMs: 48_000 }
const quick = { households: 1, budgetMs: 0 }

/** From the death of a home to the receipt of a holder for the next letter. */
export const homeGone: Part = {
  name: 'home-gone',
  async run(context) {
    const { clock, signal, scratchDir } = context
    const { households, budgetMs } = context.quick ? quick : full
    const dir = join(scratchDir, 'sender')
    await mkdir(dir, { mode: 0o700 })
    const holder = await NodeProcess.start(context, 'holder')
    const sender = await MailSender.start(context, dir)
    const address = await holder.join()
    const timesMs: number[] = []
    const endMs = clock.monotonicMs() + budgetMs
    const household = async (_: unknown, n: number) => {
      for (let run = 0; run === 0 || clock.monotonicMs() < endMs; run++) {
        signal.throwIfAborted()
        const home = await NodeProcess.start(context, `home-${n}-${run}`)
        timesMs.push(await die(context, { home, holder, holderAddress: address, sender }))
      }
    }
    await Promise.all(Array.from({ length: households }, household))
    return measures(timesMs)
  },
}

interface Cast {
  readonly home: NodeProcess
  readonly holder: NodeProcess
  readonly holderAddress: string
  readonly sender: MailSender
}

async function die(
  { clock }: PartContext,
  { home, holder, holderAddress, sender }: Cast,
): Promise<number> {
  const hosts = [hostAt(home, 'home', await home.join()), hostAt(holder, 'replica', holderAddress)]
  const nowHours = Math.floor(clock.nowMs() / hourMs)
  const recipient = newRecipient(platform, { nowHours, prekey: newPrekey(platform), hosts })
  for (const node of [home, holder]) await node.host(recipient)
  const [first, next] = [
    await sender.letter(recipient, hosts),
    await sender.letter(recipient, hosts),
  ]
  const { state, by } = await sender.send(first)
  if (state !== 'delivered') throw new Error(`a letter to a home that lives was ${state} by ${by}`)
  const startMs = clock.monotonicMs()
  await home.kill()
  const outcome = await sender.send(next)
  const ms = clock.monotonicMs() - startMs
  if (outcome.state !== 'held' || outcome.by !== holder.peerId) {
    throw new Error(`a letter to a home that is gone was ${outcome.state} by ${outcome.by}`)
  }
  return ms
}

/** As a record names it: the address without the peer. */
function hostAt({ peerId }: NodeProcess, role: Host['role'], address: string): Host {
  return { peerId, role, addresses: [address.replace(`/p2p/${peerId}`, '')] }
}

function measures(timesMs: readonly number[]): Measure[] {
  const note = `from SIGKILL of the home's process to the durable outcome at the sender, which had just delivered there; ${timesMs.length} runs`
  const p99 = { value: quantile(timesMs, 0.99), target: { op: '<=', value: 3000 } } as const
  return [
    { name: 'home-gone-p50', value: median(timesMs), unit: 'ms', target: null },
    { name: 'home-gone-p99', ...p99, unit: 'ms', note },
  ]
}
