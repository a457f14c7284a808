import { parseAccountId, rootKeyOf } from '../../base/crypto/address.ts'
import { toHex } from '../../base/util/bytes.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { foldedName } from '../../base/util/folded-name.ts'
import type { Account } from '../account/account.ts'
import { isAddress } from '../account/person-name.ts'
import type { SlotDraft } from '../account/slot-draft.ts'
import {
  contactIdOf,
  contactSlotName,
  decodeContactRow,
  encodeContactRow,
  type ContactRow,
} from './contact-row.ts'

/** Contacts that a person has added, blocked ones included; all are in memory. */
export const contactsMax = 2000
/** Senders that wait to be added. */
export const requestsMax = 200

/** Every contact of the account, in memory; the vault has the same. Rows are never changed in place. */
export class ContactBook {
  readonly #account: Account
  readonly #rows = new Map<string, ContactRow>()

  constructor(account: Account) {
    this.#account = account
  }

  get rows(): readonly ContactRow[] {
    return [...this.#rows.values()]
  }

  byRoot(root: Uint8Array): ContactRow | undefined {
    return this.#rows.get(toHex(root))
  }

  /** By address, or by the name that the owner gave: what a request calls itself finds nobody.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_ADDRESS_INVALID */
  find(nameOrId: string): ContactRow {
    const row = isAddress(nameOrId)
      ? this.byRoot(rootKeyOf(parseAccountId(nameOrId)))
      : this.byName(nameOrId)
    if (!row) throw new AbzuError('ABZU_NOT_FOUND', 'there is no such contact')
    return row
  }

  byName(name: string): ContactRow | undefined {
    const wanted = foldedName(name)
    return this.rows.find((row) => row.standing !== 'request' && foldedName(row.name) === wanted)
  }

  /** Takes in what the vault has.
   *  @throws {AbzuError} ABZU_MALFORMED */
  load(value: Uint8Array): void {
    this.keep(decodeContactRow(value))
  }

  /** Puts the row into the vault, once it is written; `keep` follows. */
  draft(row: ContactRow): SlotDraft {
    return this.#account.vault.draft(contactSlotName(row.root), encodeContactRow(row))
  }

  keep(row: ContactRow): void {
    this.#rows.set(toHex(row.root), row)
  }

  /** Empties the slot of a contact, once it is written; `drop` follows. */
  emptyDraft(root: Uint8Array): SlotDraft {
    return this.#account.vault.emptyDraft(contactSlotName(root))
  }

  drop(root: Uint8Array): void {
    this.#rows.delete(toHex(root))
  }

  async write(row: ContactRow, ...more: readonly SlotDraft[]): Promise<void> {
    await this.#account.write([this.draft(row), ...more])
    this.keep(row)
  }

  /** In order of their names; addresses decide between equal ones. */
  sorted(): ContactRow[] {
    const key = (row: ContactRow): string => `${foldedName(row.name)} ${contactIdOf(row)}`
    return this.rows.toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
  }
}
