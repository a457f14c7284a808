/** Looks at ABZU_HOME from outside: who may read it, and how much room is left. Works without a daemon. @module */

import { lstat, readdir, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { defaultStoreLimits } from '../store/store-limits.ts'
import { fine, type Finding } from './finding.ts'

const others = 0o077
/** A store of many gigabytes has some thousand files. */
const entriesMax = 20_000
const mebibyte = 1024 * 1024

/** Never rejects: what cannot be looked at is a finding. */
export async function examineHome(home: string): Promise<Finding[]> {
  try {
    await lstat(home)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') return [unreadable('home', error)]
    const found = `${home} is not there`
    const means = 'no node has run here'
    return [{ check: 'home', severity: 'note', found, means, remedy: 'abzu start' }]
  }
  const looks = [async () => permissions(home), async () => space(home, await statfs(home))]
  const findings = looks.map(async (look, n) => {
    try {
      return await look()
    } catch (error) {
      return unreadable(n === 0 ? 'permissions' : 'disk-space', error)
    }
  })
  return Promise.all(findings)
}

async function permissions(home: string): Promise<Finding> {
  const own = process.getuid?.()
  const open: string[] = []
  const foreign: string[] = []
  let looked = 0
  const names = await readdir(home, { recursive: true })
  for (const name of ['.', ...names.slice(0, entriesMax)]) {
    const entry = await lstat(join(home, name)).catch(() => undefined)
    // LevelDB removes files while it works
    if (!entry || entry.isSymbolicLink()) continue
    looked++
    // an editor made it; it holds no secret
    if (name === 'config.json') continue
    if ((entry.mode & others) !== 0) open.push(name)
    if (own !== undefined && entry.uid !== own) foreign.push(name)
  }
  const [first = foreign[0]] = open
  if (first === undefined) return fine('permissions', `${looked} files, all for their owner only`)
  const count = open.length + foreign.length
  return {
    check: 'permissions',
    severity: 'error',
    found: `${count} of ${looked} files are open to others, or another user's: ${join(home, first)}`,
    means: 'others on this machine may read keys and messages; the daemon may refuse to start',
    remedy: `chmod -R go-rwx '${home}', and chown it to the user that runs abzu`,
  }
}

/** What `statfs` says of the disk under the home. */
export function space(
  home: string,
  { bavail, bsize, files, ffree }: { bavail: number; bsize: number; files: number; ffree: number },
): Finding {
  const { reserveBytes } = defaultStoreLimits
  const freeBytes = bavail * bsize
  const free = `${Math.floor(freeBytes / mebibyte)} MiB free under ${home}`
  const check = 'disk-space'
  const remedy = 'make room on the disk, or move ABZU_HOME to a larger one'
  if (freeBytes < reserveBytes) {
    const means = 'nothing new is stored; reading and deleting still work'
    return { check, severity: 'error', found: free, means, remedy }
  }
  // some file systems have no such number
  if (files > 0 && ffree < 1000) {
    const found = `${ffree} more files fit under ${home}`
    return { check, severity: 'warning', found, means: 'soon nothing new is stored', remedy }
  }
  if (freeBytes < 4 * reserveBytes) {
    const means = `below ${reserveBytes / mebibyte} MiB nothing new is stored`
    return { check, severity: 'warning', found: free, means, remedy }
  }
  return fine(check, free)
}

function unreadable(check: string, error: unknown): Finding {
  return {
    check,
    severity: 'error',
    found: `the home cannot be looked at: ${codeOf(error) ?? 'unknown'}`,
    means: 'the daemon cannot use it either',
    remedy: 'see that ABZU_HOME is the right one, and yours',
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
