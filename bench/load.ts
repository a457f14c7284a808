/** A closed load: so many senders, each with so many messages unanswered. @module */

import type { Clock } from '../src/base/util/clock.ts'
import { median } from './rounds.ts'

/** Sends one message; resolves when the server has acknowledged it. */
export type Send<M> = (message: M) => Promise<void>

export interface LoadInit<M> {
  /** One for each connection. */
  readonly senders: readonly Send<M>[]
  /** Unanswered messages of each sender. */
  readonly inFlight: number
  /** The load ends with the last of them, or... */
  readonly messages: Iterator<M>
  /** ...after this time, when all that was sent is acknowledged. */
  readonly durationMs: number
  readonly clock: Pick<Clock, 'monotonicMs'>
}

export interface LoadResult {
  /** Acknowledged messages. */
  readonly messages: number
  readonly elapsedMs: number
  /** From the call of a send to its acknowledgement. */
  readonly medianMs: number
}

/** Acknowledged messages a second. */
export function perSecond({ messages, elapsedMs }: LoadResult): number {
  return (messages * 1000) / elapsedMs
}

/** Runs the load and waits for the last acknowledgement.
 *  @throws the first error of a sender, or an Error where there was no message to send */
export async function runLoad<M>(init: LoadInit<M>): Promise<LoadResult> {
  const { senders, inFlight, messages, durationMs, clock } = init
  const latenciesMs: number[] = []
  const startMs = clock.monotonicMs()
  const endMs = startMs + durationMs
  const failure = new AbortController()

  const sendInTurn = async (send: Send<M>): Promise<void> => {
    try {
      for (let sentMs = startMs; sentMs < endMs && !failure.signal.aborted;) {
        const next = messages.next()
        if (next.done) return
        await send(next.value)
        const nowMs = clock.monotonicMs()
        latenciesMs.push(nowMs - sentMs)
        sentMs = nowMs
      }
    } catch (error) {
      failure.abort(error)
      throw error
    }
  }

  const lanes = senders.flatMap((send) => Array.from({ length: inFlight }, () => sendInTurn(send)))
  await Promise.all(lanes)
  const elapsedMs = clock.monotonicMs() - startMs
  if (latenciesMs.length === 0) throw new Error('a load without messages')
  return { messages: latenciesMs.length, elapsedMs, medianMs: median(latenciesMs) }
}
