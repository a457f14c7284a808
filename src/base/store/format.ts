/**
 * The version of the key layout and the rows, and how an older store becomes one of today.
 * @module
 */

import { AbzuError } from '../util/errors.ts'
import type { Database, WriteBatch } from './database.ts'
import { metaKey } from './keys.ts'
import { checksumBytes, damaged, newValue, seal, unseal } from './row.ts'
import { stateKey } from './state-row.ts'

/** What this program reads and writes. */
export const storeFormat = 2

/** Turns a store of format `to - 1` into one of format `to`, a bounded step at a time. */
export interface Migration {
  readonly to: number
  /** Adds the rows of one step to `batch`. `cursor` is where the last step ended, undefined at the start;
   *  returned is where this one ended, undefined when nothing is left. Cursor and rows are written as one,
   *  so that a migration that was cut off goes on where it was. */
  step(
    database: Database,
    batch: WriteBatch,
    cursor: Uint8Array | undefined,
  ): Promise<Uint8Array | undefined>
}

const formatKey = metaKey('format')
const migrationKey = metaKey('migration')

/** The format of a store; undefined where it is new.
 *  @throws {AbzuError} ABZU_STORE_DAMAGED */
export function readFormat(database: Pick<Database, 'getSync'>): number | undefined {
  const value = database.getSync(formatKey)
  if (value) return unseal(formatKey, value).readUInt32BE(0)
  if (database.getSync(stateKey)) throw damaged('the store does not say its format')
  return undefined
}

export function putFormat(batch: Pick<WriteBatch, 'put'>, format: number): void {
  const value = newValue(4)
  value.writeUInt32BE(format, checksumBytes)
  batch.put(formatKey, seal(formatKey, value))
}

/** Brings an older store to `target`. Resumes where it was cut off.
 *  @throws {AbzuError} ABZU_STORE_NEWER, ABZU_STORE_DAMAGED, those of a write */
export async function migrate(
  database: Database,
  found: number,
  steps: readonly Migration[],
  target = storeFormat,
): Promise<void> {
  if (found > target) {
    const message = `the store has format ${found}; this program reads ${target} at most`
    throw new AbzuError('ABZU_STORE_NEWER', message)
  }
  for (let format = found; format < target; format++) {
    const migration = steps.find(({ to }) => to === format + 1)
    if (!migration) throw damaged(`no way leads from format ${format} to ${format + 1}`)
    await runMigration(database, migration)
  }
}

async function runMigration(database: Database, migration: Migration): Promise<void> {
  const stored = database.getSync(migrationKey)
  let cursor: Uint8Array | undefined = stored && unseal(migrationKey, stored)
  do {
    const batch = database.batch()
    cursor = await migration.step(database, batch, cursor)
    if (cursor) {
      const value = newValue(cursor.length)
      value.set(cursor, checksumBytes)
      batch.put(migrationKey, seal(migrationKey, value))
    } else {
      batch.delete(migrationKey)
      putFormat(batch, migration.to)
    }
    await database.write(batch)
  } while (cursor)
}
