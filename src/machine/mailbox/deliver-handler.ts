/**
 * Serves `/abzu/deliver/1.0.0`: a remote node hands over sealed mail for mailboxes hosted here.
 * Framing, credit, timeouts and error frames are the transport's.
 * @see docs/protocol.md#delivery
 * @module
 */

import { signReceipt } from '../../base/crypto/receipt.ts'
import { concatBytes } from '../../base/util/bytes.ts'
import type { Scheduler } from '../../base/util/clock.ts'
import { AbzuError, toAbzuError } from '../../base/util/errors.ts'
import {
  decodeDeliverRequest,
  deliveriesInFlightMax,
  encodeDeliverAnswer,
  type DeliverAnswer,
  type DeliverRequest,
} from '../../base/wire/deliver.ts'
import { errorNumber } from '../../base/wire/error-numbers.ts'
import type { FrameStream } from '../transport/frame-stream.ts'
import type { Mailboxes } from './mailboxes.ts'
import type { Taken } from './taken.ts'

export interface DeliverHandlerDeps {
  readonly mailboxes: Pick<Mailboxes, 'take'>
  /** Signs with the machine key. */
  readonly sign: (bytes: Uint8Array) => Uint8Array
  readonly scheduler: Pick<Scheduler, 'soon'>
}

type Durable = Extract<Taken, { kind: 'durable' }> & { readonly requestId: number }

/** One stream's receipts: what became durable in one turn of the event loop, hence in one commit, is
 *  signed once; and apart, what is for mailboxes of which this node is not the home. */
class ReceiptDesk {
  readonly #deps: DeliverHandlerDeps
  readonly #stream: FrameStream
  #due: Durable[] = []

  constructor(deps: DeliverHandlerDeps, stream: FrameStream) {
    this.#deps = deps
    this.#stream = stream
  }

  add(durable: Durable): void {
    if (this.#due.push(durable) > 1) return
    this.#deps.scheduler.soon(() => {
      try {
        this.flush()
      } catch (error) {
        this.#stream.abort(toAbzuError(error))
      }
    })
  }

  /** @throws {AbzuError} ABZU_CLOSED, ABZU_OVERLOADED: those of the stream */
  flush(): void {
    const due = this.#due
    if (due.length === 0) return
    this.#due = []
    for (const [as, ofOne] of Map.groupBy(due, (durable) => durable.as)) this.#sign(as, ofOne)
  }

  #sign(as: Durable['as'], due: readonly Durable[]): void {
    const statement = signReceipt(this.#deps.sign, {
      v: 1,
      as,
      ids: concatBytes(...due.map(({ id }) => id)),
      holdUntilHours: Math.min(...due.map(({ holdUntilHours }) => holdUntilHours)),
    })
    const requestIds = due.map(({ requestId }) => requestId)
    this.#stream.send(encodeDeliverAnswer({ kind: 'receipt', requestIds, statement }))
  }
}

/** Returns a handler for one stream, which resolves when the peer has ended it and every answer is
 *  on its way. */
export function deliverHandler(deps: DeliverHandlerDeps): (stream: FrameStream) => Promise<void> {
  return async (stream) => {
    const desk = new ReceiptDesk(deps, stream)
    const unanswered = new Set<Promise<void>>()
    let inFlight = 0
    for await (const payloads of stream.batches()) {
      const requests = payloads.map(decodeDeliverRequest)
      inFlight += requests.length
      if (inFlight > deliveriesInFlightMax) {
        throw new AbzuError('ABZU_PROTOCOL_VIOLATION', 'too many deliveries in flight')
      }
      const answering = answer(deps, { stream, desk }, requests)
        .catch((error: unknown) => stream.abort(toAbzuError(error)))
        .finally(() => {
          inFlight -= requests.length
          unanswered.delete(answering)
        })
      unanswered.add(answering)
    }
    await Promise.all(unanswered)
    desk.flush()
  }
}

async function answer(
  { mailboxes }: DeliverHandlerDeps,
  { stream, desk }: { stream: FrameStream; desk: ReceiptDesk },
  requests: readonly DeliverRequest[],
): Promise<void> {
  const taken = await mailboxes.take(requests, stream.peer, stream.neighbour)
  for (const [n, result] of taken.entries()) {
    const { requestId } = requests[n] as DeliverRequest
    if (result.kind === 'durable') desk.add({ ...result, requestId })
    else stream.send(encodeDeliverAnswer(refusedAnswer(requestId, result)))
  }
}

function refusedAnswer(
  requestId: number,
  { error, retryAfterMs, record = new Uint8Array() }: Extract<Taken, { kind: 'refused' }>,
): DeliverAnswer {
  return { kind: 'refused', requestId, error: errorNumber(error), retryAfterMs, record }
}
