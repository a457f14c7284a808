/** One account of a node: its row, and the person while unlocked. @module */

import type { AccountId, PeerId } from '../../base/util/brand.ts'
import { isoOfHours } from '../../base/util/clock.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { accountIdOfRow, type AccountRow } from '../account/account-row.ts'
import { accountMoved } from '../account/succession.ts'
import type { Member } from './member.ts'
import { parseRole, type Role } from './role.ts'

export interface Entry {
  readonly id: AccountId
  row: AccountRow
  member?: Member
  /** It is being deleted: nobody unlocks it any more. */
  isLeaving?: boolean
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
  /** The account has lived elsewhere so far, and is to live here. */
  readonly isAnnounced?: boolean
  /** ISO 8601: an Admin has removed the account, and it is deleted then. */
  readonly leavesAt?: string
  /** ISO 8601: from then on a Child may become an Adult by its own word. */
  readonly growsUpAt?: string
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
    ...(row.isAnnounced && { isAnnounced: true }),
    ...(row.leavesAtHours !== undefined && { leavesAt: isoOfHours(row.leavesAtHours) }),
    ...(row.growsUpAtHours !== undefined && { growsUpAt: isoOfHours(row.growsUpAtHours) }),
  }
}

/** A household keeps an Admin.
 *  @throws {AbzuError} ABZU_DENIED where `entry` is the last one that lives here */
export function expectNotLastAdmin(all: readonly Entry[], entry: Entry): void {
  const isAdmin = (one: Entry): boolean => roleOf(one) === 'admin' && one.row.movedTo === undefined
  if (!isAdmin(entry) || all.some((one) => one !== entry && isAdmin(one))) return
  throw new AbzuError('ABZU_DENIED', 'this is the last Admin: make another one first')
}

/** Whether an account lives here, and is to be unlocked. */
export function isHere({ isLeaving, row: { movedTo } }: Entry): boolean {
  return !isLeaving && movedTo === undefined
}

/** @throws {AbzuError} ABZU_ACCOUNT_MOVED; ABZU_NOT_FOUND where it is being deleted */
export function expectHere({ isLeaving, row: { movedTo } }: Entry): void {
  if (movedTo !== undefined) throw accountMoved(movedTo)
  if (isLeaving) throw new AbzuError('ABZU_NOT_FOUND', 'the account is being deleted')
}
