/** Twenty real nodes on loopback, in a process of their own. */

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import t from 'tap'
import type { LargeMeshReport } from '../support/large-mesh.ts'

t.test('twenty nodes, then half of them stopped, then half silent', async (t) => {
  const program = join(import.meta.dirname, '../support/large-mesh.ts')
  const { NODE_OPTIONS: _, ...env } = process.env
  const { stdout } = await promisify(execFile)(process.execPath, [program], {
    env,
    timeout: 240_000,
  })
  const report = JSON.parse(stdout) as LargeMeshReport
  t.comment(stdout.trim())
  t.equal(report.all.length, 16)
  t.equal(report.halfStopped.length, 10)
  t.equal(report.halfSilent.length, 10)
  t.ok(Math.min(...report.holders) >= 12)
  // what one search may take, and what a busy machine adds
  t.ok(Math.max(...report.all, ...report.halfStopped, ...report.halfSilent) < 15_000)
})
