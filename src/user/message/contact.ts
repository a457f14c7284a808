import type { AccountId } from '../../base/util/brand.ts'
import { contactIdOf, type ContactRow } from './contact-row.ts'

/** A contact as its owner sees it. */
export interface Contact {
  readonly id: AccountId
  /** Given by the owner; of a request: what the sender calls itself, already inert. */
  readonly name: string
  /** A person compared the safety number, and no key changed since. */
  readonly verified: boolean
  readonly blocked: boolean
  /** Wrote through a link and waits to be added. */
  readonly request: boolean
  /** ISO 8601: since when the contact's keys are other ones than a person has confirmed. */
  readonly keysChangedAt?: string
}

/** What the owner is shown of a contact's row. */
export function contactOf(row: ContactRow): Contact {
  const id = contactIdOf(row)
  const { keysChangedAt } = row
  return {
    id,
    name: row.name === '' ? id : row.name,
    verified: row.verified && keysChangedAt === undefined,
    blocked: row.standing === 'blocked',
    request: row.standing === 'request',
    ...(keysChangedAt !== undefined && { keysChangedAt: new Date(keysChangedAt).toISOString() }),
  }
}
