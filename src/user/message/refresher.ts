import { mailboxIdOf } from '../../base/crypto/address.ts'
import { fromHex, toHex } from '../../base/util/bytes.ts'
import { isAbzuError, toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import type { Account } from '../account/account.ts'
import type { DirectoryPort } from '../account/ports.ts'
import type { Serial } from '../account/serial.ts'
import { contactsMax, type ContactBook } from './contact-book.ts'
import { verifyRecord, withRecord } from './reach.ts'

export interface RefresherDeps {
  readonly account: Account
  readonly book: ContactBook
  readonly directory: DirectoryPort
  readonly changes: Serial
  readonly log: Log
}

/** Asks for the newer records of which contacts' letters spoke. Without it mail still arrives, since a
 *  host answers a stale key with the record; with it mail is sealed to the newest prekey at once. */
export class Refresher {
  readonly #deps: RefresherDeps
  readonly #outdated = new Set<string>()

  constructor(deps: RefresherDeps) {
    this.#deps = deps
  }

  add(root: Uint8Array): void {
    if (this.#outdated.size < contactsMax) this.#outdated.add(toHex(root))
  }

  /** Asks once for each; who cannot be asked now is asked after another letter. */
  async refreshAll(signal: AbortSignal): Promise<void> {
    for (const root of this.#outdated) {
      this.#outdated.delete(root)
      await this.refreshNow(fromHex(root) as Uint8Array)
      signal.throwIfAborted()
    }
  }

  /** Asks for one record now; where that cannot be had, what is known stays. */
  async refreshNow(root: Uint8Array): Promise<void> {
    try {
      await this.#refresh(root)
    } catch (error) {
      if (!isAbzuError(error)) throw error
      this.#deps.log.debug('record-not-refreshed', { error: toAbzuError(error) })
    }
  }

  async #refresh(root: Uint8Array): Promise<void> {
    const { account, book, directory, changes } = this.#deps
    const reach = book.byRoot(root)?.reach
    if (!reach) return
    const signed = await directory.resolve(mailboxIdOf(account.platform, root), reach.hosts, reach)
    const verified = verifyRecord(account.platform, root, signed)
    await account.gate.pass(async () =>
      changes.run(async () => {
        const row = book.byRoot(root)
        const after = row && withRecord(row, verified, { nowMs: account.clock.nowMs() })
        if (after && after !== row) await book.write(after)
      }),
    )
  }
}
