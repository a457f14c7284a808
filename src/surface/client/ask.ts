import type { Scheduler } from '../../base/util/clock.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { systemScheduler } from '../../base/util/system-time.ts'
import { throwIfError } from './answers.ts'
import { exchange, fillPath, readJson, type HttpAnswer } from './http.ts'
import type { Route } from './route.ts'

const timeoutMsDefault = 30_000

export interface AbzuClientInit {
  /** Absolute path of the daemon's socket: `api.sock` in its ABZU_HOME. */
  readonly socketPath: string
  /** Of a session, for what acts as an account. */
  readonly token?: string | undefined
  readonly timeoutMs?: number | undefined
  readonly scheduler?: Scheduler | undefined
}

/** What a call says beside its route. */
export interface RequestParts {
  /** Of the path. */
  readonly params?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly octets?: Uint8Array
}

/** Asks a route of the daemon. The answer has begun when this resolves, and is not checked.
 *  @throws {AbzuError} the one that the daemon answered, ABZU_NO_DAEMON, ABZU_DENIED, ABZU_TIMEOUT, ABZU_CLOSED,
 *  ABZU_PROTOCOL_VIOLATION; the signal's reason */
export async function ask(
  { socketPath, token, timeoutMs, scheduler = systemScheduler }: AbzuClientInit,
  route: Route,
  { params = {}, body, octets }: RequestParts,
  signal?: AbortSignal,
): Promise<HttpAnswer> {
  const answer = await exchange({
    socketPath,
    method: route.method,
    path: fillPath(route.path, params),
    token,
    body,
    octets,
    timeoutMs: Math.max(timeoutMs ?? timeoutMsDefault, route.timeoutMs ?? 0),
    scheduler,
    signal,
  })
  if (answer.status < 400) return answer
  throwIfError(await readJson(answer.chunks))
  throw new AbzuError('ABZU_PROTOCOL_VIOLATION', `the daemon answered status ${answer.status}`)
}
