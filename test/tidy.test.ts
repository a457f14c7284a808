/** The rules of the tree that no tool knows. */

import { readdirSync, readFileSync, type Dirent } from 'node:fs'
import { extname, join, relative } from 'node:path'
import t from 'tap'
import { errorCodes } from '../src/base/util/errors.ts'
import type { Rate } from '../src/base/util/gcra.ts'
import { errorCode, errorNumber } from '../src/base/wire/error-numbers.ts'
import { exportLimits } from '../src/base/wire/export.ts'
import { wireLimits } from '../src/base/wire/limits.ts'
import * as protocols from '../src/base/wire/protocols.ts'
import { defaultStoreLimits } from '../src/base/store/store-limits.ts'
import { defaultMailboxLimits } from '../src/machine/mailbox/mailbox-limits.ts'
import { defaultFederationLimits } from '../src/machine/federation/federation-limits.ts'
import { defaultDirectoryLimits } from '../src/machine/node/directory-limits.ts'
import { defaultTransportLimits } from '../src/machine/transport/transport-limits.ts'
import { apiLimits } from '../src/surface/api/api-limits.ts'
import { ambientUses } from './support/ambient.ts'
import { undocumentedExports } from './support/docstrings.ts'
import { limitRow } from './support/limit-row.ts'

const root = join(import.meta.dirname, '..')
const notOurs = new Set(['node_modules', 'dist', '.git', '.tap'])

function walk(dir: string): string[] {
  const entries: Dirent[] = readdirSync(dir, { withFileTypes: true })
  return entries.flatMap((entry) => {
    if (notOurs.has(entry.name)) return []
    const path = join(dir, entry.name)
    return entry.isDirectory() ? walk(path) : [relative(root, path)]
  })
}

const files = walk(root)
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const sources = files.filter((file) => file.startsWith('src/'))
const code = files.filter(
  (file) => /^(src|bin|test|bench|scripts)\//.test(file) && /\.[jt]s$/.test(file),
)
const texts = files.filter(
  (file) => file !== 'package-lock.json' && !file.startsWith('test/vectors/'),
)

t.test('there is a tree to look at', async (t) => {
  t.ok(sources.length > 20, `${sources.length} sources`)
  t.ok(code.length > sources.length, `${code.length} files of code`)
  t.strictSame(
    sources.filter((file) => extname(file) !== '.ts'),
    [],
    'src is TypeScript only',
  )
})

t.test('the top level holds what it should and nothing else', async (t) => {
  const wanted = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json']
  wanted.push(
    'src',
    'bin',
    'test',
    'docs',
    'bench',
    'scripts',
    'README.md',
    'LICENSE',
    'CHANGELOG.md',
  )
  const found = readdirSync(root).filter((name) => !notOurs.has(name) && !name.startsWith('.'))
  t.strictSame(found.sort(), wanted.sort())
})

t.test('names are kebab-case', async (t) => {
  const spoken = /^(README|LICENSE|CHANGELOG|SECURITY)(\.md)?$/
  for (const file of files.filter((file) => !file.startsWith('.'))) {
    const names = file.split('/')
    const isWell = names.every(
      (name) => /^[a-z0-9]+([-.][a-z0-9]+)*$/.test(name) || spoken.test(name),
    )
    if (!isWell) t.fail(file)
  }
  const vague = sources.filter((file) => /(^|\/)(utils?|helpers?|common|misc)(\/|\.ts$)/.test(file))
  t.strictSame(
    vague.filter((file) => !file.startsWith('src/base/util/')),
    [],
    'a name says what is inside',
  )
})

t.test('one idea a file', async (t) => {
  for (const file of code) {
    const lines = read(file).split('\n').length - 1
    // A suite of laws is longer than what has to keep them.
    const linesMax = file.startsWith('test/') ? 500 : 400
    if (lines > linesMax) t.fail(`${file} has ${lines} lines`)
  }
})

t.test('exports have names and docstrings', async (t) => {
  for (const file of sources) {
    const text = read(file)
    if (/^export \*/m.test(text)) t.fail(`${file}: export *`)
    if (/^export default\b|\bas default\b/m.test(text)) t.fail(`${file}: default export`)
    const missing = undocumentedExports(file, text)
    if (missing.length > 0) t.fail(`${file}: no docstring on ${missing.join(', ')}`)
  }
})

t.test(
  'nothing is left for later, nothing names a place that a reader does not have',
  async (t) => {
    const later = /\b(TOD[O]|FIXM[E]|XX[X]|HAC[K])\b/
    const elsewhere = /regis[t]ry\.(npmjs|yarnpkg)|\.\.\/share[d]\b|\/wor[k]\//
    for (const file of texts) {
      const text = read(file)
      if (later.test(text)) t.fail(`${file}: ${later.exec(text)?.[0]}`)
      if (elsewhere.test(text)) t.fail(`${file}: ${elsewhere.exec(text)?.[0]}`)
    }
  },
)

t.test('the lockfile names no registry and every platform', async (t) => {
  const lock = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { resolved?: string; optionalDependencies?: Record<string, string> }>
  }
  const entries = Object.entries(lock.packages)
  t.ok(entries.length > 100)
  for (const [path, { resolved, optionalDependencies = {} }] of entries) {
    if (resolved !== undefined) t.fail(`${path}: resolved`)
    for (const name of Object.keys(optionalDependencies)) {
      const isListed = entries.some(([other]) => other.endsWith(`node_modules/${name}`))
      if (!isListed) t.fail(`${path}: ${name} is not listed; run npm run lockfile`)
    }
  }
})

t.test('time, timers, randomness and the environment are handed in', async (t) => {
  const given = /^src\/(base\/util\/system-[a-z-]+\.ts|config\.ts|compose\/)/
  // Key material and nonces of the daemon come from node:crypto in these files alone.
  const random = /^src\/base\/crypto\/node-[a-z0-9-]+\.ts$/
  let looked = 0
  for (const file of sources.filter((file) => !given.test(file))) {
    looked++
    for (const use of ambientUses(file, read(file))) {
      if (!random.test(file) || !use.includes('from node:crypto')) t.fail(`${file}:${use}`)
    }
  }
  t.ok(looked > 20)
})

t.test('every error code has its row, and every row its code', async (t) => {
  const rows = [...read('docs/errors.md').matchAll(/^\| `(ABZU_\w+)` \|(.*)\|$/gm)]
  const named = rows.map(([, code]) => code as string)
  t.strictSame(named, [...errorCodes], 'in the same order, each once')
  for (const [, code, cells = ''] of rows) {
    t.equal(cells.split('|').filter((cell) => cell.trim() !== '').length, 4, `${code}: four cells`)
  }
  const toldToPeers = rows.filter(([, , cells]) => cells?.split('|')[1]?.includes('peer'))
  t.strictSame(
    toldToPeers.map(([, code]) => code),
    errorCodes.filter((code) => errorCode(errorNumber(code)) === code),
    'peers see what has a number',
  )
  const thrown = sources.flatMap((file) => read(file).match(/\bABZU_[A-Z_]+\b/g) ?? [])
  const known = new Set<string>([...errorCodes, 'ABZU_HOME', 'ABZU_PARENT_PID'])
  t.strictSame(
    [...new Set(thrown)].filter((code) => !known.has(code)),
    [],
    'no other code is named',
  )
})

/** `const someMax = 64 * 1024` at the beginning of a line: name and value. */
function limitsIn(source: string): [name: string, value: number][] {
  const found = source.matchAll(/^\s*(?:export )?const (\w*Max\w*)(?:: \w+)? = ([\d_* ]+)$/gm)
  return Array.from(found, ([, name = '', product = '']) => {
    const factors = product.replaceAll('_', '').split('*').map(Number)
    return [name, factors.reduce((whole, factor) => whole * factor, 1)]
  })
}

t.test('every limit has its row with its value', async (t) => {
  const page = read('docs/limits.md')
  const wanted: string[] = []
  const tables = {
    'src/base/wire/limits.ts': wireLimits,
    'src/base/wire/export.ts': exportLimits,
    'src/base/store/store-limits.ts': defaultStoreLimits,
    'src/machine/transport/transport-limits.ts': defaultTransportLimits,
    'src/machine/mailbox/mailbox-limits.ts': defaultMailboxLimits,
    'src/machine/node/directory-limits.ts': defaultDirectoryLimits,
    'src/machine/federation/federation-limits.ts': defaultFederationLimits,
    'src/surface/api/api-limits.ts': apiLimits,
  }
  for (const [file, table] of Object.entries(tables)) {
    t.ok(page.includes(`\`${file}\``), file)
    for (const [name, value] of Object.entries<number | Rate>({ ...table })) {
      wanted.push(limitRow(name, value))
    }
  }
  for (const { id, streamsMax } of Object.values(protocols)) {
    wanted.push(`| \`${id}\` | ${streamsMax} |`)
  }
  for (const file of sources.filter((file) => !(file in tables))) {
    for (const [name, value] of limitsIn(read(file))) {
      wanted.push(`${limitRow(name, value)} \`${file}\` |`)
    }
  }
  t.ok(wanted.length > 100, `${wanted.length} limits`)
  for (const row of wanted) {
    if (!page.includes(`\n${row} `)) t.fail(`docs/limits.md has no row that starts with ${row}`)
  }
})
