/**
 * Compiles the source once, after `npm ci`: a daemon whose first start had to strip the types itself
 * would hold 45 MB more for as long as it runs.
 * @module
 */

import { globSync } from 'node:fs'
import { enableCompileCache, flushCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const files = globSync('src/**/*.ts', { cwd: root })
if (files.length === 0) throw new Error('there is no source to compile')
enableCompileCache(`${root}node_modules/.cache/abzu`)
for (const file of files) await import(`${root}${file}`)
flushCompileCache()
