/** Bounds of one store. Units last. */
export interface StoreLimits {
  /** Writes that wait for their commit, also of one commit; past it ABZU_OVERLOADED. */
  readonly queueBytesMax: number
  /** Rows that LevelDB keeps in memory and log before it writes a file of them: fewer files to merge
   *  against memory, of which it may hold twice as much. */
  readonly writeBufferBytes: number
  /** Space kept back by a file of real bytes, given up when the disk is full. Opening then needs as much as
   *  LevelDB's log may hold: the write buffer and one commit. */
  readonly ballastBytes: number
  /** Free space below which no new items are taken, so that the disk seldom gets full under a write. */
  readonly reserveBytes: number
  /** Mailboxes whose counts are held in memory. */
  readonly mailboxesCachedMax: number
  /** Digest buckets held in memory. */
  readonly bucketsCachedMax: number
}

export const defaultStoreLimits: StoreLimits = {
  queueBytesMax: 8 * 1024 * 1024,
  writeBufferBytes: 16 * 1024 * 1024,
  ballastBytes: 24 * 1024 * 1024,
  reserveBytes: 64 * 1024 * 1024,
  mailboxesCachedMax: 1024,
  bucketsCachedMax: 16_384,
}
