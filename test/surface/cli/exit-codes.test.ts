import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { errorCodes } from '../../../src/base/util/errors.ts'
import { httpStatusOf } from '../../../src/surface/api/http-status.ts'
import { exitCodeOf } from '../../../src/surface/cli/exit-codes.ts'

t.test('every error exits as docs/errors.md says', async (t) => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/errors.md'), 'utf8')
  const rows = [...page.matchAll(/^\| `(ABZU_\w+)` \|.*\| (\d+) \|$/gm)]
  t.equal(rows.length, errorCodes.length)
  t.strictSame(Object.fromEntries(rows.map(([, code, exit]) => [code, Number(exit)])), {
    ...exitCodeOf,
  })
})

t.test(
  'no exit code means success or belongs to a shell, no status to a good answer',
  async (t) => {
    for (const code of errorCodes) {
      t.ok(exitCodeOf[code] >= 64 && exitCodeOf[code] <= 78, code)
      t.ok(httpStatusOf[code] >= 400 && httpStatusOf[code] < 600, code)
    }
  },
)
