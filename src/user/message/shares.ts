/**
 * The words of an account, split among people of its owner's choice: any few of them bring it back. Each share goes to
 * its keeper as a sealed letter, and is kept nowhere else: the letter alone is in the own vault, which cannot open it.
 * @see docs/protocol.md#family-recovery
 * @module
 */

import { formatShare, splitWords } from '../../base/crypto/recovery-share.ts'
import { rootKeysOf } from '../../base/crypto/words.ts'
import type { AccountId } from '../../base/util/brand.ts'
import { equalBytes, toHex } from '../../base/util/bytes.ts'
import { AbzuError } from '../../base/util/errors.ts'
import type { Account } from '../account/account.ts'
import type { Serial } from '../account/serial.ts'
import type { ContactBook } from './contact-book.ts'
import type { ContactRow } from './contact-row.ts'
import { contactOf } from './contact.ts'
import { expectMayWrite, type Guardian } from './guardian.ts'
import type { LoggedMessage, MessageLog } from './message-log.ts'
import type { Refresher } from './refresher.ts'
import type { PlacedMessage, Sender } from './sender.ts'
import { setOf, type ShareBook, type ShareRow } from './share-book.ts'

export interface SharesDeps {
  readonly account: Account
  readonly book: ContactBook
  readonly messages: MessageLog
  readonly shares: ShareBook
  readonly sender: Pick<Sender, 'place' | 'postLater'>
  readonly guardian?: Guardian | undefined
  readonly refresher: Pick<Refresher, 'refreshNow'>
  /** One change of contacts or message states at a time. */
  readonly changes: Serial
  /** Called when letters are durable that wait to be posted. */
  readonly written: () => void
}

export interface GiveInit {
  /** 12 or 24: the account's own. */
  readonly words: readonly string[]
  /** Shares that give the words back. */
  readonly need: number
  /** Names or addresses, one share each. */
  readonly to: readonly string[]
}

/** A share on its way. */
export interface SentShare {
  readonly id: AccountId
  /** As `Contact.name`. */
  readonly name: string
  /** By which its letter is known. */
  readonly msgId: string
}

/** A share that is kept for somebody. */
export interface KeptShare {
  readonly id: AccountId
  readonly name: string
  readonly need: number
  readonly of: number
  readonly number: number
  /** ISO 8601. */
  readonly receivedAt: string
}

/** A share as it is told. */
export interface ToldShare extends KeptShare {
  /** `abzushare1...` */
  readonly text: string
}

export class Shares {
  readonly #deps: SharesDeps

  constructor(deps: SharesDeps) {
    this.#deps = deps
  }

  /** Splits the words and sends each contact one share. Shares of an earlier splitting do not go together with these.
   *  Resolves when all letters are durable.
   *  @throws {AbzuError} ABZU_WORDS_INVALID (also those of another account), ABZU_INVALID_ARGUMENT (counts, one person twice),
   *  ABZU_NOT_FOUND, ABZU_DENIED (blocked, a request, or not approved), ABZU_STRANGERS_REFUSED, ABZU_STAMP_TOO_COSTLY, ABZU_LOCKED, those
   *  of the store */
  async give({ words, need, to }: GiveInit): Promise<SentShare[]> {
    const { account, book, changes, refresher, written } = this.#deps
    account.gate.check()
    this.#expectOwn(words)
    const roots = this.#keepersOf(to)
    // sealed to a key that is of today: a letter like this is not sealed twice
    await Promise.all(roots.map(async (root) => refresher.refreshNow(root)))
    const shares = await splitWords(account.platform, words, { need, of: roots.length })
    try {
      const sent = await account.gate.pass(async () =>
        changes.run(async () => {
          const contacts = roots.map((root) => expectKeeper(book.byRoot(root)))
          return this.#send(contacts, shares)
        }),
      )
      written()
      return sent
    } finally {
      for (const share of shares) share.fill(0)
    }
  }

  /** By the names of those for whom they are kept; several of one person the newest first.
   *  @throws {AbzuError} ABZU_LOCKED */
  list(): KeptShare[] {
    this.#deps.account.gate.check()
    const kept = this.#deps.shares.of().flatMap((row) => this.#kept(row) ?? [])
    return kept.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  }

  /** What is kept for one person, the newest first, to be told to that person.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_LOCKED */
  show(nameOrId: string): ToldShare[] {
    const { account, book, shares } = this.#deps
    account.gate.check()
    const told = shares.of(book.find(nameOrId).root).flatMap((row) => {
      const kept = this.#kept(row)
      return kept ? [{ ...kept, text: formatShare(row.share) }] : []
    })
    if (told.length > 0) return told
    throw new AbzuError('ABZU_NOT_FOUND', 'no share is kept for this person')
  }

  #kept(row: ShareRow): KeptShare | undefined {
    const contact = this.#deps.book.byRoot(row.root)
    if (!contact) return undefined
    const { id, name } = contactOf(contact)
    const { need, of, number } = setOf(row)
    return { id, name, need, of, number, receivedAt: new Date(row.receivedAt).toISOString() }
  }

  /** @throws {AbzuError} ABZU_WORDS_INVALID */
  #expectOwn(words: readonly string[]): void {
    const { platform, rootPk } = this.#deps.account
    const { rootSeed, recoverySeed } = rootKeysOf(platform, words)
    const isOwn = equalBytes(platform.ed25519.publicKey(rootSeed), rootPk)
    rootSeed.fill(0)
    recoverySeed.fill(0)
    if (!isOwn) throw new AbzuError('ABZU_WORDS_INVALID', 'these are the words of another account')
  }

  #keepersOf(to: readonly string[]): Uint8Array[] {
    const { book, guardian } = this.#deps
    const roots = to.map((nameOrId) => expectKeeper(book.find(nameOrId)).root)
    for (const root of roots) expectMayWrite(guardian, root)
    if (new Set(roots.map(toHex)).size < roots.length) {
      throw new AbzuError('ABZU_INVALID_ARGUMENT', 'each person gets one share')
    }
    return roots
  }

  async #send(
    contacts: readonly ContactRow[],
    shares: readonly Uint8Array[],
  ): Promise<SentShare[]> {
    const { account, messages, sender } = this.#deps
    const placed: PlacedMessage[] = []
    for (const [n, contact] of contacts.entries()) {
      const share = shares[n] as Uint8Array
      placed.push(await sender.place(contact, { type: 'share', text: '', share }))
    }
    await account.write(placed.map(({ slot, row }) => messages.draft(slot, row)))
    return placed.map(({ slot, row }, n) => {
      const message: LoggedMessage = messages.keep(slot, row)
      sender.postLater(message)
      const { id, name } = contactOf(contacts[n] as ContactRow)
      return { id, name, msgId: message.msgId }
    })
  }
}

/** @throws {AbzuError} ABZU_DENIED */
function expectKeeper(contact: ContactRow | undefined): ContactRow {
  if (contact?.standing === 'accepted') return contact
  throw new AbzuError('ABZU_DENIED', 'shares go to contacts that you have added and not blocked')
}
