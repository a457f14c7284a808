/** What a store begins with when it is opened: its format, its state, and whether something is gone. @module */

import { isAbzuError } from '../util/errors.ts'
import type { Database, WriteBatch } from './database.ts'
import { migrate, putFormat, readFormat, storeFormat } from './format.ts'
import { equalSums } from './id-sum.ts'
import { metaKey } from './keys.ts'
import { checksumBytes, newValue, seal, unseal } from './row.ts'
import { decodeState, emptyState, encodeState, stateKey, type StoreState } from './state-row.ts'
import type { StoreFiles } from './store-files.ts'

export interface Beginning {
  readonly isNew: boolean
  readonly state: StoreState
  readonly epoch: Uint8Array
  /** Commits that the commit file knows of and the database does not. */
  readonly lostCommits: number
  /** Something may be wrong that only a look at every row finds. */
  readonly needsCheck: boolean
}

export const epochBytes = 16
const epochKey = metaKey('epoch')

export function putEpoch(batch: WriteBatch, epoch: Uint8Array): void {
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

/** Never looks at more than a few rows, however large the store is.
 *  @throws {AbzuError} ABZU_STORE_NEWER, ABZU_STORE_DAMAGED, those of a write */
export async function begin(
  database: Database,
  files: Pick<StoreFiles, 'lastCommit' | 'wasClosed' | 'recordCommit'>,
  random: (length: number) => Uint8Array,
): Promise<Beginning> {
  const format = readFormat(database)
  if (format !== undefined) await migrate(database, format)
  const stored = database.getSync(stateKey)
  const state = stored ? decodeState(stored) : emptyState()
  const { lastCommit } = files
  const lostCommits = Math.max(0, (lastCommit?.commit ?? 0) - state.commit)
  const isUnlike = lastCommit?.commit === state.commit && !equalSums(lastCommit.ids, state.ids)
  const isNew = format === undefined
  const hasLost = lostCommits > 0 || isUnlike || (!isNew && !lastCommit)
  const known = hasLost ? undefined : readEpoch(database)
  const epoch = known ?? random(epochBytes)
  if (!known) {
    state.commit += lostCommits + 1
    const batch = database.batch()
    if (isNew) putFormat(batch, storeFormat)
    putEpoch(batch, epoch)
    batch.put(stateKey, encodeState(state))
    await database.write(batch)
    files.recordCommit(state)
  }
  const needsCheck = !isNew && (hasLost || !files.wasClosed || !known)
  return { isNew, state, epoch, lostCommits, needsCheck }
}
