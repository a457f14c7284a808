/** HTTP over the daemon's Unix socket, with bounds on time and size. @module */

import { request as httpRequest, type IncomingMessage } from 'node:http'
import { fromUtf8 } from '../../base/util/bytes.ts'
import type { Scheduler } from '../../base/util/clock.ts'
import { AbzuError, type ErrorCode } from '../../base/util/errors.ts'

/** Of an answer that is read whole. */
const answerBytesMax = 16 * 1024 * 1024
/** Of one line of an answer that is read by lines. */
const lineBytesMax = 1024 * 1024

export interface Exchange {
  readonly socketPath: string
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly token?: string | undefined
  /** Sent as JSON. */
  readonly body?: unknown
  /** Sent as it is, in the place of `body`. */
  readonly octets?: Uint8Array | undefined
  /** Bound on the wait for the answer, and on each pause inside it. */
  readonly timeoutMs: number
  readonly scheduler: Scheduler
  readonly signal?: AbortSignal | undefined
}

export interface HttpAnswer {
  readonly status: number
  /** To be read to its end, once; leaving early drops the connection. */
  readonly chunks: AsyncIterable<Uint8Array>
}

const codeBySystemCode: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'ABZU_NO_DAEMON',
  ECONNREFUSED: 'ABZU_NO_DAEMON',
  ENOTSOCK: 'ABZU_NO_DAEMON',
  EACCES: 'ABZU_DENIED',
  EPERM: 'ABZU_DENIED',
  ECONNRESET: 'ABZU_CLOSED',
  EPIPE: 'ABZU_CLOSED',
  ETIMEDOUT: 'ABZU_TIMEOUT',
}

/** Sends one request on a connection of its own and resolves with the head of the answer.
 *  @throws {AbzuError} ABZU_NO_DAEMON where nobody listens; ABZU_DENIED where the socket is another
 *  user's; ABZU_TIMEOUT; ABZU_CLOSED where the daemon went away */
export async function exchange(init: Exchange): Promise<HttpAnswer> {
  const { socketPath, method, path, token, octets, signal } = init
  signal?.throwIfAborted()
  const body = init.body === undefined ? undefined : JSON.stringify(init.body)
  const request = httpRequest({
    socketPath,
    method,
    path,
    agent: false,
    headers: {
      host: 'abzu',
      accept: 'application/json, application/x-ndjson, text/plain',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(octets && { 'content-type': 'application/octet-stream' }),
    },
    ...(signal && { signal }),
  })
  const watch = stopwatch(init, (error) => request.destroy(error))
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve)
      request.on('error', reject)
      request.end(octets ?? body)
    })
    return { status: response.statusCode ?? 0, chunks: chunksOf(response, watch, socketPath) }
  } catch (error) {
    watch.stop()
    throw connectionError(error, socketPath)
  }
}

/** The whole answer as JSON.
 *  @throws {AbzuError} ABZU_PROTOCOL_VIOLATION where it is none, or too large; those of `exchange` */
export async function readJson(chunks: AsyncIterable<Uint8Array>): Promise<unknown> {
  return parseJson(await readWhole(chunks))
}

/** The whole answer as text.
 *  @throws {AbzuError} ABZU_PROTOCOL_VIOLATION where it is none, or too large; those of `exchange` */
export async function readText(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const text = fromUtf8(await readWhole(chunks))
  if (text === undefined) throw violation('what is not text')
  return text
}

async function readWhole(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    length += chunk.length
    if (length > answerBytesMax) throw violation('an answer that is too large')
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}

/** Each line of newline-delimited JSON as it arrives.
 *  @throws {AbzuError} ABZU_PROTOCOL_VIOLATION where a line is no JSON, too long or cut off */
export async function* readJsonLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator {
  let rest = Buffer.alloc(0)
  for await (const chunk of chunks) {
    rest = Buffer.concat([rest, chunk])
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      yield parseJson(rest.subarray(0, end))
      rest = rest.subarray(end + 1)
    }
    if (rest.length > lineBytesMax) throw violation('a line that is too long')
  }
  if (rest.length > 0) throw violation('a line that is cut off')
}

interface Stopwatch {
  restart(): void
  stop(): void
  /** ABZU_TIMEOUT once the time was over; undefined before. */
  expired(): AbzuError | undefined
}

/** Calls `destroy` once `timeoutMs` after its start or last restart. */
function stopwatch(
  { scheduler, timeoutMs }: Pick<Exchange, 'scheduler' | 'timeoutMs'>,
  destroy: (error: AbzuError) => void,
): Stopwatch {
  let cancel = () => {}
  let error: AbzuError | undefined
  const stop = () => cancel()
  const restart = () => {
    stop()
    cancel = scheduler.after(timeoutMs, () => {
      error = new AbzuError('ABZU_TIMEOUT', `the daemon said nothing for ${timeoutMs} ms`)
      destroy(error)
    })
  }
  restart()
  return { restart, stop, expired: () => error }
}

/** The body's chunks. The time that the reader takes between them does not count as silence. */
async function* chunksOf(
  response: IncomingMessage,
  watch: Stopwatch,
  socketPath: string,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      watch.stop()
      yield chunk
      watch.restart()
    }
  } catch (error) {
    throw watch.expired() ?? connectionError(error, socketPath)
  } finally {
    watch.stop()
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(bytes) ?? '')
  } catch (cause) {
    throw violation('what is not JSON', cause)
  }
}

function violation(what: string, cause?: unknown): AbzuError {
  return new AbzuError('ABZU_PROTOCOL_VIOLATION', `the daemon answered ${what}`, { cause })
}

function connectionError(error: unknown, socketPath: string): unknown {
  if (error instanceof AbzuError || (error as Error).name === 'AbortError') return error
  const code = codeBySystemCode[(error as NodeJS.ErrnoException).code ?? ''] ?? 'ABZU_IO'
  const message =
    code === 'ABZU_NO_DAEMON'
      ? `no daemon answers at ${socketPath}`
      : `the connection to the daemon at ${socketPath} failed`
  return new AbzuError(code, message, { cause: error })
}

/** The path of a route with its parameters in their places. */
export function fillPath(path: string, params: Readonly<Record<string, string>>): string {
  return path.replaceAll(/:(\w+)/g, (_, name: string) =>
    encodeURIComponent((params[name] ?? '').toWellFormed()),
  )
}
