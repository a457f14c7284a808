/** Each rule of `.dependency-cruiser.cjs` is broken on purpose, and has to say so. */

import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import t from 'tap'

const root = join(import.meta.dirname, '..')
const configFile = join(root, '.dependency-cruiser.cjs')
const config = createRequire(import.meta.url)(configFile) as { forbidden: { name: string }[] }

/** Rule, the file that breaks it, and what that file imports. */
const planted: readonly (readonly [rule: string, from: string, to: string])[] = [
  ['no-cycles', 'base/util/cycle-a', 'base/util/cycle-b'],
  ['no-unresolved', 'base/util/lost', './nowhere.ts'],
  ['production-needs-no-dev-dependency', 'base/util/dev', 'fast-check'],
  ['production-needs-no-dev-dependency', 'base/util/unlisted', 'unlisted'],
  ['base-looks-downward', 'base/util/a', 'machine/node/x'],
  ['base-looks-downward', 'base/store/a', 'user/account/x'],
  ['machine-looks-downward', 'machine/mailbox/a', 'user/account/x'],
  ['machine-looks-downward', 'machine/mailbox/b', 'compose/x'],
  ['user-looks-downward', 'user/account/a', 'machine/node/x'],
  ['user-looks-downward', 'user/account/b', 'base/store/x'],
  ['base-util-looks-downward', 'base/util/b', 'base/wire/x'],
  ['base-wire-looks-downward', 'base/wire/a', 'base/crypto/x'],
  ['base-crypto-looks-downward', 'base/crypto/a', 'base/store/x'],
  ['machine-transport-looks-downward', 'machine/transport/a', 'machine/mailbox/x'],
  ['machine-node-looks-downward', 'machine/node/a', 'machine/sync/x'],
  ['machine-mailbox-looks-downward', 'machine/mailbox/c', 'machine/relay/x'],
  ['machine-sync-looks-downward', 'machine/sync/a', 'machine/federation/x'],
  ['machine-relay-looks-downward', 'machine/relay/a', 'machine/federation/x'],
  ['machine-federation-looks-downward', 'machine/federation/a', 'machine/relay/x'],
  ['user-account-looks-downward', 'user/account/c', 'user/message/x'],
  ['user-message-looks-downward', 'user/message/a', 'user/household/x'],
  ['user-household-looks-downward', 'user/household/a', 'user/app/x'],
  ['user-app-looks-downward', 'user/app/a', 'user/household/x'],
  ['surface-client-looks-downward', 'surface/client/a', 'surface/api/x'],
  ['surface-api-looks-downward', 'surface/api/a', 'surface/cli/x'],
  ['only-start-composes', 'surface/cli/status', 'compose/x'],
  ['machine-cannot-open', 'machine/mailbox/d', 'base/crypto/envelope'],
  ['machine-reaches-no-opener', 'machine/mailbox/e', 'base/crypto/detour'],
  ['machine-reads-no-letter', 'machine/mailbox/f', 'base/wire/letter'],
  ['surface-is-handed-its-services', 'surface/api/b', 'machine/node/x'],
  ['surface-knows-no-store', 'surface/api/c', 'base/store/x'],
  ['isomorphic', 'base/wire/b', 'node:fs'],
  ['isomorphic', 'user/message/b', 'node:crypto'],
  ['libp2p-has-one-home', 'machine/node/b', 'libp2p'],
  ['libp2p-has-one-home', 'machine/mailbox/g', '@libp2p/tcp'],
  ['level-has-one-home', 'machine/mailbox/h', 'classic-level'],
  ['msgpackr-has-one-home', 'base/wire/shape', 'msgpackr'],
  ['crypto-libraries-has-one-home', 'user/account/d', '@noble/hashes'],
  ['prometheus-has-one-home', 'surface/cli/count', '@prometheus-io/client'],
  ['fastify-has-one-home', 'surface/cli/serve', 'fastify'],
  ['commander-has-one-home', 'surface/api/d', 'commander'],
]

/** What the rules allow, beside each thing that they forbid. */
const allowed: readonly (readonly [from: string, to: string, kind?: 'type'])[] = [
  ['machine/mailbox/y', 'machine/transport/x'],
  ['machine/mailbox/y', 'base/crypto/signature'],
  ['machine/mailbox/y', 'base/store/x'],
  ['machine/transport/y', 'libp2p'],
  ['user/message/y', 'user/account/x'],
  ['user/account/y', 'base/crypto/envelope'],
  ['user/account/y', 'base/wire/letter'],
  ['base/store/y', 'classic-level'],
  ['base/crypto/node-platform', 'node:crypto'],
  ['surface/api/y', 'machine/node/x', 'type'],
  ['surface/api/y', 'user/household/x', 'type'],
  ['surface/cli/start', 'compose/x'],
  ['compose/y', 'machine/node/x'],
  ['compose/y', 'user/household/x'],
]

const libraries = ['fast-check', 'unlisted', 'libp2p', '@libp2p/tcp', 'classic-level', 'msgpackr']
libraries.push('@prometheus-io/client', '@noble/hashes', 'fastify', 'commander')

/** A tree with all of it, and room for whatever is imported. */
function plant(): string {
  const dir = mkdtempSync(join(tmpdir(), 'abzu-layers-'))
  const sources = new Map<string, string>()
  const write = (file: string, line: string): void => {
    sources.set(file, `${sources.get(file) ?? ''}${line}\n`)
  }
  const add = (from: string, to: string, kind: 'type' | 'value'): void => {
    const isOurs = /^(base|machine|user|surface|compose)\//.test(to)
    const up = '../'.repeat(from.split('/').length - 1)
    const target = isOurs ? `${up}${to}.ts` : to
    write(from, `${kind === 'type' ? 'import type' : 'import'} * as other from '${target}'`)
    write(from, kind === 'type' ? 'export type Other = typeof other' : 'export const y = other')
    if (isOurs) write(to, 'export const x = 1')
  }
  for (const [, from, to] of planted) add(from, to, 'value')
  for (const [from, to, kind] of allowed) add(from, to, kind ?? 'value')
  write('base/util/cycle-b', `export * as other from './cycle-a.ts'`)
  write('base/crypto/detour', `export * as other from './vault-cipher.ts'`)
  write('base/crypto/vault-cipher', 'export const x = 1')

  for (const [file, text] of sources) {
    const path = join(dir, 'src', `${file}.ts`)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  for (const name of libraries) {
    const path = join(dir, 'node_modules', name)
    mkdirSync(path, { recursive: true })
    writeFileSync(join(path, 'package.json'), JSON.stringify({ name, version: '1.0.0' }))
    writeFileSync(join(path, 'index.js'), 'exports.x = 1\n')
  }
  const dependencies = Object.fromEntries(libraries.slice(2).map((name) => [name, '1.0.0']))
  const devDependencies = { 'fast-check': '1.0.0' }
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ dependencies, devDependencies }))
  cpSync(join(root, 'tsconfig.json'), join(dir, 'tsconfig.json'))
  cpSync(configFile, join(dir, '.dependency-cruiser.cjs'))
  return dir
}

interface Cruise {
  summary: {
    totalCruised: number
    violations: { from: string; to: string; rule: { name: string } }[]
  }
}

t.test('every rule bites, and only where it should', async (t) => {
  const dir = plant()
  t.teardown(() => rmSync(dir, { recursive: true }))
  const depcruise = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs')
  const run = spawnSync(process.execPath, [depcruise, '--output-type', 'json', 'src'], {
    cwd: dir,
    encoding: 'utf8',
  })
  t.equal(run.stderr, '')
  const { totalCruised, violations } = (JSON.parse(run.stdout) as Cruise).summary
  t.ok(totalCruised > planted.length, `${totalCruised} modules seen`)

  const found = new Set(violations.map(({ rule, from }) => `${rule.name} ${from}`))
  for (const [rule, from] of planted) t.ok(found.has(`${rule} src/${from}.ts`), `${rule}: ${from}`)
  const rules = new Set(planted.map(([rule]) => rule))
  for (const { name } of config.forbidden)
    t.ok(rules.has(name), `${name} is broken here on purpose`)

  const innocent = new Set(allowed.map(([from]) => `src/${from}.ts`))
  const wronged = violations.filter(({ from }) => innocent.has(from))
  t.strictSame(
    wronged.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`),
    [],
  )
})

t.test('the rules look at every room', async (t) => {
  const text = readFileSync(configFile, 'utf8')
  t.notMatch(text, /severity: '(?!error')/, 'nothing is a mere warning')
  t.notMatch(text, /\ballowed\b|\bexclude\b|includeOnly|knownViolations/, 'nothing is left out')
})
