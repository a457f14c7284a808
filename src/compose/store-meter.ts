/** Counts what the store writes, from outside. @module */

import { wrapSegments } from '../base/store/segments.ts'
import type { StoreMedia } from '../base/store/store.ts'
import type { Clock } from '../base/util/clock.ts'
import { single, type MetricSource } from '../base/util/metric.ts'

export class StoreMeter {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  #writes = 0
  #bytes = 0
  #seconds = 0
  #writingBytes = 0

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
  }

  /** `media`, whose writes are counted once they are durable: to the journal, to the database. */
  readonly watch = ({ database, segments }: StoreMedia): StoreMedia => ({
    database: {
      ...database,
      write: async (batch) => this.#count(batch.bytes, async () => database.write(batch)),
    },
    segments: wrapSegments(segments, {
      append: async (at, parts) => {
        const bytes = parts.reduce((sum, { length }) => sum + length, 0)
        return this.#count(bytes, async () => segments.append(at, parts))
      },
    }),
  })

  async #count(bytes: number, write: () => Promise<void>): Promise<void> {
    const startMs = this.#clock.monotonicMs()
    this.#writingBytes += bytes
    try {
      await write()
      this.#writes++
      this.#bytes += bytes
    } finally {
      this.#writingBytes -= bytes
      this.#seconds += (this.#clock.monotonicMs() - startMs) / 1000
    }
  }

  readonly metrics: MetricSource = () => [
    single('counter', 'store_writes_total', 'Writes made durable', this.#writes),
    single('counter', 'store_write_bytes_total', 'Bytes in them', this.#bytes),
    single('counter', 'store_write_seconds_total', 'Time spent on them', this.#seconds),
    single('gauge', 'store_writing_bytes', 'On their way to the disk', this.#writingBytes),
  ]
}
