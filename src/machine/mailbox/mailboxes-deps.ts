/** What the mailboxes of a node are made of. @module */

import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import type { ItemStore } from '../../base/store/item-store.ts'
import type { TableName, Table } from '../../base/store/table.ts'
import type { MailboxLimits } from './mailbox-limits.ts'
import type { PeerId } from '../../base/util/brand.ts'
import type { Clock } from '../../base/util/clock.ts'
import type { Log } from '../../base/util/log.ts'

export interface MailboxesDeps {
  readonly platform: Pick<CryptoPlatform, 'ed25519' | 'sha256' | 'hmacSha256'>
  readonly store: { readonly items: ItemStore; table(name: TableName): Table }
  readonly limits: MailboxLimits
  /** This node: a mailbox's record says what it is to the mailbox. */
  readonly self: PeerId
  readonly clock: Clock
  readonly log: Log
}
