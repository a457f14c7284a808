/** Waits for a daemon that may be starting. @module */

import type { Scheduler } from '../../base/util/clock.ts'
import { isAbzuError } from '../../base/util/errors.ts'
import { sleep } from '../../base/util/wait.ts'
import type { AbzuClient } from '../client/client.ts'
import type { Answer } from '../client/routes.ts'

const pollMs = 50

/** The first answer of a daemon, which has `timeoutMs` to come.
 *  @throws {AbzuError} ABZU_NO_DAEMON when the time is over; those of the client */
export async function statusWithin(
  client: AbzuClient,
  { timeoutMs, scheduler }: { timeoutMs: number; scheduler: Scheduler },
): Promise<Answer<'status'>> {
  const attempts = Math.ceil(timeoutMs / pollMs)
  for (let attempt = 0; ; attempt++) {
    try {
      return await client.status()
    } catch (error) {
      const isAway = isAbzuError(error, 'ABZU_NO_DAEMON') || isAbzuError(error, 'ABZU_CLOSED')
      if (!isAway || attempt >= attempts) throw error
      await sleep(scheduler, pollMs)
    }
  }
}
