/** Small files that only their owner may read, and that are either whole or not there. @module */

import { constants } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AbzuError } from '../../base/util/errors.ts'

const ownerOnly = 0o600
const groupAndOthers = 0o077

/** The first `bytesMax` bytes of `file`, or undefined where there is no such file.
 *  @throws {AbzuError} ABZU_INSECURE_MODE, ABZU_FILE_INVALID where it is no plain file, ABZU_IO */
export async function readSecretFile(
  file: string,
  { bytesMax }: { bytesMax: number },
): Promise<Uint8Array | undefined> {
  try {
    // a named pipe would block
    await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
    const stat = await handle.stat()
    if (!stat.isFile()) throw new AbzuError('ABZU_FILE_INVALID', `${file} is no plain file`)
    if ((stat.mode & groupAndOthers) !== 0) {
      throw new AbzuError('ABZU_INSECURE_MODE', `others may read ${file}: chmod 600 it`)
    }
    const bytes = new Uint8Array(bytesMax)
    let length = 0
    for (let more = 1; more > 0 && length < bytesMax; length += more) {
      more = (await handle.read(bytes, length, bytesMax - length)).bytesRead
    }
    return bytes.subarray(0, length)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw diskError(error, `cannot read ${file}`)
  }
}

/** Creates `file`. Resolves when it would survive a power cut. Never called for a file that is there.
 *  @throws {AbzuError} ABZU_DISK_FULL, ABZU_IO: then `file` is not there */
export async function createSecretFile(file: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${file}.tmp`
  try {
    await rm(temporary, { force: true })
    await writeDurably(temporary, bytes)
    await rename(temporary, file)
    await using directory = await open(dirname(file), constants.O_RDONLY)
    await directory.sync()
  } catch (error) {
    throw diskError(error, `cannot create ${file}`)
  }
}

async function writeDurably(file: string, bytes: Uint8Array): Promise<void> {
  await using handle = await open(file, 'wx', ownerOnly)
  // the mode that open was given passed through the umask
  await handle.chmod(ownerOnly)
  await handle.writeFile(bytes)
  await handle.sync()
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}

function diskError(error: unknown, what: string): AbzuError {
  if (error instanceof AbzuError) return error
  const code = codeOf(error) === 'ENOSPC' ? 'ABZU_DISK_FULL' : 'ABZU_IO'
  return new AbzuError(code, `${what}: ${codeOf(error)}`, { cause: error })
}
