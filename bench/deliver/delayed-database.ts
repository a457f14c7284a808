import type { Database } from '../../src/base/store/database.ts'
import type { Scheduler } from '../../src/base/util/clock.ts'
import { sleep } from '../../src/base/util/wait.ts'

/** A database whose every commit takes `delayMs` more. */
export function delayCommits(
  database: Database,
  { scheduler, delayMs }: { scheduler: Scheduler; delayMs: number },
): Database {
  return {
    ...database,
    async write(batch) {
      await database.write(batch)
      await sleep(scheduler, delayMs)
    },
  }
}
