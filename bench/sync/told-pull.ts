/** @module */

import type { PeerId } from '../../src/base/util/brand.ts'
import { silentLog } from '../../src/base/util/log.ts'
import { AbzuError, toAbzuError } from '../../src/base/util/errors.ts'
import { syncProtocol } from '../../src/base/wire/protocols.ts'
import { HostErrand, type HostErrandDeps } from '../../src/machine/sync/host-errand.ts'
import { Puller, type PullerDeps } from '../../src/machine/sync/puller.ts'
import { SourceCursor, type SyncCursorsDeps } from '../../src/machine/sync/sync-cursors.ts'
import type { FrameStream } from '../../src/machine/transport/frame-stream.ts'
import type { Transport } from '../../src/machine/transport/transport.ts'

export interface ToldPullDeps extends PullerDeps, HostErrandDeps {
  readonly mailboxes: PullerDeps['mailboxes'] & HostErrandDeps['mailboxes']
  readonly items: PullerDeps['items'] & HostErrandDeps['items']
  readonly transport: Pick<Transport, 'open'>
}

/** One pull, whose repair begins when it is told to: the syncer's waits two seconds for news that may be on its way. */
export class ToldPull {
  readonly #stream: FrameStream
  readonly #puller: Puller
  #mark = Promise.withResolvers<void>()

  /** Resolves when all that is new since the cursor of this peer among `cursors` is durable here. */
  static async begin(
    deps: ToldPullDeps,
    peer: PeerId,
    cursors: SyncCursorsDeps,
  ): Promise<ToldPull> {
    const cursor = await SourceCursor.open(cursors, peer, silentLog)
    const stream = await deps.transport.open(peer, syncProtocol)
    const pull = new ToldPull(deps, stream, cursor)
    await pull.#mark.promise
    return pull
  }

  private constructor(deps: ToldPullDeps, stream: FrameStream, cursor: SourceCursor) {
    const marked = () => this.#mark.resolve()
    const errand = new HostErrand(deps, { peer: stream.peer, cursor, marked })
    this.#stream = stream
    this.#puller = new Puller(deps, stream, errand)
    this.#puller.run().catch((error: unknown) => {
      stream.abort(toAbzuError(error))
      this.#mark.reject(error)
      this.#mark.promise.catch(() => undefined)
    })
  }

  /** Resolves, once what was lacking here is durable, to how many items that was.
   *  @throws {Error} where it was nothing */
  async repair(): Promise<number> {
    this.#mark = Promise.withResolvers()
    const { items } = await this.#puller.repair()
    if (items === 0) throw new Error('there was nothing to repair')
    await this.#mark.promise
    return items
  }

  end(): void {
    this.#stream.abort(new AbzuError('ABZU_CLOSED', 'the pull is over'))
  }
}
