import type { StoreMedia } from '../../src/base/store/store.ts'

/** `media` that call `before` each write that is synced; what it throws is how the write fails. */
export function watchWrites({ database, segments }: StoreMedia, before: () => void): StoreMedia {
  return {
    database: {
      ...database,
      async write(batch) {
        before()
        await database.write(batch)
      },
    },
    segments: {
      sizes: async () => segments.sizes(),
      create: async (segment) => segments.create(segment),
      async append(at, parts) {
        before()
        await segments.append(at, parts)
      },
      read: async (at, bytes) => segments.read(at, bytes),
      remove: async (segment) => segments.remove(segment),
      close: async () => segments.close(),
    },
  }
}
