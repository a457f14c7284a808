/** libp2p's log as ours: errors alone, by component, never a text made of remote bytes. @module */

import type { ComponentLogger, Logger } from '@libp2p/interface'
import type { Log } from '../../base/util/log.ts'

export function libp2pLog(log: Log): ComponentLogger {
  return { forComponent: (component) => componentLog(log, component) }
}

function componentLog(log: Log, component: string): Logger {
  const logger: Logger = Object.assign(() => undefined, {
    enabled: false,
    trace: () => undefined,
    error: (_format: unknown, ...args: unknown[]) => {
      const error = args.find((arg) => arg instanceof Error)
      log.debug('libp2p', { component, error })
    },
    // a scope per connection and stream would make a new logger for each
    newScope: () => logger,
  })
  return logger
}
