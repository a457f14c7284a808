/**
 * The control API over HTTP, made from the table of routes: limits, sessions, checks, errors.
 * @module
 */

import swagger from '@fastify/swagger'
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
} from 'fastify-type-provider-zod'
import type { Clock, Scheduler } from '../../base/util/clock.ts'
import { AbzuError, toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import type { Config } from '../../config.ts'
import { apiLimits } from './api-limits.ts'
import { failureOf, type Failure } from './failure.ts'
import { createHandlers } from './handlers.ts'
import { serveRoutes, type RoutesDeps } from './serve-routes.ts'
import type { Services } from './services.ts'
import { Sessions, type SessionsDeps } from './sessions.ts'

export interface ApiInit {
  readonly config: { readonly limits: Pick<Config['limits'], 'sessionIdleMinutes'> }
  readonly services: Services
  readonly platform: SessionsDeps['platform']
  readonly clock: Pick<Clock, 'monotonicMs' | 'nowMs'>
  readonly scheduler: Scheduler
  readonly log: Log
}

/** Builds the API without a socket. `closing` ends what requests wait for. */
export async function createApp(init: ApiInit, closing: AbortSignal): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: apiLimits.bodyBytesMax,
    requestTimeout: apiLimits.requestMs,
    connectionTimeout: apiLimits.silenceMs,
    keepAliveTimeout: apiLimits.keepAliveMs,
    http: {
      headersTimeout: apiLimits.headersMs,
      connectionsCheckingInterval: apiLimits.lookEveryMs,
    },
    routerOptions: { maxParamLength: apiLimits.pathPartCharactersMax },
    exposeHeadRoutes: false,
    frameworkErrors: (error, _request, reply: FastifyReply) => {
      const { status, body } = failureOf(error)
      void reply.code(status).send(body)
    },
  })
  app.server.maxConnections = apiLimits.connectionsMax
  app.removeContentTypeParser('text/plain')
  app.addContentTypeParser(
    'application/octet-stream',
    { parseAs: 'buffer' },
    (_request, body, done) => done(null, body),
  )
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  })
  const tell = teller(init.log)
  app.setErrorHandler((error, request, reply) => {
    const { status, body } = tell(error, request.routeOptions.url)
    return reply.code(status).send(body)
  })
  app.setNotFoundHandler(() => {
    throw new AbzuError('ABZU_NOT_FOUND', 'there is no such route')
  })
  await serveDocument(app, init.services.node.version)
  const { services, platform, clock, scheduler, config } = init
  const idleMs = config.limits.sessionIdleMinutes * 60_000
  const sessions = new Sessions({ accounts: services.accounts, platform, clock }, { idleMs })
  const handlers = createHandlers({ ...services, sessions, clock, scheduler, log: init.log })
  const { authority, limits, oversight } = services
  const denied: RoutesDeps['denied'] = async ({ operation, by, account }) => {
    if (operation !== 'oversight.inspect') return
    try {
      await oversight.refused({ by, child: account })
    } catch (error) {
      init.log.warn('refusal-not-noted', { error: toAbzuError(error) })
    }
  }
  const parts = { handlers, sessions, authority, limits, denied, scheduler, closing, tell }
  serveRoutes(app, parts)
  return app
}

/** What a caller is told of an error; what is no fault of the caller also goes to the log. */
function teller(log: Log): (error: unknown, route: string | undefined) => Failure {
  return (error, route) => {
    const failure = failureOf(error)
    const fields = { route, code: failure.body.error.code, error: error as Error }
    if (failure.status === 500) log.error('api-request-failed', fields)
    else log.debug('api-request-refused', fields)
    return failure
  }
}

/** The OpenAPI document, made from the same schemas. */
async function serveDocument(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Abzu control API', version },
      components: { securitySchemes: { session: { type: 'http', scheme: 'bearer' } } },
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  })
  app.get('/v1/openapi.json', { schema: { hide: true } }, () => app.swagger())
}
