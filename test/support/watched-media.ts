import { wrapSegments } from '../../src/base/store/segments.ts'
import type { StoreMedia } from '../../src/base/store/store.ts'

/** `media` that call `before` each write that is synced; what it throws is how the write fails. */
export function watchWrites(
  { database, segments }: StoreMedia,
  before: () => Promise<void> | void,
): StoreMedia {
  return {
    database: {
      ...database,
      async write(batch) {
        await before()
        await database.write(batch)
      },
    },
    segments: wrapSegments(segments, {
      async append(at, parts) {
        await before()
        await segments.append(at, parts)
      },
    }),
  }
}
