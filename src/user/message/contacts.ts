/** The people whom an account knows. @module */

import { mailboxIdOf, parseAccountId, rootKeyOf } from '../../base/crypto/address.ts'
import { parseContactLink } from '../../base/crypto/link.ts'
import { safetyNumber } from '../../base/crypto/safety-number.ts'
import { expectAffordable } from '../../base/crypto/stamp.ts'
import { equalBytes } from '../../base/util/bytes.ts'
import { AbzuError, isAbzuError } from '../../base/util/errors.ts'
import type { ContactLink, Host } from '../../base/wire/records.ts'
import type { Account } from '../account/account.ts'
import type { Strangers } from '../account/own-record.ts'
import { isAddress, parsePersonName } from '../account/person-name.ts'
import type { DirectoryPort, StampPort } from '../account/ports.ts'
import type { Serial } from '../account/serial.ts'
import type { SlotDraft } from '../account/slot-draft.ts'
import { contactsMax, type ContactBook } from './contact-book.ts'
import { withoutLapse, type ContactRow } from './contact-row.ts'
import { contactOf, type Contact } from './contact.ts'
import { expectMayWrite, type Guardian } from './guardian.ts'
import type { LinkInit, Links } from './links.ts'
import type { MessageLog } from './message-log.ts'
import { verifyRecord, withRecord, type VerifiedRecord } from './reach.ts'
import type { Sender } from './sender.ts'

export interface ContactsDeps {
  readonly account: Account
  readonly book: ContactBook
  readonly links: Links
  readonly messages: MessageLog
  readonly sender: Sender
  readonly directory: DirectoryPort
  readonly stamps: Pick<StampPort, 'prepare'>
  /** Who decides of the account's contacts, where it is not the account. */
  readonly guardian?: Guardian | undefined
  /** One change of contacts or message states at a time. */
  readonly changes: Serial
  /** Called when a request has been answered, once that is durable: there is a letter to post, and mail
   *  that waited may find room. */
  readonly answered: () => void
}

/** What was learnt of somebody who is to be added. */
interface Found {
  readonly verified: VerifiedRecord
  /** Opens a door of theirs. */
  readonly token?: Uint8Array
}

export class Contacts {
  readonly #deps: ContactsDeps

  constructor(deps: ContactsDeps) {
    this.#deps = deps
  }

  /** @see Links.open */
  async link(init: LinkInit = {}): Promise<string> {
    return this.#deps.links.open(init)
  }

  /** Whether people without a token may write.
   *  @throws {AbzuError} ABZU_LOCKED */
  strangers(): Strangers {
    const { account } = this.#deps
    account.gate.check()
    return account.prekeys.strangers
  }

  /** Resolves when the account's record says so.
   *  @throws {AbzuError} ABZU_LOCKED, those of the store */
  async letStrangersBe(strangers: Strangers): Promise<void> {
    const { account } = this.#deps
    await account.gate.pass(async () => account.prekeys.letStrangersBe(strangers))
  }

  /** Adds whom `link` names, be it a contact link or an address alone; accepts a request where its sender
   *  is meant. Lifts a block. Where somebody else decides of contacts, they are asked, and no letter goes before that.
   *  @throws {AbzuError} ABZU_LINK_INVALID, ABZU_ADDRESS_INVALID, ABZU_NOT_FOUND, ABZU_ALREADY_EXISTS,
   *  ABZU_INVALID_ARGUMENT (name, own link), ABZU_STRANGERS_REFUSED, ABZU_STAMP_TOO_COSTLY, ABZU_UNREACHABLE,
   *  ABZU_DENIED (the household has said no), ABZU_LOCKED */
  async add({ link: text, as }: { link: string; as: string }): Promise<Contact> {
    const { account, changes } = this.#deps
    account.gate.check()
    const name = parsePersonName(as)
    const link = isAddress(text) ? undefined : parseContactLink(text)
    const root = rootKeyOf(link?.account ?? parseAccountId(text))
    if (equalBytes(root, account.rootPk)) {
      throw new AbzuError('ABZU_INVALID_ARGUMENT', 'this is your own address')
    }
    this.#expectAddable(root, name, link?.link.token)
    const found = link ? await this.#named(root, link.link) : await this.#unnamed(root)
    return account.gate.pass(async () =>
      changes.run(async () => {
        await this.#deps.guardian?.ask({ root, name })
        return this.#shown(await this.#accept({ root, name, found }))
      }),
    )
  }

  /** By name, requests and blocked ones included.
   *  @throws {AbzuError} ABZU_LOCKED */
  list(): Contact[] {
    this.#deps.account.gate.check()
    return this.#deps.book.sorted().map((row) => this.#shown(row))
  }

  /** By name or address; a request by its address only.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_ADDRESS_INVALID, ABZU_LOCKED */
  get(nameOrId: string): Contact {
    return this.#shown(this.#find(nameOrId))
  }

  /** 60 digits in 12 groups, the same on both sides.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_ADDRESS_INVALID, ABZU_LOCKED */
  safetyNumber(nameOrId: string): string {
    const { platform, rootPk } = this.#deps.account
    return safetyNumber(platform, rootPk, this.#find(nameOrId).root)
  }

  /** A person compared `digits` (blanks do not count): the contact is verified and a notice of
   *  changed keys is taken back.
   *  @throws {AbzuError} ABZU_INVALID_ARGUMENT (other digits), ABZU_NOT_FOUND, ABZU_LOCKED */
  async confirm(nameOrId: string, digits: string): Promise<Contact> {
    const compact = (text: string): string => text.replaceAll(/\s/g, '')
    if (compact(digits) !== compact(this.safetyNumber(nameOrId))) {
      throw new AbzuError('ABZU_INVALID_ARGUMENT', 'these are not the digits of this contact')
    }
    return this.#change(nameOrId, (row) => ({ row: confirmed(row) }))
  }

  /** Shuts the contact's door and drops what it sends from now on.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_LOCKED */
  async block(nameOrId: string): Promise<Contact> {
    const contact = await this.#change(nameOrId, ({ ownToken, ...row }) => ({
      row: { ...withoutLapse(row), standing: 'blocked', returnAddress: 'unsent' },
      drafts: ownToken ? [this.#deps.account.doors.shut(ownToken)] : [],
    }))
    this.#deps.answered()
    return contact
  }

  #shown(row: ContactRow): Contact {
    return contactOf(row, this.#deps.guardian)
  }

  #find(nameOrId: string): ContactRow {
    this.#deps.account.gate.check()
    return this.#deps.book.find(nameOrId)
  }

  async #change(
    nameOrId: string,
    change: (row: ContactRow) => { row: ContactRow; drafts?: readonly SlotDraft[] },
  ): Promise<Contact> {
    const { account, book, changes } = this.#deps
    return account.gate.pass(async () =>
      changes.run(async () => {
        const { row, drafts = [] } = change(book.find(nameOrId))
        await book.write(row, ...drafts)
        return this.#shown(row)
      }),
    )
  }

  async #named(root: Uint8Array, { home, token }: ContactLink): Promise<Found> {
    return { verified: await this.#resolve(root, [home]), token }
  }

  /** Whoever has written is known already; to anybody else a first letter goes with a stamp. */
  async #unnamed(root: Uint8Array): Promise<Found | undefined> {
    const { book, stamps } = this.#deps
    if (book.byRoot(root)?.reach) return undefined
    stamps.prepare()
    const verified = await this.#resolve(root, [])
    expectAffordable(verified.record.stampBits)
    return { verified }
  }

  async #resolve(root: Uint8Array, hosts: readonly Host[]): Promise<VerifiedRecord> {
    const { account, directory } = this.#deps
    const { platform } = account
    return verifyRecord(platform, root, await directory.resolve(mailboxIdOf(platform, root), hosts))
  }

  /** @throws {AbzuError} ABZU_ALREADY_EXISTS */
  #expectAddable(root: Uint8Array, name: string, token: Uint8Array | undefined): void {
    const { book } = this.#deps
    const known = book.byRoot(root)
    // of whom only the address was known, a link is news
    if (known?.standing === 'accepted' && (known.reach?.token || !token)) {
      throw new AbzuError('ABZU_ALREADY_EXISTS', 'this person is a contact already')
    }
    const namesake = book.byName(name)
    if (namesake && !equalBytes(namesake.root, root)) {
      throw new AbzuError('ABZU_ALREADY_EXISTS', 'another contact has this name')
    }
    const accepted = book.rows.filter(({ standing }) => standing !== 'request').length
    if (accepted >= contactsMax && known?.standing !== 'accepted') {
      throw new AbzuError('ABZU_QUOTA_EXCEEDED', `an account has at most ${contactsMax} contacts`)
    }
  }

  async #withToken(before: ContactRow, name: string, found: Found): Promise<ContactRow> {
    const { account, book } = this.#deps
    const { verified, token } = found
    const row = withRecord(before, verified, { token, nowMs: account.clock.nowMs() })
    await book.write({ ...row, name })
    return { ...row, name }
  }

  /** Stores the contact with a door of its own; who knows us already gets our return address at once, where letters to
   *  it are free: else it gets that with the first one. */
  async #accept(init: {
    root: Uint8Array
    name: string
    found: Found | undefined
  }): Promise<ContactRow> {
    const { account, book, messages, sender, answered } = this.#deps
    const { root, name, found } = init
    this.#expectAddable(root, name, found?.token)
    const before = book.byRoot(root)
    if (before?.standing === 'accepted' && found) return this.#withToken(before, name, found)
    if (!before && !found) {
      throw new AbzuError(
        'ABZU_NOT_FOUND',
        'nobody of this address has written; add a contact link',
      )
    }
    const nowMs = account.clock.nowMs()
    const door = account.doors.forContact()
    const fresh = { v: 1 as const, root, devices: [], verified: false, addedAt: nowMs }
    let row: ContactRow = {
      ...(before ? withoutLapse(before) : fresh),
      name,
      standing: 'accepted',
      returnAddress: 'unsent',
      toldSeq: account.identitySeq,
      ownToken: door.token,
    }
    // a door that a sender made for us is better than one of a link
    const made = before?.standing === 'request' ? before.reach?.token : undefined
    const token = made ?? found?.token
    if (found) row = withRecord(row, found.verified, { token, nowMs })
    if (!row.reach) {
      throw new AbzuError(
        'ABZU_UNREACHABLE',
        'the request came without a way to answer; ask for a link',
      )
    }
    if (!before || !this.#mayGreet(root)) {
      await book.write(row, door.draft)
      if (before) answered()
      return row
    }
    const hello = await sender.place(row, { type: 'hello', text: '' })
    await book.write(row, door.draft, messages.draft(hello.slot, hello.row))
    sender.postLater(messages.keep(hello.slot, hello.row))
    answered()
    return row
  }

  #mayGreet(root: Uint8Array): boolean {
    const { guardian } = this.#deps
    try {
      expectMayWrite(guardian, root)
      return true
    } catch (error) {
      if (isAbzuError(error, 'ABZU_DENIED')) return false
      throw error
    }
  }
}

function confirmed(row: ContactRow): ContactRow {
  const { keysChangedAt: _, ...rest } = row
  return { ...rest, verified: true }
}
