/** Where a run took place: figures mean nothing without it. @module */

import { execFileSync } from 'node:child_process'
import { statfsSync } from 'node:fs'
import { arch, cpus, loadavg, release, tmpdir, totalmem, type } from 'node:os'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryMb: number
  /** Kernel, release and architecture. */
  readonly system: string
  /** Version of Node. */
  readonly node: string
  /** `null` outside a git work tree. */
  readonly commit: string | null
  /** File system of the scratch directories. On `tmpfs` a sync costs nothing, so durable figures
   *  are of no worth. */
  readonly disk: string
  /** Mean of runnable tasks over the last minute, as the run began: above 0.5 others were at work. */
  readonly load: number
}

/** Magic numbers of statfs(2). */
const fileSystems = new Map([
  [0xef53, 'ext4'],
  [0x01021994, 'tmpfs'],
  [0x9123683e, 'btrfs'],
  [0x58465342, 'xfs'],
  [0x794c7630, 'overlayfs'],
  [0x2fc12fc1, 'zfs'],
])

export function describeMachine(): Machine {
  const processors = cpus()
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryMb: Math.round(totalmem() / 2 ** 20),
    system: `${type()} ${release()} ${arch()}`,
    node: process.versions.node,
    commit: currentCommit(),
    disk: fileSystems.get(statfsSync(tmpdir()).type) ?? 'another file system',
    load: Number((loadavg()[0] ?? 0).toFixed(2)),
  }
}

function currentCommit(): string | null {
  try {
    const options = { cwd: import.meta.dirname, timeout: 5000, encoding: 'utf8' } as const
    const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      ...options,
      stdio: 'pipe',
    })
    return commit.trim()
  } catch {
    return null
  }
}
