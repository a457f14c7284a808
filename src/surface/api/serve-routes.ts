/** Registers the table of routes: session, checks, time and shape of each are the same. @module */

import { addAbortSignal } from 'node:stream'
import { errorCodes, type FastifyInstance, type FastifyRequest, type FastifySchema } from 'fastify'
import type { Scheduler } from '../../base/util/clock.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { withTimeout } from '../../base/util/wait.ts'
import type { Role } from '../../user/household/role.ts'
import type { Operation } from '../../user/household/decisions.ts'
import type { Aim } from '../../user/household/authority.ts'
import type { Route } from '../client/route.ts'
import { routes, type RouteName } from '../client/routes.ts'
import { errorSchema } from '../client/schemas.ts'
import { apiLimits } from './api-limits.ts'
import { byteStream } from './byte-stream.ts'
import type { Failure } from './failure.ts'
import type { Handlers } from './calls.ts'
import { lineStream } from './line-stream.ts'
import type { AuthorityService, LimitsService, MemberService } from './services.ts'
import type { Sessions } from './sessions.ts'

export interface RoutesDeps {
  readonly handlers: Handlers
  readonly sessions: Pick<Sessions, 'member'>
  readonly authority: AuthorityService
  readonly limits: Pick<LimitsService, 'call'>
  /** Somebody with a session may not do this to another account. Whatever comes of telling it, it is refused. */
  readonly denied: (attempt: {
    readonly operation: Operation
    readonly by: string
    readonly account: string
  }) => Promise<void>
  readonly scheduler: Scheduler
  /** Aborts when the API closes. */
  readonly closing: AbortSignal
  /** Logs an error and says what the caller is told of it. */
  readonly tell: (error: unknown, route: string) => Failure
}

export function serveRoutes(app: FastifyInstance, deps: RoutesDeps): void {
  const { handlers, sessions, authority, limits, denied, scheduler, closing, tell } = deps
  const callers = new WeakMap<FastifyRequest, MemberService>()

  for (const [name, route] of Object.entries<Route>(routes)) {
    // each handler has the types of its own route, which a loop over all of them cannot express
    const handle = handlers[name as RouteName] as (call: unknown) => unknown
    app.route({
      method: route.method,
      url: route.path,
      schema: schemaOf(name, route),
      ...(route.piece && { bodyLimit: apiLimits.pieceBytesMax }),
      // before the body is read: who has no session is not listened to
      onRequest: async (request) => {
        const { authorization, 'content-type': media } = request.headers
        if ((media === octets) !== (route.piece ?? false)) throw unsupported(media)
        if (authorization !== undefined || route.caller === 'member') {
          callers.set(request, sessions.member(bearerToken(authorization)))
        }
        limits.call(callers.get(request)?.id)
        const { operation, on = 'node' } = route
        if (on === 'node' || on === 'self') authority.expect(callers.get(request), operation, on)
      },
      preHandler: async (request) => {
        const aim = aimOf(route, request)
        if (!aim) return
        const caller = callers.get(request)
        try {
          authority.expect(caller, route.operation, aim)
        } catch (error) {
          if (caller && typeof aim === 'object' && 'account' in aim) {
            await denied({ operation: route.operation, by: caller.id, account: aim.account })
          }
          throw error
        }
      },
      handler: async (request, reply) => {
        const gone = new AbortController()
        reply.raw.once('close', () => gone.abort())
        const { params, body } = request
        const answer = await withTimeout(
          scheduler,
          { timeoutMs: route.timeoutMs ?? apiLimits.answerMs, what: route.path },
          async (late) => {
            const signal = AbortSignal.any([late, closing, gone.signal])
            const result = handle({ params, body, member: callers.get(request), signal })
            if (route.bytes) {
              const fail = (error: unknown): void => void tell(error, route.path)
              const bytes = await byteStream((await result) as AsyncIterable<Uint8Array>, fail)
              void reply.type(octets)
              return addAbortSignal(closing, bytes)
            }
            if (!route.lines) return result
            const lines = await lineStream({
              values: result as AsyncIterable<unknown>,
              encode: (value) => route.answer.parse(value),
              fail: (error) => tell(error, route.path).body,
            })
            void reply.type('application/x-ndjson')
            return addAbortSignal(closing, lines)
          },
        )
        if (route.text) void reply.type(route.text)
        return reply.send(answer)
      },
    })
  }
}

function schemaOf(
  name: string,
  { summary, params, body, answer, lines, text, bytes, caller }: Route,
): FastifySchema {
  const media = lines ? 'application/x-ndjson' : bytes ? octets : text
  return {
    operationId: name,
    summary,
    ...(params && { params }),
    ...(body && { body }),
    ...(caller === 'member' && { security: [{ session: [] }] }),
    response: {
      200: media === undefined ? answer : { content: { [media]: { schema: answer } } },
      '4xx': errorSchema,
      '5xx': errorSchema,
    },
  }
}

const octets = 'application/octet-stream'

function unsupported(media: string | undefined): Error {
  return new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE(media)
}

/** @throws {AbzuError} ABZU_SESSION_INVALID */
function bearerToken(authorization: string | undefined): string {
  const [, token] = /^Bearer ([\w-]{43})$/.exec(authorization ?? '') ?? []
  if (token === undefined) {
    throw new AbzuError('ABZU_SESSION_INVALID', 'this needs a session: Authorization: Bearer ...')
  }
  return token
}

/** What a checked request is about, where the route does not say so by itself. */
function aimOf({ on }: Route, { params, body }: FastifyRequest): Aim | undefined {
  if (on === 'account') return { account: (params as { account: string }).account }
  return on === 'role' ? { role: (body as { role?: Role }).role ?? 'adult' } : undefined
}
