/**
 * Numbered files that only grow: where bodies lie. What is not needed any more goes with its whole file.
 * @module
 */

/** Where a body lies. */
export interface BodyPlace {
  /** From 1. */
  readonly segment: number
  /** Of its first byte, from the beginning of the segment. */
  readonly offset: number
}

/** Of a body that is in no segment: its item goes before its commit is sealed, or has lost it. */
export const nowhere: BodyPlace = { segment: 0, offset: 0 }

/** Whether both are the same byte of the same segment, or neither is one. */
export function isSamePlace(a: BodyPlace | undefined, b: BodyPlace | undefined): boolean {
  return a?.segment === b?.segment && a?.offset === b?.offset
}

/** `segments` with some of its methods replaced, for whoever watches or slows them down. */
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

/** Every read @throws {AbzuError} ABZU_STORE_DAMAGED where the disk cannot read it, ABZU_IO where this process
 *  cannot now; every call @throws {AbzuError} ABZU_CLOSED. */
export interface Segments {
  /** Bytes of each segment that is there, by number. */
  sizes(): Promise<Map<number, number>>
  /** Makes an empty segment. Its name is durable with what is first appended to it.
   *  @throws {AbzuError} ABZU_DISK_FULL, ABZU_STORE_FAILED */
  create(segment: number): Promise<void>
  /** Writes `parts` one behind the other from `offset` on, which is the end of what counts. Resolves after
   *  fsync. One call at a time.
   *  @throws {AbzuError} ABZU_DISK_FULL, ABZU_STORE_FAILED */
  append(at: BodyPlace, parts: readonly Uint8Array[]): Promise<void>
  /** `bytes` bytes, fewer where the segment ends before; undefined where there is no such segment. */
  read(at: BodyPlace, bytes: number): Promise<Uint8Array | undefined>
  /** A segment that is missing is no error.
   *  @throws {AbzuError} ABZU_IO */
  remove(segment: number): Promise<void>
  close(): Promise<void>
}
