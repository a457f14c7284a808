import { wrapSegments } from '../../src/base/store/segments.ts'
import type { StoreMedia } from '../../src/base/store/store.ts'
import type { Scheduler } from '../../src/base/util/clock.ts'
import { sleep } from '../../src/base/util/wait.ts'

/** Media of which every write, hence every commit, takes `delayMs` more. */
export function delayCommits(
  { database, segments }: StoreMedia,
  { scheduler, delayMs }: { scheduler: Scheduler; delayMs: number },
): StoreMedia {
  return {
    database: {
      ...database,
      async write(batch) {
        await database.write(batch)
        await sleep(scheduler, delayMs)
      },
    },
    segments: wrapSegments(segments, {
      async append(at, parts) {
        await segments.append(at, parts)
        await sleep(scheduler, delayMs)
      },
    }),
  }
}
