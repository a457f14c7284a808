/** The people whom an account knows. @module */

import type { AccountId } from '../../base/util/brand.ts'
import { AbzuError } from '../../base/util/errors.ts'

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

export interface LinkInit {
  /** People who may use the link; not counted where left out. */
  readonly uses?: number
  /** @default 30 */
  readonly days?: number
}

export class Contacts {
  /** A contact link that opens a door of its own: `abzu:abzu1...#...`. Resolves when the door is durable.
   *  @throws {AbzuError} ABZU_INVALID_ARGUMENT, ABZU_LOCKED */
  async link(_init: LinkInit = {}): Promise<string> {
    throw new AbzuError('ABZU_NOT_YET', 'contacts')
  }

  /** Adds whom `link` names, or accepts a request where `link` is its sender's address. Lifts a block.
   *  @throws {AbzuError} ABZU_LINK_INVALID, ABZU_ADDRESS_INVALID, ABZU_NOT_FOUND (no such request),
   *  ABZU_ALREADY_EXISTS, ABZU_INVALID_ARGUMENT (name, own link), ABZU_UNREACHABLE, ABZU_LOCKED */
  async add(_init: { link: string; as: string }): Promise<Contact> {
    throw new AbzuError('ABZU_NOT_YET', 'contacts')
  }

  /** By name, requests and blocked ones included. */
  list(): Contact[] {
    throw new AbzuError('ABZU_NOT_YET', 'contacts')
  }

  /** By name or address; a request by its address only.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_LOCKED */
  get(_nameOrId: string): Contact {
    throw new AbzuError('ABZU_NOT_YET', 'contacts')
  }

  /** 60 digits in 12 groups, the same on both sides.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_LOCKED */
  safetyNumber(_nameOrId: string): string {
    throw new AbzuError('ABZU_NOT_YET', 'contacts')
  }

  /** A person compared `digits` (blanks do not count): the contact is verified and a notice of
   *  changed keys is taken back.
   *  @throws {AbzuError} ABZU_INVALID_ARGUMENT (other digits), ABZU_NOT_FOUND, ABZU_LOCKED */
  async confirm(_nameOrId: string, _digits: string): Promise<Contact> {
    throw new AbzuError('ABZU_NOT_YET', 'contacts')
  }

  /** Shuts the contact's door and drops what it sends from now on.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_LOCKED */
  async block(_nameOrId: string): Promise<Contact> {
    throw new AbzuError('ABZU_NOT_YET', 'contacts')
  }
}
