/** ABZU_HOME: everything that one node keeps. @module */

import { chmod, mkdir, stat } from 'node:fs/promises'
import { AbzuError } from '../base/util/errors.ts'

/** Makes the directory, for its owner only, and refuses one that others may enter.
 *  @throws {AbzuError} ABZU_IO, ABZU_INSECURE_MODE */
export async function prepareHome(home: string): Promise<void> {
  try {
    const made = await mkdir(home, { recursive: true, mode: 0o700 })
    if (made !== undefined) await chmod(home, 0o700)
    const { mode, uid } = await stat(home)
    const isMine = uid === (process.getuid?.() ?? uid)
    if (isMine && (mode & 0o077) === 0) return
  } catch (cause) {
    throw new AbzuError('ABZU_IO', `cannot use ${home} as ABZU_HOME`, { cause })
  }
  throw new AbzuError(
    'ABZU_INSECURE_MODE',
    `${home} is open to others: chmod 700 it, and see that it is yours`,
  )
}
