/** What an account sends and receives. @module */

import type { AccountId, PeerId } from '../../base/util/brand.ts'
import { toHex, utf8 } from '../../base/util/bytes.ts'
import { hourMs } from '../../base/util/clock.ts'
import { AbzuError, isAbzuError, toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import type { Account } from '../account/account.ts'
import type { Pump } from '../account/pump.ts'
import type { ContactBook } from './contact-book.ts'
import { contactOf } from './contact.ts'
import { expectMayWrite, mayBeShown, type Guardian } from './guardian.ts'
import type { LoggedMessage, MessageLog } from './message-log.ts'
import { stateOf, type MessageRow } from './message-row.ts'
import type { MessageState } from './message-state.ts'
import type { Sender } from './sender.ts'
import type { StateWaiters } from './state-waiters.ts'

export interface SentMessage {
  /** 32 hexadecimal digits. */
  readonly msgId: string
  readonly state: MessageState
  /** With `held`. */
  readonly held?: Holding
}

/** Who keeps a message for its recipient. */
export interface Holding {
  readonly by: PeerId
  /** ISO 8601: not longer than that. */
  readonly until: string
}

export interface InboxMessage {
  readonly msgId: string
  readonly from: AccountId
  /** The contact's name, as `Contact.name`. */
  readonly name: string
  /** ISO 8601, by the sender's clock but never later than the arrival. */
  readonly sentAt: string
  /** As the sender wrote it: not inert. */
  readonly text: string
  /** As `Contact.verified`, now. */
  readonly verified: boolean
  /** As `Contact.request`, now. */
  readonly request: boolean
  /** As `Contact.keysChangedAt`, now. */
  readonly keysChangedAt?: string
}

export interface MessageReport extends Omit<SentMessage, 'held'> {
  /** Oldest first. `by` is the node that said so. */
  readonly history: {
    readonly state: MessageState
    /** ISO 8601. */
    readonly at: string
    readonly by: PeerId
    /** With `held`: as in `Holding`. */
    readonly until?: string
  }[]
}

export interface ConversationMessage extends Omit<SentMessage, 'held'> {
  readonly direction: 'in' | 'out'
  /** ISO 8601. */
  readonly sentAt: string
  readonly text: string
}

export interface MessagesDeps {
  readonly account: Account
  readonly book: ContactBook
  readonly messages: MessageLog
  readonly sender: Sender
  /** Takes in mail. */
  readonly receiving: Pick<Pump, 'flush'>
  readonly waiters: StateWaiters
  /** Who decides of the account's letters, where it is not the account alone. */
  readonly guardian?: Guardian | undefined
  readonly log: Log
  /** Called after a message went to the outbox. */
  readonly posted: () => void
  /** Called with a contact of whom a newer record is wanted. */
  readonly outdated: (root: Uint8Array) => void
}

export class Messages {
  readonly #deps: MessagesDeps

  constructor(deps: MessagesDeps) {
    this.#deps = deps
  }

  /** Resolves when the message is durable in the own history and outbox. `to` is a name or an address.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_DENIED (blocked, a request not added yet, or not what the household allows now),
   *  ABZU_INVALID_ARGUMENT (no text), ABZU_TOO_LARGE, ABZU_RATE_LIMITED, ABZU_QUOTA_EXCEEDED, ABZU_LOCKED,
   *  those of StampPort.stamp and of the store */
  async send({ to, text }: { to: string; text: string }): Promise<SentMessage> {
    const { account, book, sender, guardian, posted, outdated } = this.#deps
    return account.gate.pass(async () => {
      const contact = book.find(to)
      expectMayWrite(guardian, contact.root)
      if (contact.standing !== 'accepted') {
        throw new AbzuError('ABZU_DENIED', 'write to contacts that you have added and not blocked')
      }
      try {
        const { msgId, state } = await sender.send(contact, parseText(text))
        posted()
        return { msgId, state }
      } catch (error) {
        const isClosed = isAbzuError(error, 'ABZU_STRANGERS_REFUSED')
        // by a record that may be old: the next letter is judged by a newer one
        if (isClosed || isAbzuError(error, 'ABZU_STAMP_TOO_COSTLY')) outdated(contact.root)
        throw error
      }
    })
  }

  /** Waits until the state is another than `queued`, but no longer than `timeoutMs`.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_OVERLOADED, ABZU_LOCKED; the signal's reason */
  async settled(
    msgId: string,
    wait: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<SentMessage> {
    const { account, waiters } = this.#deps
    account.gate.check()
    if (this.#logged(msgId).state === 'queued') await waiters.wait(msgId, wait)
    account.gate.check()
    const message = this.#logged(msgId)
    const { state } = message
    const { by, until } = state === 'held' ? ((await this.#history(message)).at(-1) ?? {}) : {}
    return { msgId, state, ...(by && until && { held: { by, until } }) }
  }

  /** What was received, oldest first, each message once; mail that lies in the mailbox is taken in
   *  first. Marks nothing read. Ends with ABZU_LOCKED where the account locks on the way. */
  async *inbox(): AsyncIterable<InboxMessage> {
    const { book, messages } = this.#deps
    await this.#takeMailIn()
    for (const message of messages.all()) {
      if (message.direction !== 'in') continue
      const row = await this.#readable(message)
      const sender = row && book.byRoot(row.contact)
      if (!row || !sender || sender.standing === 'blocked' || !this.#isShown(row)) continue
      const { id, name, ...marks } = contactOf(sender, this.#deps.guardian)
      const { verified, request, keysChangedAt } = marks
      const sentAt = isoTime(row.sentAtMs)
      const notice = keysChangedAt === undefined ? {} : { keysChangedAt }
      const { msgId } = message
      yield { msgId, from: id, name, sentAt, text: row.text, verified, request, ...notice }
    }
  }

  /** @throws {AbzuError} ABZU_NOT_FOUND, ABZU_LOCKED */
  async show(msgId: string): Promise<MessageReport> {
    this.#deps.account.gate.check()
    const message = this.#logged(msgId)
    const history = await this.#history(message)
    return { msgId: message.msgId, state: history.at(-1)?.state ?? 'queued', history }
  }

  async #history(message: LoggedMessage): Promise<MessageReport['history']> {
    const row = await this.#read(message)
    if (!row) throw notFound()
    return row.history.map(({ state, atMs, by, untilHours }) => ({
      state,
      at: isoTime(atMs),
      by: by as PeerId,
      ...(untilHours !== undefined && { until: isoTime(untilHours * hourMs) }),
    }))
  }

  /** Both directions with one contact, oldest first; mail that lies in the mailbox is taken in first.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_LOCKED */
  async *conversation(nameOrId: string): AsyncIterable<ConversationMessage> {
    const { account, book, messages } = this.#deps
    account.gate.check()
    const contact = toHex(book.find(nameOrId).root)
    await this.#takeMailIn()
    for (const message of messages.all()) {
      if (message.contact !== contact || message.type !== 'text') continue
      const row = await this.#readable(message)
      if (!row || !this.#isShown(row)) continue
      const { direction, text, sentAtMs } = row
      const { msgId } = message
      yield { msgId, direction, sentAt: isoTime(sentAtMs), text, state: stateOf(row) }
    }
  }

  /** The own ones always are. */
  #isShown({ direction, contact: from, history }: MessageRow): boolean {
    const atMs = history[0]?.atMs ?? 0
    return direction === 'out' || mayBeShown(this.#deps.guardian, { from, atMs })
  }

  /** What is in the vault already is shown, whatever hinders the mail. */
  async #takeMailIn(): Promise<void> {
    const { account, receiving, log } = this.#deps
    account.gate.check()
    try {
      await receiving.flush()
    } catch (error) {
      account.gate.check()
      log.warn('mail-not-taken-in', { error: toAbzuError(error) })
    }
  }

  /** One damaged slot must not hide the others: it is reported to the log and left out. */
  async #readable(message: LoggedMessage): Promise<MessageRow | undefined> {
    const { account, log } = this.#deps
    try {
      return await this.#read(message)
    } catch (error) {
      account.gate.check()
      log.error('message-unreadable', { error: toAbzuError(error) })
      return undefined
    }
  }

  async #read(message: LoggedMessage): Promise<MessageRow | undefined> {
    const { account, messages } = this.#deps
    return account.gate.pass(async () => messages.read(message))
  }

  #logged(msgId: string): LoggedMessage {
    const message = this.#deps.messages.byMsgId(msgId.toLowerCase())
    if (!message || message.type === 'hello') throw notFound()
    return message
  }
}

/** @throws {AbzuError} ABZU_INVALID_ARGUMENT, ABZU_TOO_LARGE */
function parseText(typed: string): string {
  const text = typed.normalize('NFC')
  if (text.length === 0 || !text.isWellFormed()) {
    throw new AbzuError('ABZU_INVALID_ARGUMENT', 'a message has a text, in Unicode')
  }
  if (utf8(text).length > wireLimits.textBytesMax) {
    throw new AbzuError('ABZU_TOO_LARGE', `a text has at most ${wireLimits.textBytesMax} bytes`)
  }
  return text
}

function notFound(): AbzuError {
  return new AbzuError('ABZU_NOT_FOUND', 'there is no such message')
}

/** For times that passed a shape: years of five digits and more are not dates any more. */
function isoTime(ms: number): string {
  return new Date(Math.min(ms, 8.64e15)).toISOString()
}
