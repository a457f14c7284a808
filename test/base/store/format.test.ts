import t from 'tap'
import type { Database } from '../../../src/base/store/database.ts'
import { migrate, putFormat, readFormat, type Migration } from '../../../src/base/store/format.ts'
import { openMemory } from '../../../src/base/store/level-database.ts'
import { fromUtf8, utf8 } from '../../../src/base/util/bytes.ts'

const rows = 10

async function storeOfFormat(format: number): Promise<Database> {
  const database = await openMemory()
  const batch = database.batch()
  putFormat(batch, format)
  for (let n = 0; n < rows; n++) batch.put(Uint8Array.of(0x80, n), utf8('old'))
  await database.write(batch)
  return database
}

/** Rewrites each row, one a step, and counts how often each was rewritten. */
function rewriting(to: number, times: number[]): Migration {
  return {
    to,
    async step(database, batch, cursor) {
      const n = cursor?.[0] ?? 0
      const key = Uint8Array.of(0x80, n)
      batch.put(key, Buffer.concat([database.getSync(key) ?? utf8('?'), utf8(`+${to}`)]))
      times[n] = (times[n] ?? 0) + 1
      return n + 1 < rows ? Uint8Array.of(n + 1) : undefined
    },
  }
}

const valuesOf = (database: Database) =>
  Array.from({ length: rows }, (_, n) =>
    fromUtf8(database.getSync(Uint8Array.of(0x80, n)) ?? utf8('')),
  )

t.test('a migration cut off at any write goes on where it was', async (t) => {
  for (let cut = 0; cut <= 2 * rows; cut++) {
    const database = await storeOfFormat(1)
    let writes = 0
    const failing: Database = {
      ...database,
      async write(batch) {
        if (writes++ === cut) throw new Error('cut off')
        await database.write(batch)
      },
    }
    const steps = [rewriting(2, []), rewriting(3, [])]
    await migrate(failing, 1, steps, 3).catch(() => {})
    await migrate(database, readFormat(database) ?? 0, steps, 3)
    t.equal(readFormat(database), 3)
    if (valuesOf(database).some((value) => value !== 'old+2+3')) t.fail(`cut at write ${cut}`)
    await database.close()
  }
})

t.test('each step is done once where nothing goes wrong', async (t) => {
  const database = await storeOfFormat(1)
  const times: number[] = []
  await migrate(database, 1, [rewriting(2, times)], 2)
  t.strictSame(
    times,
    Array.from({ length: rows }, () => 1),
  )
  await migrate(database, 2, [rewriting(2, times)], 2)
  t.strictSame(times[0], 1, 'and not for a store that needs none')
})

t.test('what cannot be brought to today', async (t) => {
  const database = await storeOfFormat(7)
  await t.rejects(migrate(database, 7, []), { code: 'ABZU_STORE_NEWER' })
  await t.rejects(migrate(database, 7, [], 8), { code: 'ABZU_STORE_DAMAGED' }, 'no way leads there')
  t.equal(readFormat(database), 7, 'as it was')
})
