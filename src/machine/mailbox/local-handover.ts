import type { PeerId } from '../../base/util/brand.ts'
import type { Answer, Handover, Parcel } from './courier.ts'
import type { Mailboxes } from './mailboxes.ts'

/** A letter between two accounts of one node: the same checks, no stream. */
export class LocalHandover implements Handover {
  readonly closed: Promise<void>
  readonly #mailboxes: Pick<Mailboxes, 'take'>
  readonly #peer: PeerId
  readonly #close: () => void
  inFlight = 0

  constructor(mailboxes: Pick<Mailboxes, 'take'>, peer: PeerId) {
    const closed = Promise.withResolvers<void>()
    this.closed = closed.promise
    this.#close = closed.resolve
    this.#mailboxes = mailboxes
    this.#peer = peer
  }

  async deliver(parcel: Parcel): Promise<Answer> {
    const by = this.#peer
    this.inFlight++
    const [taken] = await this.#mailboxes.take([{ requestId: 0, ...parcel }], by)
    this.inFlight--
    if (taken?.kind === 'durable') {
      return { kind: 'receipt', by, as: taken.as, holdUntilHours: taken.holdUntilHours }
    }
    const { error = 'ABZU_INTERNAL', retryAfterMs = 0, record = new Uint8Array() } = taken ?? {}
    return { kind: 'refused', by, error, retryAfterMs, record }
  }

  async close(): Promise<void> {
    this.#close()
  }
}
