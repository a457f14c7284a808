/** Puts together what accounts come and go by. @module */

import { join } from 'node:path'
import { toAbzuError } from '../base/util/errors.ts'
import type { Log } from '../base/util/log.ts'
import { Carriage, type CarriageDeps } from '../machine/mailbox/carriage.ts'
import type { Mailboxes } from '../machine/mailbox/mailboxes.ts'
import { Uploads, type UploadsDeps } from '../surface/api/uploads.ts'
import type { AccountManager } from '../user/household/account-manager.ts'

export interface PortabilityParts {
  readonly mailboxes: Mailboxes
  readonly accounts: AccountManager
  readonly log: Log
}

/** From now on an account freezes as soon as its mailbox has a record by which it lives elsewhere, and one that was announced
 *  lives here as soon as it has one by which it does. */
export function watchRecords({ mailboxes, accounts, log }: PortabilityParts): void {
  mailboxes.watchRecords((mailbox) => {
    const rootPk = mailboxes.rootOf(mailbox)
    if (!rootPk) return
    accounts.moves.recordChanged(rootPk).catch((error: unknown) => {
      // the next unlocking looks as well
      log.error('record-not-looked-at', { error: toAbzuError(error) })
    })
  })
}

/** Files on their way in, in the home of the node. */
export function uploadsIn(home: string, deps: UploadsDeps): Uploads {
  return new Uploads(deps, join(home, 'uploads'))
}

/** What carries mailboxes out of the node and into it. */
export function carriageOf({
  store: { items },
  ...deps
}: Omit<CarriageDeps, 'items'> & { readonly store: Pick<CarriageDeps, 'items'> }): Carriage {
  return new Carriage({ ...deps, items })
}
