/** The control API on its Unix socket. @module */

import type { Server } from 'node:http'
import { AbzuError } from '../../base/util/errors.ts'
import { withTimeout } from '../../base/util/wait.ts'
import type { Config } from '../../config.ts'
import { apiLimits } from './api-limits.ts'
import { createApp, type ApiInit } from './app.ts'
import { listenOnSocket } from './unix-socket.ts'

export interface ControlApiInit extends ApiInit {
  readonly config: ApiInit['config'] & Pick<Config, 'socket'>
}

export interface ControlApi {
  /** Takes no more requests, lets those that run answer, and removes the socket. Bounded in time. */
  close(): Promise<void>
}

/** Listens on the socket, which only its owner can open.
 *  @throws {AbzuError} ABZU_HOME_IN_USE where another daemon answers there; ABZU_IO */
export async function serveControlApi(init: ControlApiInit): Promise<ControlApi> {
  const { config, scheduler, log } = init
  const closing = new AbortController()
  const app = await createApp(init, closing.signal)
  await app.ready()
  await listenOnSocket(app.server, { path: config.socket, scheduler })
  app.server.on('error', (error) => log.error('api-socket-failed', { error }))
  return {
    async close() {
      closing.abort(new AbzuError('ABZU_CLOSED', 'the daemon is closing'))
      const ended = endOf(app.server)
      try {
        await withTimeout(
          scheduler,
          { timeoutMs: apiLimits.closeGraceMs, what: 'the end of all requests' },
          () => ended,
        )
      } catch (error) {
        log.warn('api-requests-cut', { error: error as Error })
        app.server.closeAllConnections()
        await ended
      }
      await app.close()
    },
  }
}

/** Resolves when the server has let go of its socket and its last connection. */
function endOf(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()))
  })
}
