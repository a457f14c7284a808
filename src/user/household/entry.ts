/** One account of a node: its row, and the person while unlocked. @module */

import type { AccountId, PeerId } from '../../base/util/brand.ts'
import { accountIdOfRow, type AccountRow } from '../account/account-row.ts'
import { accountMoved } from '../account/succession.ts'
import type { Member } from './member.ts'
import { parseRole, type Role } from './role.ts'

export interface Entry {
  readonly id: AccountId
  row: AccountRow
  member?: Member
  /** The end of the last lock: the next unlock waits for it. */
  locking?: Promise<void>
}

/** @throws {AbzuError} ABZU_MALFORMED (role) */
export function entryOf(row: AccountRow): Entry {
  parseRole(row.role)
  return { id: accountIdOfRow(row), row }
}

export function roleOf({ row }: Entry): Role {
  return parseRole(row.role)
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
export function summaryOf(entry: Entry): AccountSummary {
  const { id, row, member } = entry
  return {
    id,
    name: row.name,
    role: roleOf(entry),
    locked: member === undefined,
    ...(row.movedTo !== undefined && { movedTo: row.movedTo as PeerId }),
  }
}

/** An account that lives here still.
 *  @throws {AbzuError} ABZU_ACCOUNT_MOVED */
export function expectNotMoved({ row: { movedTo } }: Entry): void {
  if (movedTo !== undefined) throw accountMoved(movedTo)
}
