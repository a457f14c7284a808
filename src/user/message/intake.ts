import type { OpenedEnvelope } from '../../base/crypto/envelope.ts'
import { openIdentityDocument } from '../../base/crypto/identity-document.ts'
import { isCheckOf, parseShare } from '../../base/crypto/recovery-share.ts'
import { equalBytes, mapKey, toHex } from '../../base/util/bytes.ts'
import { AbzuError, isAbzuError, toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import type { AuditEntry, Letter } from '../../base/wire/letter.ts'
import type { Account } from '../account/account.ts'
import type { SlotDraft } from '../account/slot-draft.ts'
import { claimedName } from '../account/person-name.ts'
import { auditDraft } from './audit-slots.ts'
import { requestsMax, type ContactBook } from './contact-book.ts'
import {
  hasRevoked,
  withDevice,
  withIdentity,
  withoutLapse,
  type ContactRow,
} from './contact-row.ts'
import type { LetterContent } from './letter-content.ts'
import type { Guardian } from './guardian.ts'
import type { LoggedMessage, MessageLog } from './message-log.ts'
import { withState, type MessageRow } from './message-row.ts'
import { verifyRecord, withRecord } from './reach.ts'
import type { PlacedShare, ShareBook } from './share-book.ts'

/** Messages that senders without a standing may have in the vault. What comes on top waits in the
 *  mailbox, inside the quota for strangers, until requests were added or blocked. */
const requestMessagesMax = 500
/** The part of it for senders who came with nothing but a stamp; and of their number, see `requestsMax`. The
 *  rest is for those to whom a link was given. */
const strangerMessagesMax = 250
const strangerRequestsMax = 100
/** As in the mailbox. */
const strangerDays = 7
const dayMs = 86_400_000

export interface IntakeDeps {
  readonly account: Account
  readonly book: ContactBook
  readonly messages: MessageLog
  readonly shares: ShareBook
  /** Whose entries of the audit count; those of nobody where left out. */
  readonly guardian?: Guardian | undefined
  readonly log: Log
  /** Called with each message of ours that was read, once that is durable. */
  readonly changed: (message: LoggedMessage) => void
  /** Called with a contact whose letter speaks of a newer record than the one we have. */
  readonly outdated: (root: Uint8Array) => void
}

/** A letter that was opened and is what it claims to be. */
export interface ReceivedLetter extends OpenedEnvelope {
  readonly content: LetterContent
  /** As `MailItem.isStrange`. */
  readonly isStrange: boolean
}

interface Requests {
  senders: number
  strangers: number
  messages: number
  strangerMessages: number
}

/** What a page of letters changes in the vault, gathered and written at once. */
export class Intake {
  readonly #deps: IntakeDeps
  readonly #contacts = new Map<string, ContactRow>()
  /** By slot. */
  readonly #rows = new Map<string, MessageRow>()
  /** By slot. */
  readonly #shares = new Map<string, PlacedShare>()
  /** Of the audit, by slot. */
  readonly #entries = new Map<string, SlotDraft>()
  readonly #seen = new Set<string>()
  readonly #outdated: Uint8Array[] = []
  /** Senders without a standing and their messages, stored and gathered; counted when it is asked for. */
  #requests: Requests | undefined

  constructor(deps: IntakeDeps) {
    this.#deps = deps
  }

  /** Takes one letter in; false where its mail has to wait in the mailbox. */
  async take(received: ReceivedLetter): Promise<boolean> {
    const { letter, content } = received
    const { messages } = this.#deps
    if (content.type === 'oversight') return this.#takeEntry(letter, content.body)
    const known = this.#contact(letter.from)
    if (known?.standing === 'blocked') return true
    if (!known && content.type === 'read') return true
    if (known && this.#isOfRevoked(known, letter)) return true
    // somebody unknown has nothing to keep here; who asks to be added may, once that is answered
    if (content.type === 'share' && known?.standing !== 'accepted') return known === undefined
    const key = `${toHex(letter.from)}/${toHex(letter.msgId)}`
    if (this.#seen.has(key) || messages.hasReceived(letter.from, letter.msgId)) return true
    if (!this.#hasRoom(known, received)) return false

    const contact = this.#contactAfter(known ?? this.#newRequest(received), received)
    this.#contacts.set(toHex(contact.root), contact)
    this.#seen.add(key)
    if (letter.recordSeq > (contact.reach?.seq ?? letter.recordSeq))
      this.#outdated.push(contact.root)
    if (content.type === 'text') {
      if (contact.standing === 'request') this.#countMessage(contact)
      this.#rows.set(messages.newSlot(), this.#messageRow(letter, content.body.text))
    }
    if (content.type === 'share') this.#takeShare(letter, content.body.share)
    if (content.type === 'read' && contact.standing === 'accepted') {
      for (const msgId of content.body.msgIds) await this.#markRead(contact, msgId)
    }
    return true
  }

  #takeEntry(letter: Letter, { by }: AuditEntry): boolean {
    const { account, guardian, log } = this.#deps
    if (guardian?.mayOversee(letter.from) && equalBytes(by, letter.from)) {
      const draft = auditDraft(account, Uint8Array.from(letter.body))
      this.#entries.set(mapKey(draft.key), draft)
    } else log.warn('audit-entry-not-taken')
    return true
  }

  /** Makes everything durable, then takes it into memory. */
  async write(): Promise<void> {
    const { account, book, messages, shares, changed, outdated } = this.#deps
    const contacts = [...this.#contacts.values()].filter((row) => row !== book.byRoot(row.root))
    await account.write([
      ...contacts.map((row) => book.draft(row)),
      ...this.#entries.values(),
      ...[...this.#rows].map(([slot, row]) => messages.draft(slot, row)),
      ...[...this.#shares.values()].map((placed) => shares.draft(placed)),
    ])
    for (const placed of this.#shares.values()) shares.keep(placed)
    for (const row of contacts) book.keep(row)
    for (const [slot, row] of this.#rows) {
      const message = messages.keep(slot, row)
      if (message.direction === 'out') changed(message)
    }
    for (const root of this.#outdated) outdated(root)
  }

  #contact(root: Uint8Array): ContactRow | undefined {
    return this.#contacts.get(toHex(root)) ?? this.#deps.book.byRoot(root)
  }

  #hasRoom(known: ContactRow | undefined, { isStrange }: ReceivedLetter): boolean {
    if (known?.standing === 'accepted') return true
    const { senders, strangers, messages, strangerMessages } = (this.#requests ??= this.#count())
    if (messages >= requestMessagesMax || (!known && senders >= requestsMax)) return false
    const isStranger = known ? known.lapsesAt !== undefined : isStrange
    if (!isStranger) return true
    if (!known && strangers >= strangerRequestsMax) return false
    return strangerMessages < strangerMessagesMax
  }

  #count(): Requests {
    const { book, messages } = this.#deps
    const rows = book.rows.filter(({ standing }) => standing === 'request')
    const all = new Set(rows.map(({ root }) => toHex(root)))
    const strangers = new Set(
      rows.filter(({ lapsesAt }) => lapsesAt !== undefined).map(({ root }) => toHex(root)),
    )
    const logged = messages.all().filter(({ contact }) => all.has(contact))
    return {
      senders: all.size,
      strangers: strangers.size,
      messages: logged.length,
      strangerMessages: logged.filter(({ contact }) => strangers.has(contact)).length,
    }
  }

  #countMessage({ lapsesAt }: ContactRow): void {
    if (!this.#requests) return
    this.#requests.messages++
    if (lapsesAt !== undefined) this.#requests.strangerMessages++
  }

  #newRequest({ letter, isStrange }: ReceivedLetter): ContactRow {
    const nowMs = this.#deps.account.clock.nowMs()
    if (this.#requests) {
      this.#requests.senders++
      if (isStrange) this.#requests.strangers++
    }
    return {
      v: 1,
      root: Uint8Array.from(letter.from),
      name: '',
      standing: 'request',
      returnAddress: 'unsent',
      devices: [],
      verified: false,
      addedAt: nowMs,
      ...(isStrange && { lapsesAt: nowMs + strangerDays * dayMs }),
    }
  }

  /** The contact as a letter leaves it: its devices, how it is reached, what it knows of us. */
  #contactAfter(row: ContactRow, { certificate, content, isStrange }: ReceivedLetter): ContactRow {
    const { account, log } = this.#deps
    const nowMs = account.clock.nowMs()
    let after = withDevice(row, Uint8Array.from(certificate.signPk), nowMs)
    if (!isStrange) after = withoutLapse(after)
    if (content.type === 'text' || content.type === 'hello') {
      const { name, returnAddress, supervised = false } = content.body
      if (supervised !== (after.supervised ?? false)) after = { ...after, supervised }
      if (after.standing === 'request') after = { ...after, name: claimedName(name) }
      if (returnAddress) {
        try {
          const verified = verifyRecord(account.platform, row.root, returnAddress.record)
          after = withRecord(after, verified, { token: returnAddress.token, nowMs })
          after = this.#withIdentity(after, returnAddress.identity)
        } catch (error) {
          if (!isAbzuError(error)) throw error
          log.warn('return-address-not-valid', { error: toAbzuError(error) })
        }
      }
    }
    // who answers has what we sent; a letter that crossed ours on the way proves nothing
    const isAnswer = content.type === 'hello' || row.returnAddress === 'delivered'
    return isAnswer && row.standing === 'accepted' ? { ...after, returnAddress: 'known' } : after
  }

  /** @throws {AbzuError} ABZU_MALFORMED, ABZU_SIGNATURE_INVALID */
  #withIdentity(row: ContactRow, signed: Uint8Array | undefined): ContactRow {
    const { platform } = this.#deps.account
    return signed ? withIdentity(row, openIdentityDocument(platform, signed, row.root)) : row
  }

  /** Whose key was lost, anybody may have. */
  #isOfRevoked(contact: ContactRow, { deviceCertificate }: Letter): boolean {
    const { account, log } = this.#deps
    const isOfRevoked = hasRevoked(contact, account.platform.sha256(deviceCertificate))
    if (isOfRevoked) log.warn('letter-of-revoked-device')
    return isOfRevoked
  }

  /** A share that is none, or not of the sender's words, is not kept. */
  #takeShare({ from }: Letter, bytes: Uint8Array): void {
    const { account, shares, log } = this.#deps
    try {
      if (!isCheckOf(account.platform, parseShare(bytes), from)) {
        throw new AbzuError('ABZU_SHARE_INVALID', "a share of somebody else's words")
      }
    } catch (error) {
      if (!isAbzuError(error)) throw error
      log.warn('share-not-kept', { error })
      return
    }
    const receivedAt = account.clock.nowMs()
    const [root, share] = [Uint8Array.from(from), Uint8Array.from(bytes)]
    const placed = shares.place({ v: 1, root, share, receivedAt })
    this.#shares.set(placed.slot, placed)
  }

  #messageRow(letter: Letter, text: string): MessageRow {
    const { account } = this.#deps
    const nowMs = account.clock.nowMs()
    return {
      v: 1,
      order: account.versions.next(),
      msgId: letter.msgId,
      contact: letter.from,
      direction: 'in',
      type: 'text',
      sentAtMs: Math.min(letter.sentAt, nowMs),
      text,
      history: [{ state: 'delivered', atMs: nowMs, by: account.home.peerId }],
    }
  }

  async #markRead(contact: ContactRow, msgId: Uint8Array): Promise<void> {
    const { account, messages } = this.#deps
    const message = messages.sent(toHex(msgId))
    if (!message || message.contact !== toHex(contact.root)) return
    const row = this.#rows.get(message.slot) ?? (await messages.read(message))
    if (!row || !equalBytes(row.contact, contact.root)) return
    const atMs = account.clock.nowMs()
    const { outgoing: _, ...read } = withState(row, {
      state: 'read',
      atMs,
      by: account.home.peerId,
    })
    this.#rows.set(message.slot, read)
  }
}
