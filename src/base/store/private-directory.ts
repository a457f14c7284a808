/** A directory that only its owner can look into, and the files in it. @module */

import { lstat, mkdir, open, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AbzuError } from '../util/errors.ts'

const others = 0o077

/** Makes `dir` with mode 0700 where it is missing, and refuses one that others may enter or that holds
 *  files others may read. From here on everything this process creates is private: LevelDB makes files at
 *  any time, with the mode that the umask leaves.
 *  @throws {AbzuError} ABZU_INSECURE_MODE, ABZU_IO */
export async function preparePrivateDirectory(dir: string): Promise<void> {
  process.umask(others)
  try {
    const made = await mkdir(dir, { recursive: true, mode: 0o700 })
    if (made) await syncDirectory(dirname(made))
    await expectPrivate(dir)
    for (const name of await readdir(dir)) await expectPrivate(join(dir, name))
  } catch (cause) {
    if (cause instanceof AbzuError) throw cause
    throw new AbzuError('ABZU_IO', 'the directory of the store cannot be used', { cause })
  }
}

async function expectPrivate(path: string): Promise<void> {
  const { mode } = await lstat(path)
  if ((mode & others) === 0) return
  const octal = (mode & 0o777).toString(8)
  throw new AbzuError('ABZU_INSECURE_MODE', `${path} has mode ${octal}: others may use it`)
}

/** Makes names created and removed in `dir` durable. */
export async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
