import type { AccountId } from '../../base/util/brand.ts'
import type { Contacts } from '../message/contacts.ts'
import type { Messages } from '../message/messages.ts'
import type { Role } from './role.ts'

/** One person of the household while unlocked. After the lock every call of its parts rejects with
 *  ABZU_LOCKED. */
export interface Member {
  readonly id: AccountId
  readonly name: string
  readonly role: Role
  readonly contacts: Contacts
  readonly messages: Messages
}
