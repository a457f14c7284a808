/**
 * A daemon without a network: the real API over fake services, on the socket of ABZU_HOME. A test
 * can also let it run in a process of its own: `node test/support/fake-daemon.ts`.
 * @module
 */

import { mkdirSync } from 'node:fs'
import { nodePlatform } from '../../src/base/crypto/node-platform.ts'
import { silentLog } from '../../src/base/util/log.ts'
import { systemClock, systemScheduler } from '../../src/base/util/system-time.ts'
import { homePaths } from '../../src/config.ts'
import { serveControlApi } from '../../src/surface/api/serve.ts'
import { fakeServices } from './fake-services.ts'

/** Serves until `close`, with the home that `env` names. */
export async function startFakeDaemon(env: { readonly ABZU_HOME: string }) {
  const { home, socket } = homePaths(env)
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const services = fakeServices()
  const api = await serveControlApi({
    config: { socket, limits: { sessionIdleMinutes: 5 } },
    services,
    platform: nodePlatform(),
    clock: systemClock,
    scheduler: systemScheduler,
    log: silentLog,
  })
  let closed: Promise<void> | undefined
  return { ...services, socket, close: () => (closed ??= api.close()) }
}

if (import.meta.main) {
  const daemon = await startFakeDaemon({ ABZU_HOME: process.env['ABZU_HOME'] ?? '' })
  daemon.node.onStop = () => void daemon.close()
  process.stdout.write('ready\n')
}
