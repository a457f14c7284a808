/**
 * A disk that knows what was written from what was synced. A crash of the process leaves what was written; a
 * power cut may take everything that no fsync has reached. The store's real code runs on it.
 * @module
 */

import type { CommitRecord } from '../../src/base/store/commit-file.ts'
import type { Database, Snapshot, WriteBatch } from '../../src/base/store/database.ts'
import { keyText } from '../../src/base/store/keys.ts'
import type { Segments } from '../../src/base/store/segments.ts'
import type { StoreFiles } from '../../src/base/store/store-files.ts'
import { AbzuError } from '../../src/base/util/errors.ts'
import type { Random } from './random.ts'
import { SimRows, type RowChange } from './sim-rows.ts'
import { SimSegment } from './sim-segment.ts'
import type { NodeTime } from './timeline.ts'

/** How a node ends: its process alone, or the machine with it. */
export type CrashKind = 'kill' | 'power'

/** What the disk does not do as it should: for planted bugs. */
export interface DiskVices {
  /** An fsync of segments answers and syncs nothing. */
  readonly lazySegments?: boolean
  /** The same of the database. */
  readonly lazyDatabase?: boolean
  /** A crash may leave a part of a batch. */
  readonly tornBatches?: boolean
}

const syncMsMax = 8
const slowSyncMsMax = 1500
const commitFileSyncMs = 1000

class SimBatch implements WriteBatch {
  readonly changes: RowChange[] = []
  bytes = 0

  get length(): number {
    return this.changes.length
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.changes.push([keyText(key), Uint8Array.from(value)])
    this.bytes += key.length + value.length
  }

  delete(key: Uint8Array): void {
    this.changes.push([keyText(key), undefined])
    this.bytes += key.length
  }
}

class SimSnapshot implements Snapshot {
  readonly rows: SimRows

  constructor(rows: SimRows) {
    this.rows = rows
  }

  async close(): Promise<void> {}
}

/** Everything that a disk holds at one moment. */
export interface DiskImage {
  readonly rows: SimRows
  readonly segments: Map<number, SimSegment>
  readonly commit: CommitRecord | undefined
  /** It was closed in good order. */
  readonly wasClosed: boolean
}

/** What a bit flip hit. */
export interface Flip {
  readonly what: 'row' | 'segment' | 'commit-file'
  /** Whether the flipped bit lies where it was hit. */
  readonly isThere: () => boolean
}

export class SimDisk {
  readonly #random: Random
  #rows = new SimRows()
  /** Of each batch that no sync has reached: what takes it back. The last one first. */
  #unsynced: RowChange[][] = []
  #segments = new Map<number, SimSegment>()
  /** Removed, which the directory may have forgotten after a power cut. */
  #removed = new Map<number, SimSegment>()
  /** What the commit file said, the newest last: all of the last second, and one before that. */
  #commits: { readonly record: CommitRecord; readonly atMs: number }[] = []
  #time: NodeTime | undefined
  #wasClosed = true
  /** Syncs take long. */
  isSlow = false
  /** Syncs fail. */
  isFailing = false
  /** Called once, when the next write begins. */
  onNextWrite: (() => void) | undefined
  /** Called once, when mail is written the next time. */
  onNextMail: (() => void) | undefined
  /** What a write does to the disk, should the machine end during it. */
  readonly #inFlight = new Set<() => void>()

  constructor(random: Random) {
    this.#random = random
  }

  /** Hands the disk to a store. Nothing that a dead node still asks for reaches it. */
  open(time: NodeTime, vices: DiskVices = {}): StoreFiles {
    const wasClosed = this.#wasClosed
    this.#wasClosed = false
    this.#time = time
    this.#commits = this.#commits.slice(-1).map(({ record }) => ({ record, atMs: 0 }))
    return {
      database: this.#database(time, vices),
      segments: this.#openSegments(time, vices),
      wasClosed,
      lastCommit: this.#commits.at(-1)?.record,
      failure: new Promise(() => {}),
      ballast: { isTight: false, expectFree() {}, expectRoom() {} },
      recordCommit: (record) => {
        const atMs = time.monotonicMs()
        const isSynced = (place: number): boolean =>
          (this.#commits[place]?.atMs ?? Infinity) < atMs - commitFileSyncMs
        while (isSynced(1)) this.#commits.shift()
        this.#commits.push({ record, atMs })
      },
      close: async (inGoodOrder) => {
        if (inGoodOrder) this.#wasClosed = true
      },
    }
  }

  /** The node has ended. Returns whether a write is gone, one that had begun at least. */
  crash(kind: CrashKind): boolean {
    const random = this.#random
    let isLost = false
    for (const finish of this.#inFlight) {
      if (random.chance(0.5)) finish()
      else isLost = true
    }
    this.#inFlight.clear()
    if (kind === 'kill') return isLost
    for (let left = random.below(this.#unsynced.length + 1); left > 0; left--) {
      this.#rows.apply(this.#unsynced.shift() as RowChange[])
      isLost = true
    }
    this.#unsynced = []
    for (const [number, segment] of this.#removed) {
      if (random.chance(0.5) && !this.#segments.has(number)) this.#segments.set(number, segment)
    }
    this.#removed.clear()
    for (const [number, segment] of this.#segments) {
      isLost = segment.lose(random) || isLost
      if (!segment.hasName && random.chance(0.5)) this.#segments.delete(number)
      segment.hasName = true
    }
    const syncedMs = (this.#time?.monotonicMs() ?? 0) - commitFileSyncMs
    const unsynced = this.#commits.filter(({ atMs }, n) => n > 0 && atMs > syncedMs).length
    this.#commits.length -= random.below(unsynced + 1)
    return isLost
  }

  image(): DiskImage {
    const segments = new Map(Array.from(this.#segments, ([n, segment]) => [n, segment.copy()]))
    const { record: commit } = this.#commits.at(-1) ?? {}
    return { rows: new SimRows(this.#rows), segments, commit, wasClosed: this.#wasClosed }
  }

  /** Puts the disk, which no node uses, back to an earlier state. */
  restore({ rows, segments, commit, wasClosed }: DiskImage): void {
    this.#rows = new SimRows(rows)
    this.#segments = new Map(Array.from(segments, ([n, segment]) => [n, segment.copy()]))
    this.#removed.clear()
    this.#unsynced = []
    this.#commits = commit ? [{ record: commit, atMs: 0 }] : []
    this.#wasClosed = wasClosed
  }

  /** Flips a bit of something that is stored; undefined where nothing is. */
  flip(): Flip | undefined {
    const random = this.#random
    const segments = [...this.#segments].filter(([, { length }]) => length > 0)
    if (random.chance(0.4) && segments.length > 0) {
      const [number, segment] = random.pick(segments)
      const bit = random.below(8 * segment.length)
      segment.flip(bit)
      const flipped = segment.read(bit >> 3, 1)[0]
      return {
        what: 'segment',
        isThere: () => this.#segments.get(number)?.read(bit >> 3, 1)[0] === flipped,
      }
    }
    if (this.#rows.size === 0) return undefined
    const key = this.#rows.keyAt(random.below(this.#rows.size))
    const value = Uint8Array.from(this.#rows.get(key) as Uint8Array)
    if (value.length === 0) return undefined
    const at = random.below(value.length)
    value[at] = (value[at] as number) ^ (1 << random.below(8))
    this.#rows.apply([[key, value]])
    return { what: 'row', isThere: () => this.#rows.get(key) === value }
  }

  #database(time: NodeTime, { lazyDatabase = false, tornBatches = false }: DiskVices): Database {
    const rowsOf = (snapshot: Snapshot | undefined): SimRows =>
      snapshot instanceof SimSnapshot ? snapshot.rows : this.#rows
    return {
      getSync: (key) => this.#rows.get(keyText(key)),
      get: async (key) => {
        await this.#reading(time)
        return this.#rows.get(keyText(key))
      },
      getMany: async (keys, snapshot) => {
        await this.#reading(time)
        return keys.map((key) => rowsOf(snapshot).get(keyText(key)))
      },
      page: async (range, options) => {
        await this.#reading(time)
        return rowsOf(options.snapshot).page(range, options)
      },
      batch: () => new SimBatch(),
      write: async (batch) => {
        const { changes } = batch as SimBatch
        await this.#writing(time, () => {
          const whole = tornBatches && time.isOver ? changes.slice(0, changes.length / 2) : changes
          const undo = this.#rows.apply(whole)
          if (lazyDatabase) this.#unsynced.unshift(undo)
        })
      },
      snapshot: () => new SimSnapshot(new SimRows(this.#rows)),
      compact: async () => {},
      close: async () => {},
    }
  }

  #openSegments(time: NodeTime, { lazySegments = false }: DiskVices): Segments {
    return {
      sizes: async () => new Map(Array.from(this.#segments, ([n, { length }]) => [n, length])),
      create: async (number) => {
        const segment = new SimSegment()
        this.#segments.set(number, segment)
        await this.#writing(time, () => {
          segment.hasName = true
          this.#removed.clear()
        })
      },
      append: async ({ segment: number, offset }, parts) => {
        const segment = this.#segments.get(number)
        if (!segment) throw new Error(`there is no segment ${number}`)
        segment.write(offset, parts)
        const { onNextMail } = this
        this.onNextMail = undefined
        onNextMail?.()
        const end = segment.length
        const sync = (): void => {
          if (!lazySegments) segment.sync(end)
        }
        try {
          await this.#writing(time, sync)
        } catch (error) {
          segment.forget()
          throw error
        }
      },
      read: async ({ segment, offset }, bytes) => {
        await this.#reading(time)
        return this.#segments.get(segment)?.read(offset, bytes)
      },
      remove: async (number) => {
        const segment = this.#segments.get(number)
        if (segment) this.#removed.set(number, segment)
        this.#segments.delete(number)
      },
      close: async () => {},
    }
  }

  async #reading(time: NodeTime): Promise<void> {
    if (time.isOver) await new Promise(() => undefined)
    if (this.#random.chance(0.05)) await time.wait(this.#random.between(0, 2))
  }

  /** Resolves when `effect` has come about. */
  async #writing(time: NodeTime, effect: () => void): Promise<void> {
    if (time.isOver) await new Promise(() => undefined)
    this.#inFlight.add(effect)
    const { onNextWrite } = this
    this.onNextWrite = undefined
    onNextWrite?.()
    const isFailing = this.isFailing
    await time.wait(this.#random.between(0.1, this.isSlow ? slowSyncMsMax : syncMsMax))
    this.#inFlight.delete(effect)
    if (isFailing) throw new AbzuError('ABZU_STORE_FAILED', 'a sync has failed')
    effect()
  }
}
