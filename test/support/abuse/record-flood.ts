/** Attackers put records to a node's directory: far more than it should look at, and few that are any. @module */

import type { PrivateKey } from '@libp2p/interface'
import type { Test } from 'tap'
import type { PeerId } from '../../../src/base/util/brand.ts'
import { systemScheduler } from '../../../src/base/util/system-time.ts'
import { recordProtocol } from '../../../src/base/wire/protocols.ts'
import { decodePutAnswer, encodeRecordRequest } from '../../../src/base/wire/record-call.ts'
import { call } from '../../../src/machine/transport/call.ts'
import type { Target } from './arena.ts'
import { answeredCode, Intruder, Tally } from './intruder.ts'
import type { Offer, RecordOffers } from './record-offers.ts'

export interface RecordFloodInit {
  readonly offers: RecordOffers
  /** Whose quota was nearly used up before. */
  readonly hoarder: PrivateKey
  readonly counts: { readonly junk: number; readonly hoarded: number; readonly hasty: number }
}

export interface RecordFlood {
  readonly tally: Tally
  readonly names: number
  readonly durationMs: number
  /** Who offered more valid records than one peer may at once. */
  readonly hasty: PeerId
}

/** Who breaks the rules is shut out after a few; the crowd goes on under the next name. */
const namesMax = 400
const namesPerAddress = 4
const callTimeoutMs = 5000
const callsAtOnce = 6

/** Resolves when every offer has its answer, or no name is left. */
export async function floodRecords(
  t: Test,
  { peerId, tcp, rootPk }: Target,
  { offers, hoarder, counts }: RecordFloodInit,
): Promise<RecordFlood> {
  const tally = new Tally()
  const junk = offers.junk(counts.junk, rootPk)
  const hoarded = offers.valid(counts.hoarded, 'hoarded')
  const deceit = Array.from({ length: 10 }, () => offers.deceitful())
  const valid = offers.valid(counts.hasty)
  const beganAtMs = performance.now()
  let names = 0
  const crowd = async () => {
    while (junk.length > 0 && names < namesMax) {
      const from = `127.0.170.${1 + Math.floor(names++ / namesPerAddress)}`
      const intruder = await Intruder.open(t, tcp, { from })
      await offerAll(intruder, peerId, { offers: junk, tally, callsAtOnce })
      await intruder.leave()
    }
  }
  const keeper = await Intruder.open(t, tcp, { from: '127.0.171.1', privateKey: hoarder })
  const hasty = await Intruder.open(t, tcp, { from: '127.0.171.2' })
  const rush = async () => {
    for (const some of deceit)
      await offerAll(hasty, peerId, { offers: some, tally, callsAtOnce: 1 })
    await offerAll(hasty, peerId, { offers: valid, tally, callsAtOnce })
  }
  await Promise.all([
    crowd(),
    crowd(),
    crowd(),
    offerAll(keeper, peerId, { offers: hoarded, tally, callsAtOnce }),
    rush(),
  ])
  await Promise.all([keeper.leave(), hasty.leave()])
  return { tally, names, durationMs: performance.now() - beganAtMs, hasty: hasty.peerId }
}

/** Takes offers from the list until it is empty or the intruder is out; what had no answer is back on it. */
async function offerAll(
  intruder: Intruder,
  to: PeerId,
  { offers, tally, callsAtOnce }: { offers: Offer[]; tally: Tally; callsAtOnce: number },
): Promise<void> {
  const work = async () => {
    for (let offer = offers.shift(); offer; offer = offers.shift()) {
      const answer = await put(intruder, to, offer.record)
      if (answer !== undefined) tally.count(offer.sort, answer)
      else {
        offers.unshift(offer)
        return
      }
    }
  }
  await Promise.all(Array.from({ length: callsAtOnce }, work))
}

async function put(
  intruder: Intruder,
  to: PeerId,
  record: Uint8Array,
): Promise<string | undefined> {
  const request = encodeRecordRequest({ kind: 'put', record })
  const init = { timeoutMs: callTimeoutMs, scheduler: systemScheduler }
  try {
    return decodePutAnswer(await call(intruder, to, recordProtocol, request, init)).kind
  } catch (error) {
    return answeredCode(error)
  }
}
