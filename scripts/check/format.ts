/** Prettier over every file it knows; says how many those were. @module */

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { check, getFileInfo, resolveConfig } from 'prettier'

const root = join(import.meta.dirname, '../..')
const ignorePath = ['.gitignore', '.prettierignore'].map((name) => join(root, name))
const skipped = new Set(['node_modules', 'dist', '.git', '.tap'])

let looked = 0
const wrong: string[] = []
const entries = globSync('**/*', {
  cwd: root,
  withFileTypes: true,
  exclude: (entry) => skipped.has(entry.name),
})
for (const entry of entries) {
  if (!entry.isFile()) continue
  const file = join(entry.parentPath, entry.name)
  const { ignored, inferredParser } = await getFileInfo(file, { ignorePath })
  if (ignored || inferredParser === null) continue
  looked++
  const options = await resolveConfig(file)
  if (!(await check(readFileSync(file, 'utf8'), { ...options, filepath: file }))) wrong.push(file)
}
for (const file of wrong) process.stdout.write(`not formatted: ${file}\n`)
process.stdout.write(`${looked} files looked at\n`)
process.exitCode = wrong.length === 0 ? 0 : 1
