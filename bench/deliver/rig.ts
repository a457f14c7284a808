/** A server process, the connections to it, and what one round of load on them measures. @module */

import type { CryptoPlatform } from '../../src/base/crypto/platform.ts'
import { perSecond, runLoad, type LoadResult, type Send } from '../load.ts'
import type { PartContext } from '../harness.ts'
import type { Variant } from '../rounds.ts'
import type { Parcel } from '../../src/machine/mailbox/courier.ts'
import type { Steps } from './meter.ts'
import type { Post } from './sealing.ts'
import { connectSenders } from './senders.ts'
import { ServerProcess } from './server-process.ts'
import type { Carrier, ServerUsage, Work } from './server-messages.ts'

/** What a round tells of one server. */
export interface Sample {
  readonly perSecond: number
  readonly medianMs: number
  /** CPU time of the server for each message, us. */
  readonly cpuUs: number
  /** Of that, the main thread's steps. */
  readonly steps: Steps
}

export interface RigDeps extends Pick<PartContext, 'clock' | 'scheduler' | 'open' | 'signal'> {
  readonly platform: CryptoPlatform
}

export interface RigInit {
  readonly work: Work
  readonly connections: number
  /** Exists and is empty. */
  readonly dir: string
  readonly post: Post
  readonly load: RigLoad
  /** @default 'tcp' */
  readonly carrier?: Carrier
  /** See `ServerInit`. */
  readonly commitDelayMs?: number
}

export interface RigLoad {
  readonly inFlight: number
  readonly warmUpMs: number
  readonly roundMs: number
  /** In one round: what a store keeps is sent once, so a round leaves some to the next. */
  readonly roundMessagesMax: number
}

const storing: ReadonlySet<Work> = new Set<Work>(['durable', 'slow-disk'])

export class Rig implements Variant<Sample> {
  readonly name: string
  readonly #deps: RigDeps
  readonly #init: RigInit
  readonly #server: ServerProcess
  readonly #senders: readonly Send<Parcel>[]
  readonly #parcels: Iterator<Parcel>
  readonly #rehearsal: Iterator<Parcel>

  private constructor(
    deps: RigDeps,
    init: RigInit,
    { server, senders }: { server: ServerProcess; senders: readonly Send<Parcel>[] },
  ) {
    const { parcels, rehearsal } = init.post
    const isStoring = storing.has(init.work)
    this.name = init.work
    this.#deps = deps
    this.#init = init
    this.#server = server
    this.#senders = senders
    this.#parcels = isStoring ? parcels.values() : endless(parcels)
    this.#rehearsal = isStoring ? rehearsal.values() : endless(rehearsal)
  }

  /** `deps.open` takes what it opens. */
  static async start(deps: RigDeps, init: RigInit): Promise<Rig> {
    const { work, connections, dir, post, carrier = 'tcp', commitDelayMs = 0 } = init
    const { recipients } = post
    const serverInit = { work, carrier, dir, recipients, commitDelayMs }
    const server = await ServerProcess.start(serverInit, deps)
    const senders = await connectSenders(deps, { at: server.at, work, connections })
    return new Rig(deps, init, { server, senders })
  }

  async warmUp(): Promise<void> {
    await this.#run(this.#rehearsal, this.#init.load.warmUpMs)
  }

  async round(): Promise<Sample> {
    const { roundMs, roundMessagesMax } = this.#init.load
    const before = await this.#server.usage()
    const load = await this.#run(atMost(this.#parcels, roundMessagesMax), roundMs)
    const after = await this.#server.usage()
    const perMessage = (us: (usage: ServerUsage) => number) =>
      (us(after) - us(before)) / load.messages
    return {
      perSecond: perSecond(load),
      medianMs: load.medianMs,
      cpuUs: perMessage(({ cpuUs }) => cpuUs),
      steps: {
        checks: perMessage(({ steps }) => steps.checks),
        receipts: perMessage(({ steps }) => steps.receipts),
      },
    }
  }

  #run(messages: Iterator<Parcel>, durationMs: number): Promise<LoadResult> {
    const { inFlight } = this.#init.load
    const { clock } = this.#deps
    return runLoad({ senders: this.#senders, inFlight, messages, durationMs, clock })
  }
}

function* endless<T>(values: readonly T[]): Generator<T> {
  for (;;) yield* values
}

/** The next `count` of an iterator that goes on afterwards. */
function* atMost<T>(iterator: Iterator<T>, count: number): Generator<T> {
  for (let n = 0; n < count; n++) {
    const next = iterator.next()
    if (next.done) return
    yield next.value
  }
}
