import { mapKey } from '../../src/base/util/bytes.ts'
import type { NodeRows, NodeTables } from '../../src/user/account/ports.ts'
import type { MemoryDisk } from './memory-disk.ts'

type RowsOnDisk = Map<string, { key: Uint8Array; value: Uint8Array }>

/** The local rows of a node, on a disk that can fail. */
export class MemoryTables implements NodeTables {
  readonly #disk: MemoryDisk
  readonly #onDisk = new Map<string, RowsOnDisk>()

  constructor(disk: MemoryDisk) {
    this.#disk = disk
  }

  /** What a table has on the disk. */
  onDisk(name: string): RowsOnDisk {
    const rows = this.#onDisk.get(name) ?? new Map()
    this.#onDisk.set(name, rows)
    return rows
  }

  table(name: string): NodeRows {
    const rows = this.onDisk(name)
    const disk = this.#disk
    return {
      put: async (key, value) => disk.write(() => void rows.set(mapKey(key), { key, value })),
      delete: async (key) => disk.write(() => void rows.delete(mapKey(key))),
      get: (key) => rows.get(mapKey(key))?.value,
      range: ({ limit }) => iterate([...rows.values()].slice(0, limit)),
    }
  }
}

async function* iterate<T>(values: readonly T[]): AsyncIterable<T> {
  yield* values
}
