import type { AccountId } from '../../base/util/brand.ts'
import { contactIdOf, type ContactRow } from './contact-row.ts'
import type { Approval, Guardian } from './guardian.ts'

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
  /** Of a Child's contacts: what the household has decided of letters to and from it. */
  readonly approval?: Approval
  /** A Child: the Admins of its household can open what is written to it. */
  readonly supervised?: boolean
}

/** What the owner is shown of a contact's row. What somebody calls itself whom nobody has approved, no Child is shown. */
export function contactOf(row: ContactRow, guardian?: Guardian): Contact {
  const id = contactIdOf(row)
  const { keysChangedAt } = row
  const approval = guardian?.approvalOf(row.root)
  const isClaimed = row.standing === 'request' && approval !== undefined && approval !== 'approved'
  return {
    id,
    name: row.name === '' || isClaimed ? id : row.name,
    verified: row.verified && keysChangedAt === undefined,
    blocked: row.standing === 'blocked',
    request: row.standing === 'request',
    ...(keysChangedAt !== undefined && { keysChangedAt: new Date(keysChangedAt).toISOString() }),
    ...(approval && { approval }),
    ...(row.supervised && { supervised: true }),
  }
}
