/** ABZU_HOME: everything that one node keeps. @module */

import { chmod, mkdir, readdir, stat } from 'node:fs/promises'
import { AbzuError } from '../base/util/errors.ts'

/** Makes the directory, for its owner only. One that is there is made so while it is empty; later, one
 *  that others may enter is refused: what it holds may have been read.
 *  @throws {AbzuError} ABZU_IO, ABZU_INSECURE_MODE */
export async function prepareHome(home: string): Promise<void> {
  try {
    await mkdir(home, { recursive: true, mode: 0o700 })
    const { mode, uid } = await stat(home)
    const isMine = uid === (process.getuid?.() ?? uid)
    const isPrivate = (mode & 0o077) === 0
    if (isMine && isPrivate) return
    if (isMine && (await readdir(home)).length === 0) return await chmod(home, 0o700)
  } catch (cause) {
    throw new AbzuError('ABZU_IO', `cannot use ${home} as ABZU_HOME`, { cause })
  }
  throw new AbzuError(
    'ABZU_INSECURE_MODE',
    `${home} is open to others: chmod 700 it, and see that it is yours`,
  )
}
