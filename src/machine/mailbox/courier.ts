/**
 * The sending side of one delivery stream: pipelined requests, a bounded window, receipts that are
 * verified before anything is believed.
 * @see docs/protocol.md#delivery
 * @module
 */

import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { machineKeyOf } from '../../base/crypto/address.ts'
import { openReceipt } from '../../base/crypto/receipt.ts'
import type { ItemId, PeerId } from '../../base/util/brand.ts'
import { equalBytes } from '../../base/util/bytes.ts'
import type { Cancel, Clock, Scheduler } from '../../base/util/clock.ts'
import { AbzuError, toAbzuError, type ErrorCode } from '../../base/util/errors.ts'
import { sleep } from '../../base/util/wait.ts'
import {
  decodeDeliverAnswer,
  encodeDeliverRequest,
  type DeliverAnswer,
  type Pass,
} from '../../base/wire/deliver.ts'
import { errorCode } from '../../base/wire/error-numbers.ts'
import type { Receipt } from '../../base/wire/records.ts'
import type { FrameStream } from '../transport/frame-stream.ts'

export type Parcel = Pass & {
  readonly id: ItemId
  /** 32 bytes. */
  readonly mailbox: Uint8Array
  readonly envelope: Uint8Array
}

export type Answer =
  | {
      readonly kind: 'receipt'
      readonly by: PeerId
      readonly as: Receipt['as']
      readonly holdUntilHours: number
    }
  | {
      readonly kind: 'refused'
      readonly by: PeerId
      readonly error: ErrorCode
      readonly retryAfterMs: number
      /** With ABZU_STALE_KEY and ABZU_STAMP_INVALID: the newest signed record, not verified. */
      readonly record: Uint8Array
    }

export interface CourierDeps {
  readonly platform: Pick<CryptoPlatform, 'ed25519'>
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly scheduler: Scheduler
}

/** Hands parcels over to one host. */
export interface Handover {
  /** Parcels without an answer. The caller keeps them below `deliveriesInFlightMax`. */
  readonly inFlight: number
  /** Resolves when the way to the host is gone; every parcel without an answer is rejected. */
  readonly closed: Promise<void>
  /** Hands one parcel over and resolves with the host's verified answer.
   *  @throws {AbzuError} ABZU_TIMEOUT, ABZU_CLOSED, ABZU_PROTOCOL_VIOLATION, those of the transport */
  deliver(parcel: Parcel): Promise<Answer>
  close(): Promise<void>
}

interface Waiting {
  readonly id: ItemId
  readonly sentAtMs: number
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: AbzuError) => void
}

/** What a host has to answer a parcel. */
const answerTimeoutMs = 30_000
const closeTimeoutMs = 1000

/** A host reached over a stream. */
export class Courier implements Handover {
  readonly closed: Promise<void>
  readonly #deps: CourierDeps
  readonly #stream: FrameStream
  readonly #machineKey: Uint8Array
  /** In the order of sending. */
  readonly #waiting = new Map<number, Waiting>()
  #nextRequestId = 0
  #cancelWatch: Cancel | undefined

  constructor(deps: CourierDeps, stream: FrameStream) {
    this.#deps = deps
    this.#stream = stream
    this.#machineKey = machineKeyOf(stream.peer)
    this.closed = this.#read()
  }

  get inFlight(): number {
    return this.#waiting.size
  }

  async deliver({ id, ...request }: Parcel): Promise<Answer> {
    await this.#stream.ready()
    const requestId = this.#nextRequestId++ % 2 ** 32
    return new Promise<Answer>((resolve, reject) => {
      this.#stream.send(encodeDeliverRequest({ requestId, ...request }))
      const sentAtMs = this.#deps.clock.monotonicMs()
      this.#waiting.set(requestId, { id, sentAtMs, resolve, reject })
      this.#cancelWatch ??= this.#watch(answerTimeoutMs)
    })
  }

  /** One timer for all: whoever waits longest is first in the map. */
  #watch(delayMs: number): Cancel {
    return this.#deps.scheduler.after(delayMs, () => {
      this.#cancelWatch = undefined
      const [oldest] = this.#waiting.values()
      if (!oldest) return
      const leftMs = oldest.sentAtMs + answerTimeoutMs - this.#deps.clock.monotonicMs()
      if (leftMs > 0) this.#cancelWatch = this.#watch(leftMs)
      else this.#stream.abort(new AbzuError('ABZU_TIMEOUT', 'the host does not answer'))
    })
  }

  /** Ends the stream, in good order where the host goes along within a second. */
  async close(): Promise<void> {
    let reason = new AbzuError('ABZU_CLOSED', 'the courier was closed')
    try {
      await this.#stream.end()
      await Promise.race([this.closed, sleep(this.#deps.scheduler, closeTimeoutMs)])
    } catch (error) {
      reason = toAbzuError(error)
    }
    this.#stream.abort(reason)
  }

  async #read(): Promise<void> {
    let reason = new AbzuError('ABZU_CLOSED', 'the host ended the delivery stream')
    try {
      for await (const payloads of this.#stream.batches()) {
        for (const payload of payloads) this.#take(decodeDeliverAnswer(payload))
      }
    } catch (error) {
      reason = toAbzuError(error)
      this.#stream.abort(reason)
    }
    this.#cancelWatch?.()
    for (const { reject } of this.#waiting.values()) reject(reason)
    this.#waiting.clear()
  }

  #take(answer: DeliverAnswer): void {
    if (answer.kind === 'refused') {
      const { requestId, error, retryAfterMs, record } = answer
      this.#answer(requestId, {
        kind: 'refused',
        by: this.#stream.peer,
        error: errorCode(error),
        retryAfterMs,
        record,
      })
      return
    }
    const receipt = openReceipt(this.#deps.platform, this.#machineKey, answer.statement)
    const { as, ids, holdUntilHours } = receipt
    for (const [n, requestId] of answer.requestIds.entries()) {
      const waiting = this.#waiting.get(requestId)
      if (waiting && !equalBytes(ids.subarray(32 * n, 32 * n + 32), waiting.id)) {
        throw new AbzuError('ABZU_PROTOCOL_VIOLATION', 'a receipt for something else')
      }
      this.#answer(requestId, { kind: 'receipt', by: this.#stream.peer, as, holdUntilHours })
    }
  }

  #answer(requestId: number, answer: Answer): void {
    const waiting = this.#waiting.get(requestId)
    this.#waiting.delete(requestId)
    waiting?.resolve(answer)
  }
}
