/** A file that is there whole or not at all. @module */

import { link, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { AbzuError, isAbzuError } from '../../base/util/errors.ts'

export interface NewFileInit {
  /** Whether a file that is there may be replaced. */
  readonly replace: boolean
  /** Called with the bytes written so far. */
  readonly progress: (bytes: number) => Promise<void>
}

/** Writes `chunks` into a file for its owner only. It gets its name when all of it is on the disk; resolves to its bytes
 *  when the name is there as well.
 *  @throws {AbzuError} ABZU_ALREADY_EXISTS, ABZU_DISK_FULL, ABZU_IO, those of `chunks` */
export async function writeNewFile(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  { replace, progress }: NewFileInit,
): Promise<number> {
  const whole = resolve(path)
  const draft = join(dirname(whole), `.${basename(whole)}.${process.pid}.part`)
  try {
    if (!replace) await expectFree(whole)
    const bytes = await writeDraft(draft, chunks, progress)
    if (replace) await rename(draft, whole)
    // other than a rename, it never replaces what somebody else has put there meanwhile
    else await link(draft, whole)
    await rm(draft, { force: true })
    await syncDirectory(dirname(whole))
    return bytes
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => undefined)
    throw failure(path, cause)
  }
}

async function expectFree(path: string): Promise<void> {
  const there = await open(path).then(
    async (file) => file.close().then(() => true),
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
  )
  if (there) throw Object.assign(new Error('there is such a file'), { code: 'EEXIST' })
}

async function writeDraft(
  draft: string,
  chunks: AsyncIterable<Uint8Array>,
  progress: (bytes: number) => Promise<void>,
): Promise<number> {
  await rm(draft, { force: true })
  await using file = await open(draft, 'wx', 0o600)
  let bytes = 0
  for await (const chunk of chunks) {
    await file.writeFile(chunk)
    bytes += chunk.length
    await progress(bytes)
  }
  await file.sync()
  return bytes
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path)
  await directory.sync()
}

function failure(path: string, cause: unknown): unknown {
  const { code } = cause as NodeJS.ErrnoException
  if (isAbzuError(cause) || typeof code !== 'string') return cause
  if (code === 'EEXIST') {
    return new AbzuError('ABZU_ALREADY_EXISTS', `${path} is there: --force replaces it`, { cause })
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new AbzuError('ABZU_DISK_FULL', `there is no room for ${path}`, { cause })
  }
  return new AbzuError('ABZU_IO', `cannot write ${path}`, { cause })
}
