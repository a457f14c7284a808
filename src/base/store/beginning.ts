/** What a store begins with when it is opened: its format, its state, and whether something is gone. @module */

import { isAbzuError } from '../util/errors.ts'
import type { Log } from '../util/log.ts'
import { bodiesToSegments } from './bodies-to-segments.ts'
import type { Database, WriteBatch } from './database.ts'
import { migrate, readFormat } from './format.ts'
import { addId, equalSums } from './id-sum.ts'
import { metaKey } from './keys.ts'
import { replay, type Replay } from './replay.ts'
import { checksumBytes, newValue, seal, unseal } from './row.ts'
import { copyState, decodeState, emptyState, stateKey, type StoreState } from './state-row.ts'
import type { StoreFiles } from './store-files.ts'
import type { StoreLimits } from './store-limits.ts'

export interface Beginning {
  readonly isNew: boolean
  /** As the database has it. */
  readonly state: StoreState
  /** What the journal has beyond that. */
  readonly replayed: Replay
  /** Undefined where there was none, or where something is gone: then a new one is due. */
  readonly epoch: Uint8Array | undefined
  /** Commits that the commit file knows of and the store does not. */
  readonly lostCommits: number
  /** Of those, behind the last one that is there. */
  readonly lostAtEnd: number
  /** Something may be wrong that only a look at every row finds. */
  readonly needsCheck: boolean
}

export interface BeginDeps {
  readonly random: (length: number) => Uint8Array
  readonly limits: StoreLimits
  readonly log: Log
}

export const epochBytes = 16
const epochKey = metaKey('epoch')

export function putEpoch(batch: Pick<WriteBatch, 'put'>, epoch: Uint8Array): void {
  const value = newValue(epoch.length)
  value.set(epoch, checksumBytes)
  batch.put(epochKey, seal(epochKey, value))
}

/** The stored epoch, undefined where it is missing or not what was written. */
function readEpoch(database: Pick<Database, 'getSync'>): Uint8Array | undefined {
  const value = database.getSync(epochKey)
  try {
    return value && Uint8Array.from(unseal(epochKey, value))
  } catch (error) {
    if (isAbzuError(error, 'ABZU_STORE_DAMAGED')) return undefined
    throw error
  }
}

/** Never looks at more than a few rows and the end of the journal, however large the store is.
 *  @throws {AbzuError} ABZU_STORE_NEWER, ABZU_STORE_DAMAGED, those of a write */
export async function begin(
  database: Database,
  files: Pick<StoreFiles, 'lastCommit' | 'wasClosed' | 'segments'>,
  { random, limits, log }: BeginDeps,
): Promise<Beginning> {
  const format = readFormat(database)
  if (format !== undefined) {
    await migrate(database, format, [bodiesToSegments({ ...files, random, limits })])
  }
  const stored = database.getSync(stateKey)
  const state = stored ? decodeState(stored) : emptyState()
  const { lastCommit } = files
  const durableCommit = lastCommit?.commit ?? 0
  const from = { commit: state.commit, position: state.journal, durableCommit }
  const replayed = await replay(files.segments, from)
  const ids = copyState(state).ids
  for (const { head } of replayed.items) addId(ids, head.id)
  const { missingCommits, damagedItems } = replayed
  const lostAtEnd = Math.max(0, durableCommit - replayed.commit)
  const lostCommits = missingCommits + lostAtEnd
  if (damagedItems > 0) log.error('journal-damaged', { items: damagedItems })
  const isUnlike = lastCommit?.commit === replayed.commit && !equalSums(lastCommit.ids, ids)
  const isNew = format === undefined
  const hasLost = lostCommits > 0 || isUnlike || damagedItems > 0 || (!isNew && !lastCommit)
  const epoch = hasLost ? undefined : readEpoch(database)
  const needsCheck = !isNew && (hasLost || !files.wasClosed || !epoch)
  return { isNew, state, replayed, epoch, lostCommits, lostAtEnd, needsCheck }
}
