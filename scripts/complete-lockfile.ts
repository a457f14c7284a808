/**
 * Completes package-lock.json after an install. A registry may serve the prebuilt packages of one
 * platform only; npm then leaves the others out of the lockfile, and `npm ci` refuses it on every machine.
 * Each optional dependency that is not listed gets an entry by which npm knows where not to install it.
 * @module
 */

import { readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'

interface Entry {
  version?: string
  resolved?: string
  integrity?: string
  dev?: boolean
  devOptional?: boolean
  optional?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
  optionalDependencies?: Record<string, string>
}

interface Lockfile {
  packages: Record<string, Entry>
}

const systems = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32']
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64']
const libraries: Record<string, string> = { gnu: 'glibc', musl: 'musl' }

/** Where a package of this name runs: `@oxlint/binding-linux-x64-musl` says it itself. */
export function platformOf(name: string): Pick<Entry, 'os' | 'cpu' | 'libc'> {
  const words = (name.split('/').pop() as string).split('-')
  const os = words.filter((word) => systems.includes(word))
  const cpu = words.filter((word) => processors.includes(word))
  if (os.length !== 1 || cpu.length !== 1) throw new Error(`cannot tell the platform of ${name}`)
  const abi = (words.at(-1) as string).replace(/eabi(hf)?$/, '')
  const libc = libraries[abi]
  return { os, cpu, ...(libc !== undefined && { libc: [libc] }) }
}

/** Whether node's resolution from the package at `from` finds `name`. */
function isListed(packages: Lockfile['packages'], from: string, name: string): boolean {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    if (packages[at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`]) return true
    if (at === '') return false
  }
}

/** The same lockfile with an entry for each optional dependency and without a registry's address. */
export function completeLockfile(lockfile: Lockfile): { lockfile: Lockfile; added: string[] } {
  const packages = structuredClone(lockfile.packages)
  const added: string[] = []
  for (const [path, parent] of Object.entries(lockfile.packages)) {
    if (parent.resolved?.startsWith('http')) delete packages[path]?.resolved
    for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
      if (isListed(packages, path, name)) continue
      if (!/^\d/.test(version))
        throw new Error(`${path} wants ${name} in no exact version: ${version}`)
      packages[`node_modules/${name}`] = {
        version,
        ...(parent.dev && { dev: true }),
        ...(parent.devOptional && { devOptional: true }),
        optional: true,
        ...platformOf(name),
      }
      added.push(name)
    }
  }
  const sorted = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en'))
  return { lockfile: { ...lockfile, packages: Object.fromEntries(sorted) }, added }
}

if (import.meta.main) {
  const file = new URL('../package-lock.json', import.meta.url)
  const { lockfile, added } = completeLockfile(JSON.parse(readFileSync(file, 'utf8')) as Lockfile)
  writeFileSync(file, `${JSON.stringify(lockfile, null, 2)}\n`)
  process.stdout.write(`${added.length} entries added to package-lock.json\n`)
}
