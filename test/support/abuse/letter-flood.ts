/** Attackers deliver strangers' letters to one mailbox by the real stream, pipelined. @module */

import type { Test } from 'tap'
import { nodePlatform } from '../../../src/base/crypto/node-platform.ts'
import { mapKey } from '../../../src/base/util/bytes.ts'
import { systemClock, systemScheduler } from '../../../src/base/util/system-time.ts'
import { deliverProtocol } from '../../../src/base/wire/protocols.ts'
import { Courier } from '../../../src/machine/mailbox/courier.ts'
import type { Target } from './arena.ts'
import { Intruder, Tally } from './intruder.ts'
import type { StrangerLetter, StrangerLetters } from './stranger-letters.ts'

export interface LetterFloodInit {
  readonly letters: StrangerLetters
  /** Of all names together. */
  readonly count: number
  readonly names: number
}

export interface LetterFlood {
  readonly tally: Tally
  /** What the node says it has stored, each letter once. */
  readonly stored: { readonly items: number; readonly bytes: number }
}

/** Below what one stream may have unanswered. */
const inFlightMax = 256
const namesAtOnce = 4
const namesPerAddress = 2
const validShare = 0.03

/** Resolves when every letter has its answer. */
export async function floodLetters(
  t: Test,
  { peerId, tcp }: Target,
  { letters, count, names }: LetterFloodInit,
): Promise<LetterFlood> {
  const tally = new Tally()
  const stored = new Map<string, number>()
  const deps = { platform: nodePlatform(), clock: systemClock, scheduler: systemScheduler }
  const bad = letters.bad()
  let opened = 0
  const attackOnce = async (name: number) => {
    const from = `127.0.180.${1 + Math.floor(name / namesPerAddress)}`
    const intruder = await Intruder.open(t, tcp, { from })
    const stream = await intruder.open(peerId, deliverProtocol)
    const courier = new Courier(deps, stream)
    const waiting = new Set<Promise<void>>()
    for (const { sort, parcel } of share(letters, bad, { name, count: count / names })) {
      if (waiting.size >= inFlightMax) await Promise.race(waiting)
      await stream.ready()
      const answering = courier
        .deliver(parcel)
        .then((answer) => {
          tally.count(sort, answer.kind === 'receipt' ? 'durable' : answer.error)
          if (answer.kind === 'receipt') stored.set(mapKey(parcel.id), parcel.envelope.length)
        })
        .finally(() => waiting.delete(answering))
      waiting.add(answering)
    }
    await Promise.all(waiting)
    await courier.close()
    await intruder.leave()
  }
  const work = async () => {
    while (opened < names) await attackOnce(opened++)
  }
  await Promise.all(Array.from({ length: namesAtOnce }, work))
  const bytes = [...stored.values()].reduce((sum, length) => sum + length, 0)
  return { tally, stored: { items: stored.size, bytes } }
}

/** Every second name has good stamps first, while it may try, and the others bad ones. */
function* share(
  letters: StrangerLetters,
  bad: Generator<StrangerLetter>,
  { name, count }: { name: number; count: number },
): Generator<StrangerLetter> {
  const valid = Math.ceil(validShare * count)
  const isGoodFirst = name % 2 === 0
  for (let n = 0; n < count; n++) {
    const isGood = isGoodFirst ? n < valid : n >= count - valid
    yield isGood ? letters.valid() : (bad.next().value as StrangerLetter)
  }
}
