import type { Segments } from '../../src/base/store/segments.ts'
import type { StoreMedia } from '../../src/base/store/store.ts'

/** `segments` with some of its methods replaced. */
export function wrapSegments(segments: Segments, changes: Partial<Segments>): Segments {
  return {
    sizes: async () => segments.sizes(),
    create: async (segment) => segments.create(segment),
    append: async (at, parts) => segments.append(at, parts),
    read: async (at, bytes) => segments.read(at, bytes),
    remove: async (segment) => segments.remove(segment),
    close: async () => segments.close(),
    ...changes,
  }
}

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
