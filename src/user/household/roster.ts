/** Which accounts a node has: their rows, on the disk and in memory. @module */

import { parseAccountId } from '../../base/crypto/address.ts'
import type { AccountId } from '../../base/util/brand.ts'
import { equalBytes } from '../../base/util/bytes.ts'
import { AbzuError, toAbzuError } from '../../base/util/errors.ts'
import { foldedName } from '../../base/util/folded-name.ts'
import type { Log } from '../../base/util/log.ts'
import {
  accountIdOfRow,
  decodeAccountRow,
  encodeAccountRow,
  type AccountRow,
} from '../account/account-row.ts'
import { isAddress } from '../account/person-name.ts'
import type { NodeRows } from '../account/ports.ts'
import { entryOf, isHere, roleOf, type Entry } from './entry.ts'
import { Reservations } from './reservations.ts'
import type { Role } from './role.ts'

const accountsMax = 20_000

/** Who wants to know what becomes of accounts, in memory. It must not throw. */
export interface RosterWatcher {
  /** It has come, or its row is another one. */
  readonly changed: (entry: Entry) => void
  readonly removed: (entry: Pick<Entry, 'id' | 'row'>) => void
}

export class Roster {
  readonly #rows: NodeRows
  readonly #entries = new Map<AccountId, Entry>()
  /** By folded name. */
  readonly #names = new Map<string, Entry>()
  readonly #reserved = new Reservations()
  readonly #leaving = new Map<AccountId, AccountRow>()
  readonly #watchers: RosterWatcher[] = []

  /** Reads all rows; one that does not decode is reported and left alone.
   *  @throws {AbzuError} those of the store */
  static async open({ rows, log }: { rows: NodeRows; log: Log }): Promise<Roster> {
    const roster = new Roster(rows)
    for await (const { value } of rows.range({ limit: accountsMax })) {
      try {
        const row = decodeAccountRow(value)
        if (row.isDeleted) roster.#leaving.set(accountIdOfRow(row), row)
        else roster.add(entryOf(row))
      } catch (error) {
        log.error('account-row-unreadable', { error: toAbzuError(error) })
      }
    }
    return roster
  }

  private constructor(rows: NodeRows) {
    this.#rows = rows
  }

  /** In no promised order. */
  all(): Entry[] {
    return [...this.#entries.values()]
  }

  /** Whether an account was made of the invitation whose token has this hash. */
  hasUsed(invitation: Uint8Array): boolean {
    return this.all().some(({ row }) => row.invitation && equalBytes(row.invitation, invitation))
  }

  /** Whether somebody of this role lives here. */
  hasRole(role: Role): boolean {
    return this.all().some((entry) => isHere(entry) && roleOf(entry) === role)
  }

  get(id: AccountId): Entry | undefined {
    return this.#entries.get(id)
  }

  /** @throws {AbzuError} ABZU_NOT_FOUND, ABZU_ADDRESS_INVALID */
  find(nameOrId: string): Entry {
    const entry = isAddress(nameOrId)
      ? this.#entries.get(parseAccountId(nameOrId))
      : this.#names.get(foldedName(nameOrId))
    if (!entry) throw new AbzuError('ABZU_NOT_FOUND', 'there is no such account')
    return entry
  }

  /** Tells `watcher` from now on. */
  watch(watcher: RosterWatcher): void {
    this.#watchers.push(watcher)
  }

  /** Takes an account in whose row is durable, in the place of an earlier one of the same id. */
  add(entry: Entry): void {
    const earlier = this.#entries.get(entry.id)
    if (earlier) this.#names.delete(foldedName(earlier.row.name))
    this.#entries.set(entry.id, entry)
    this.#names.set(foldedName(entry.row.name), entry)
    for (const { changed } of this.#watchers) changed(entry)
  }

  /** Makes `row` durable; what is in memory stays as it is.
   *  @throws {AbzuError} those of the store */
  async save(row: AccountRow): Promise<void> {
    await this.#rows.put(row.rootPk, encodeAccountRow(row))
  }

  /** Puts `row` in the place of an account's row, first in memory, so that of two changes the later one has seen the other.
   *  Resolves after fsync.
   *  @param save makes the row durable, where something else is to be stored in the same commit
   *  @throws {AbzuError} those of the store */
  async change(entry: Entry, row: AccountRow, save = this.save.bind(this)): Promise<void> {
    entry.row = row
    for (const { changed } of this.#watchers) changed(entry)
    await save(row)
  }

  /** Takes an account out: its row says that it is deleted, and `forget` deletes that too. */
  leave(entry: Entry, row: AccountRow): void {
    this.#entries.delete(entry.id)
    this.#names.delete(foldedName(entry.row.name))
    for (const { removed } of this.#watchers) removed(entry)
    this.#leaving.set(entry.id, row)
  }

  /** Deletes the row of an account that has left. Resolves after fsync.
   *  @throws {AbzuError} those of the store */
  async forget(row: AccountRow): Promise<void> {
    await this.#rows.delete(row.rootPk)
    this.#leaving.delete(accountIdOfRow(row))
  }

  /** Rows of accounts that have left and of which something may be here still. */
  leaving(): AccountRow[] {
    return [...this.#leaving.values()]
  }

  /** Runs `work` on the account `id` while nobody makes an account of that id.
   *  @throws {AbzuError} ABZU_ALREADY_EXISTS, those of `work` */
  async holding<T>(id: AccountId, work: () => Promise<T>): Promise<T> {
    return this.#reserved.hold([id], work)
  }

  /** Whoever comes here has another home until then.
   *  @throws {AbzuError} ABZU_ALREADY_EXISTS */
  expectAway(id: AccountId): void {
    const entry = this.get(id)
    const isAway = entry ? entry.row.movedTo !== undefined : !this.#leaving.has(id)
    if (isAway) return
    throw new AbzuError('ABZU_ALREADY_EXISTS', 'this account lives here already')
  }

  /** What an account becomes that comes from elsewhere, where nobody has said it: an Adult, and the Admin of a node without one. */
  roleOfArrival(): Role {
    return this.hasRole('admin') ? 'adult' : 'admin'
  }

  /** Runs `work`, which makes the account `id` of this name, while nobody else makes one of either, or of what is named beside.
   *  @throws {AbzuError} ABZU_ALREADY_EXISTS, ABZU_QUOTA_EXCEEDED, those of `work` */
  async making<T>(
    {
      name,
      id,
      also = [],
    }: { readonly name: string; readonly id?: AccountId; readonly also?: readonly string[] },
    work: () => Promise<T>,
  ): Promise<T> {
    const folded = foldedName(name)
    const namesake = this.#names.get(folded)
    if (namesake && namesake.id !== id) {
      throw new AbzuError('ABZU_ALREADY_EXISTS', 'an account of this name exists')
    }
    if (this.#entries.size + this.#reserved.size >= accountsMax) {
      throw new AbzuError('ABZU_QUOTA_EXCEEDED', `a node has at most ${accountsMax} accounts`)
    }
    return this.#reserved.hold([folded, ...(id ? [id] : []), ...also], work)
  }
}
