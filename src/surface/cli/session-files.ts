/**
 * The command line's session tokens: one file per account in ABZU_HOME/sessions, for its owner only.
 * @module
 */

import { chmod, mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { AbzuError, assert } from '../../base/util/errors.ts'

const tokenCharactersMax = 256

export class SessionFiles {
  readonly #dir: string
  #drafts = 0

  /** @param dir need not exist yet */
  constructor(dir: string) {
    this.#dir = dir
  }

  /** The token kept for an account, if any.
   *  @throws {AbzuError} ABZU_INSECURE_MODE where others may read it; ABZU_IO */
  async load(accountId: string): Promise<string | undefined> {
    const path = this.#path(accountId)
    try {
      await using file = await open(path)
      const { mode } = await file.stat()
      if ((mode & 0o077) !== 0) {
        throw new AbzuError('ABZU_INSECURE_MODE', `others may read ${path}: chmod 600 it`)
      }
      const bytes = new Uint8Array(tokenCharactersMax)
      const { bytesRead } = await file.read(bytes)
      return new TextDecoder().decode(bytes.subarray(0, bytesRead)).trim()
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw failure(`cannot read ${path}`, cause)
    }
  }

  /** Keeps a token in the place of an earlier one, at once and whole. Not synced to the disk: a
   *  session does not outlive its daemon.
   *  @throws {AbzuError} ABZU_IO */
  async save(accountId: string, token: string): Promise<void> {
    const path = this.#path(accountId)
    const draft = `${path}.${process.pid}.${this.#drafts++}.tmp`
    try {
      await mkdir(this.#dir, { recursive: true, mode: 0o700 })
      await chmod(this.#dir, 0o700)
      await rm(draft, { force: true })
      {
        await using file = await open(draft, 'wx', 0o600)
        await file.writeFile(`${token}\n`)
      }
      await rename(draft, path)
    } catch (cause) {
      throw failure(`cannot write ${path}`, cause)
    }
  }

  /** Forgets the token of an account. */
  async remove(accountId: string): Promise<void> {
    await rm(this.#path(accountId), { force: true })
  }

  #path(accountId: string): string {
    assert(/^abzu1[a-z0-9]+$/.test(accountId), 'an account id is a safe file name')
    return join(this.#dir, accountId)
  }
}

function failure(message: string, cause: unknown): AbzuError {
  return cause instanceof AbzuError ? cause : new AbzuError('ABZU_IO', message, { cause })
}
