import type { Segments } from './segments.ts'

interface Grown {
  /** With room to grow. */
  bytes: Uint8Array
  length: number
}

const bytesMin = 4096

/** Segments that lie in memory and are gone with the process. */
export function memorySegments(): Segments {
  const segments = new Map<number, Grown>()
  return {
    sizes: async () => new Map(Array.from(segments, ([segment, { length }]) => [segment, length])),
    async create(segment) {
      segments.set(segment, { bytes: new Uint8Array(bytesMin), length: 0 })
    },
    async append({ segment, offset }, parts) {
      const grown = segments.get(segment)
      if (!grown) throw new Error(`there is no segment ${segment}`)
      grown.length = offset + parts.reduce((bytes, { length }) => bytes + length, 0)
      if (grown.length > grown.bytes.length) {
        const larger = new Uint8Array(Math.max(grown.length, 2 * grown.bytes.length))
        larger.set(grown.bytes.subarray(0, offset))
        grown.bytes = larger
      }
      let at = offset
      for (const part of parts) {
        grown.bytes.set(part, at)
        at += part.length
      }
    },
    async read({ segment, offset }, bytes) {
      const grown = segments.get(segment)
      return grown?.bytes.slice(offset, Math.min(offset + bytes, grown.length))
    },
    async remove(segment) {
      segments.delete(segment)
    },
    async close() {},
  }
}
