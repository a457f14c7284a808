/** Bounds of one store. Units last. */
export interface StoreLimits {
  /** Writes that wait for their commit, also of one commit; past it ABZU_OVERLOADED. */
  readonly queueBytesMax: number
  /** Rows that LevelDB keeps in memory and log before it writes a table of them: fewer tables to merge
   *  against memory, of which it may hold twice as much. */
  readonly writeBufferBytes: number
  /** Space kept back by a file of real bytes, given up when the disk is full. LevelDB then needs, before it
   *  can delete anything, what its log holds (the write buffer and one commit) and what it merges at
   *  once: four tables of the write buffer's size and the 10 MB of its first level. */
  readonly ballastBytes: number
  /** Free space below which no new items are taken, so that the disk does not get full under a write:
   *  twelve tables of the write buffer's size, at which LevelDB halts writes, and its first level. */
  readonly reserveBytes: number
  /** Mailboxes whose counts are held in memory. */
  readonly mailboxesCachedMax: number
  /** Digest buckets held in memory. */
  readonly bucketsCachedMax: number
  /** A segment is full behind so many bytes. It goes as a whole, when nothing in it is needed any more. */
  readonly segmentBytesMax: number
  /** Items that may be in the journal alone: fewer and larger writes of the database against what is read
   *  again after a crash, and memory. */
  readonly journaledItemsMax: number
  /** The same by the bytes of their bodies. */
  readonly journaledBytesMax: number
  /** Segments whose counts are held in memory. */
  readonly segmentsCachedMax: number
  /** A filter of ids that saves lookups, a power of two: one in 500 is in vain with a million items. */
  readonly idFilterBytes: number
}

/** For a node of one household on a small disk. */
export const defaultStoreLimits: StoreLimits = {
  queueBytesMax: 8 * 1024 * 1024,
  writeBufferBytes: 8 * 1024 * 1024,
  ballastBytes: 64 * 1024 * 1024,
  reserveBytes: 128 * 1024 * 1024,
  mailboxesCachedMax: 20_000,
  bucketsCachedMax: 16_384,
  segmentBytesMax: 16 * 1024 * 1024,
  journaledItemsMax: 4096,
  journaledBytesMax: 32 * 1024 * 1024,
  segmentsCachedMax: 1024,
  idFilterBytes: 2 * 1024 * 1024,
}
