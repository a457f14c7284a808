/** The control API over fake services, with a clock that a test moves, and without a socket. @module */

import type { Test } from 'tap'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import { AbzuError, type ErrorCode } from '../../src/base/util/errors.ts'
import type { Log } from '../../src/base/util/log.ts'
import { createApp } from '../../src/surface/api/app.ts'
import { fakeServices } from './fake-services.ts'
import { ManualTime } from './manual-time.ts'

export interface Asked {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly token?: string
  readonly body?: unknown
  /** Sent as it is, in the place of `body`. */
  readonly raw?: string
  readonly headers?: Record<string, string>
}

/** Idle sessions end after this. */
export const sessionIdleMinutes = 5

/** An API with two unlocked accounts, `anna` and `berta`. */
export async function testApi(t: Test) {
  const services = fakeServices()
  const time = new ManualTime()
  const closing = new AbortController()
  const logged: string[] = []
  const record = (event: string, fields?: object) => void logged.push(`${event} ${inspect(fields)}`)
  const log: Log = { debug: record, info: record, warn: record, error: record }
  const app = await createApp(
    {
      config: { limits: { sessionIdleMinutes } },
      services,
      platform: nodePlatform(),
      clock: time,
      scheduler: time,
      log,
    },
    closing.signal,
  )
  t.teardown(() => app.close())

  async function ask({ method, url, token, body, raw, headers }: Asked) {
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body))
    const response = await app.inject({
      method,
      url,
      ...(payload !== undefined && { payload }),
      headers: {
        ...(payload !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers,
      },
    })
    const { statusCode: status, body: text } = response
    return { status, text, headers: response.headers, json: () => JSON.parse(text) as never }
  }

  async function create(name: string): Promise<string> {
    const body = { name, role: 'admin', password: `password of ${name}` }
    const { token } = (await ask({ method: 'POST', url: '/v1/accounts', body })).json() as {
      token: string
    }
    return token
  }

  const anna = { token: await create('anna'), member: services.accounts.member('anna') }
  const berta = { token: await create('berta'), member: services.accounts.member('berta') }
  return { app, ask, anna, berta, services, time, closing, logged }
}

export type TestApi = Awaited<ReturnType<typeof testApi>>

/** Everything that a log's fields say, causes included. */
function inspect(fields: object | undefined): string {
  return JSON.stringify(fields, (_, value: unknown) =>
    value instanceof Error
      ? {
          message: value.message,
          cause: value.cause,
          ...(value instanceof AbzuError && { code: value.code }),
        }
      : value,
  )
}

/** The answer to a call that is refused. */
export function refusal(code: ErrorCode) {
  return { error: { code, message: String } }
}
