/** Connections to a benchmark server: one machine each, as if that many nodes delivered. @module */

import { silentLog } from '../../src/base/util/log.ts'
import { deliverProtocol } from '../../src/base/wire/protocols.ts'
import { Courier, type Parcel } from '../../src/machine/mailbox/courier.ts'
import type { FrameStream } from '../../src/machine/transport/frame-stream.ts'
import { openTransport } from '../../src/machine/transport/open-transport.ts'
import type { Transport } from '../../src/machine/transport/transport.ts'
import type { Send } from '../load.ts'
import { countedSender } from './counting-stream.ts'
import type { RigDeps } from './rig.ts'
import type { Work } from './server-messages.ts'
import type { ServerAddress } from './server-process.ts'

export interface SendersInit {
  readonly at: ServerAddress
  readonly work: Work
  readonly connections: number
}

/** Opens the connections and one delivery stream over each. `deps.open` takes them. */
export async function connectSenders(deps: RigDeps, init: SendersInit): Promise<Send<Parcel>[]> {
  const senders: Send<Parcel>[] = []
  for (let n = 0; n < init.connections; n++) {
    const stream = await openStream(deps, init.at)
    senders.push(init.work === 'stream' ? countedSender(stream) : courierSender(deps, stream))
  }
  return senders
}

async function openStream(deps: RigDeps, { peerId, address }: ServerAddress): Promise<FrameStream> {
  const transport = deps.open.add(await openCaller(deps))
  return transport.open(peerId, deliverProtocol, { addresses: [address], signal: deps.signal })
}

/** A new machine that only dials. */
export async function openCaller({
  platform,
  clock,
  scheduler,
}: Pick<RigDeps, 'platform' | 'clock' | 'scheduler'>): Promise<Transport> {
  return openTransport({
    machineSeed: platform.random(32),
    tcp: [],
    clock,
    scheduler,
    random: (length) => platform.random(length),
    log: silentLog,
  })
}

/** What a node does: waits for the verified receipt. */
function courierSender(
  { platform, clock, scheduler, open }: RigDeps,
  stream: FrameStream,
): Send<Parcel> {
  const courier = open.add(new Courier({ platform, clock, scheduler }, stream))
  return async (parcel) => {
    const answer = await courier.deliver(parcel)
    if (answer.kind !== 'receipt') throw new Error(`a delivery was refused: ${answer.error}`)
  }
}
