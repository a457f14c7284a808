/** One account of a node: its row, and the person while unlocked. @module */

import type { AccountId, PeerId } from '../../base/util/brand.ts'
import { accountIdOfRow, type AccountRow } from '../account/account-row.ts'
import { accountMoved } from '../account/succession.ts'
import type { Member } from './member.ts'
import type { Role } from './role.ts'

export interface Entry {
  row: AccountRow
  readonly role: Role
  member?: Member
  /** The end of the last lock: the next unlock waits for it. */
  locking?: Promise<void>
}

export interface AccountSummary {
  readonly id: AccountId
  readonly name: string
  readonly role: Role
  readonly locked: boolean
  /** The node that is the account's home now: here it is frozen. */
  readonly movedTo?: PeerId
}

/** What is told of an account, locked or not. */
export function summaryOf({ row, role, member }: Entry): AccountSummary {
  return {
    id: accountIdOfRow(row),
    name: row.name,
    role,
    locked: member === undefined,
    ...(row.movedTo !== undefined && { movedTo: row.movedTo as PeerId }),
  }
}

/** An account that lives here still.
 *  @throws {AbzuError} ABZU_ACCOUNT_MOVED */
export function expectNotMoved({ row: { movedTo } }: Entry): void {
  if (movedTo !== undefined) throw accountMoved(movedTo)
}
