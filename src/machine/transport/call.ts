/** One request and one answer on a stream of their own. For what is asked now and then. @module */

import type { PeerId } from '../../base/util/brand.ts'
import type { Scheduler } from '../../base/util/clock.ts'
import { AbzuError, toAbzuError } from '../../base/util/errors.ts'
import { withTimeout } from '../../base/util/wait.ts'
import type { Protocol } from '../../base/wire/protocols.ts'
import type { FrameStream } from './frame-stream.ts'
import type { OpenInit, Transport } from './transport.ts'

export interface CallInit extends OpenInit {
  readonly timeoutMs: number
  readonly scheduler: Scheduler
}

/** Sends `request` and resolves with the answer.
 *  @throws {AbzuError} those of `Transport.open`, ABZU_TIMEOUT, ABZU_PROTOCOL_VIOLATION, the error that the
 *  peer answered */
export async function call(
  transport: Pick<Transport, 'open'>,
  peer: PeerId,
  protocol: Protocol,
  request: Uint8Array,
  { timeoutMs, scheduler, signal, ...init }: CallInit,
): Promise<Uint8Array> {
  const limit = { timeoutMs, what: `a call of ${protocol.id}`, signal }
  return withTimeout(scheduler, limit, async (signal) => {
    const stream = await transport.open(peer, protocol, { ...init, signal })
    const onAbort = () => stream.abort(toAbzuError(signal.reason))
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      signal.throwIfAborted()
      stream.send(request)
      await stream.end()
      return await onlyMessage(stream)
    } catch (error) {
      stream.abort(toAbzuError(error))
      throw error
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  })
}

export interface ServeCallsInit {
  readonly timeoutMs: number
  readonly scheduler: Scheduler
  /** Answers one request. What it throws is told to the peer by its number. */
  readonly answer: (
    request: Uint8Array,
    context: { peer: PeerId; signal: AbortSignal },
  ) => Promise<Uint8Array>
}

/** Serves `protocol` to callers. */
export function serveCalls(
  transport: Pick<Transport, 'handle'>,
  protocol: Protocol,
  { timeoutMs, scheduler, answer }: ServeCallsInit,
): void {
  const limit = { timeoutMs, what: `answering a call of ${protocol.id}` }
  transport.handle(protocol, async (stream) =>
    withTimeout(scheduler, limit, async (signal) => {
      const request = await onlyMessage(stream)
      stream.send(await answer(request, { peer: stream.peer, signal }))
      await stream.end()
    }),
  )
}

/** @throws {AbzuError} ABZU_PROTOCOL_VIOLATION where it is not exactly one; those of `batches` */
async function onlyMessage(stream: FrameStream): Promise<Uint8Array> {
  const messages: Uint8Array[] = []
  for await (const batch of stream.batches()) {
    messages.push(...batch)
    if (messages.length > 1) break
  }
  const [message] = messages
  if (message === undefined || messages.length > 1) {
    throw new AbzuError('ABZU_PROTOCOL_VIOLATION', 'a call is one message each way')
  }
  return message
}
