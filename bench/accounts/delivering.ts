/** A load of letters for the accounts of one daemon. @module */

import { itemIdOf } from '../../src/base/crypto/address.ts'
import { doorProof } from '../../src/base/crypto/door.ts'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import { hoursOf } from '../../src/base/util/clock.ts'
import {
  encodeEnvelopeHeader,
  envelopeBytesMin,
  envelopeHeaderBytes,
  suiteXWing,
} from '../../src/base/wire/envelope.ts'
import type { Parcel } from '../../src/machine/mailbox/courier.ts'
import type { Daemon } from '../daemon.ts'
import { connectSenders } from '../deliver/senders.ts'
import type { PartContext } from '../harness.ts'
import { perSecond, runLoad } from '../load.ts'
import type { MadeAccount } from './account-worker.ts'

const connections = 16
const inFlight = 16
/** Of a letter of 1 KiB of text. */
const sealedBytes = 1536
const readyParcels = 4096

/** What a variant of `runRounds` does. */
export interface Delivery {
  warmUp(): Promise<unknown>
  /** Letters a second. */
  round(): Promise<number>
}

/** Delivers to `accounts` in turn, by the door of a contact of each, over connections of its own. `context.open` takes
 *  them. */
export async function deliveryTo(
  context: PartContext,
  init: {
    readonly daemon: Daemon
    readonly accounts: readonly MadeAccount[]
    readonly load: { readonly warmUpMs: number; readonly roundMs: number }
  },
): Promise<Delivery> {
  const platform = nodePlatform()
  const { clock } = context
  const { peerId, addresses } = init.daemon
  const [address] = addresses
  if (address === undefined) throw new Error('the daemon has no address')
  const at = { peerId, address }
  const senders = await connectSenders(
    { ...context, platform },
    { at, work: 'durable', connections },
  )
  const expiresAtHours = hoursOf(clock.nowMs()) + 24
  const letters = letterAfterLetter(platform, init.accounts, expiresAtHours)
  const run = async (durationMs: number): Promise<number> => {
    // made before the clock starts; there are more than one round sends
    const ready: Parcel[] = []
    const count = Math.max(readyParcels, durationMs * 20)
    for (let n = 0; n < count; n++) ready.push(letters.next().value)
    const messages = ready.values()
    return perSecond(await runLoad({ senders, inFlight, messages, durationMs, clock }))
  }
  const { warmUpMs, roundMs } = init.load
  return { warmUp: async () => run(warmUpMs), round: async () => run(roundMs) }
}

/** Letters that only their recipient could tell from real ones: what is sealed is random. */
function* letterAfterLetter(
  platform: ReturnType<typeof nodePlatform>,
  accounts: readonly MadeAccount[],
  expiresAtHours: number,
): Generator<Parcel, never> {
  for (;;) {
    for (const { mailbox, keyId, doorId, doorKey } of accounts) {
      const header = encodeEnvelopeHeader({ suite: suiteXWing, keyId, expiresAtHours })
      const rest = envelopeBytesMin - envelopeHeaderBytes + sealedBytes
      const envelope = Buffer.concat([header, platform.random(rest)])
      const id = itemIdOf(platform, envelope)
      const proof = doorProof(platform, doorKey, mailbox, id)
      yield { id, mailbox, doorId, proof, envelope }
    }
  }
}
