/**
 * Sends messages. Each is durable in the vault, with its envelope, before it goes to the outbox; so
 * after a crash what is not known to be there is posted once more, and the recipient drops what it has.
 * @module
 */

import { mapKey } from '../../base/util/bytes.ts'
import { isAbzuError, toAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import type { Account } from '../account/account.ts'
import type { PostPort, StampPort } from '../account/ports.ts'
import type { Serial } from '../account/serial.ts'
import type { ContactBook } from './contact-book.ts'
import type { ContactRow } from './contact-row.ts'
import type { Guardian } from './guardian.ts'
import type { LoggedMessage, MessageLog } from './message-log.ts'
import type { MessageRow } from './message-row.ts'
import { isResealable, newMessage, posting, sealed } from './outgoing.ts'

export interface SenderDeps {
  readonly account: Account
  readonly post: PostPort
  readonly stamps: Pick<StampPort, 'stamp'>
  /** Aborts when the account locks: work for stamps is given up. */
  readonly closing: AbortSignal
  readonly book: ContactBook
  readonly messages: MessageLog
  /** Who decides of the account's letters, where it is not the account alone. */
  readonly guardian?: Guardian | undefined
  /** One change of contacts or message states at a time. */
  readonly changes: Serial
  readonly log: Log
}

/** A message with the slot that it is going to have. */
export interface PlacedMessage {
  readonly slot: string
  readonly row: MessageRow
}

/** Messages whose slots are rewritten at once. */
const pageMessages = 64

export class Sender {
  readonly #deps: SenderDeps
  /** Envelopes that have to be posted: the slots of their messages, by item id. */
  readonly #unposted = new Map<string, string>()
  /** Envelopes that were posted, while their message's slot still says otherwise. */
  readonly #unmarked = new Map<string, string>()

  constructor(deps: SenderDeps) {
    this.#deps = deps
  }

  /** Resolves when the message is durable in the vault and in the outbox.
   *  @throws {AbzuError} ABZU_TOO_LARGE, ABZU_RATE_LIMITED, ABZU_QUOTA_EXCEEDED, those of StampPort.stamp and of
   *  the store */
  async send(contact: ContactRow, text: string): Promise<LoggedMessage> {
    const { messages } = this.#deps
    const { slot, row } = await this.place(contact, { type: 'text', text })
    const message = await messages.write(slot, row)
    try {
      await this.#post({ slot, row })
    } catch (error) {
      await this.#takeBack(slot)
      throw error
    }
    return message
  }

  /** A sealed message that is in no slot yet: `postLater` follows when it is. */
  async place(
    contact: ContactRow,
    init: { type: MessageRow['type']; text: string; share?: Uint8Array },
  ): Promise<PlacedMessage> {
    const { account, messages } = this.#deps
    const { share, ...rest } = init
    const row = await sealed(account, newMessage(account, { contact, ...rest }), contact, share)
    return { slot: messages.newSlot(), row }
  }

  /** The message is durable, and `postAll` is to post it. */
  postLater({ slot, itemKey }: LoggedMessage): void {
    if (itemKey !== undefined) this.#unposted.set(itemKey, slot)
  }

  /** After the vault was read: what the last session did not post for sure. */
  resume(): void {
    for (const message of this.#deps.messages.all()) {
      if (message.isUnposted) this.postLater(message)
    }
  }

  /** At a new home: what the earlier one had in its outbox stayed there, so it is sealed and posted anew. Who has it
   *  already drops it. `postAll` follows.
   *  @throws {AbzuError} those of the store */
  async takeOver(): Promise<void> {
    const { account, book, messages, guardian, changes, log } = this.#deps
    const left = messages
      .all()
      .filter(({ itemKey, isUnposted }) => itemKey !== undefined && !isUnposted)
      .filter(isResealable)
    for (const message of left) {
      await changes.run(async () => {
        const row = await messages.read(message)
        const contact = row?.outgoing && book.byRoot(row.contact)
        if (!contact?.reach) return
        if (guardian && guardian.approvalOf(contact.root) !== 'approved') return
        try {
          const again = await sealed(account, row as MessageRow, contact)
          this.postLater(await messages.write(message.slot, again))
        } catch (error) {
          const isRefused = isAbzuError(error, 'ABZU_STRANGERS_REFUSED')
          if (!isRefused && !isAbzuError(error, 'ABZU_STAMP_TOO_COSTLY')) throw error
          log.warn('message-not-taken-over', { error })
        }
      })
    }
  }

  /** Posts what waits for it; what needs a stamp comes last, since that takes its time.
   *  @throws {AbzuError} those of PostPort.post and StampPort.stamp: what is left is posted by the next call */
  async postAll(signal: AbortSignal): Promise<void> {
    const waiting = [...this.#unposted]
    const stamped: typeof waiting = []
    for (const entry of waiting) {
      if (await this.#needsStamp(entry)) stamped.push(entry)
      else await this.#postWaiting(entry, signal)
    }
    for (const entry of stamped) await this.#postWaiting(entry, signal)
  }

  async #needsStamp([itemKey, slot]: [string, string]): Promise<boolean> {
    const { messages } = this.#deps
    const row = messages.byItem(itemKey) && (await messages.read({ slot }))
    return row?.outgoing?.stampBits !== undefined
  }

  async #postWaiting([itemKey, slot]: [string, string], signal: AbortSignal): Promise<void> {
    const { messages } = this.#deps
    signal.throwIfAborted()
    const row = messages.byItem(itemKey) && (await messages.read({ slot }))
    if (row) await this.#post({ slot, row })
    this.#unposted.delete(itemKey)
  }

  /** Notes in the vault what is in the outbox, so that it is not posted again after the next unlock. */
  async markPosted(): Promise<void> {
    const { account, messages, changes } = this.#deps
    while (this.#unmarked.size > 0) {
      await changes.run(async () => {
        const page = [...this.#unmarked].slice(0, pageMessages)
        const marked: PlacedMessage[] = []
        for (const [itemKey, slot] of page) {
          const row = messages.byItem(itemKey) && (await messages.read({ slot }))
          if (!row?.outgoing) continue
          const { envelope: _, ...outgoing } = row.outgoing
          marked.push({ slot, row: { ...row, outgoing } })
        }
        await account.write(marked.map(({ slot, row }) => messages.draft(slot, row)))
        for (const { slot, row } of marked) messages.keep(slot, row)
        for (const [itemKey] of page) this.#unmarked.delete(itemKey)
      })
    }
  }

  async #post({ slot, row }: PlacedMessage): Promise<void> {
    const { account, post, stamps, book, closing } = this.#deps
    const contact = book.byRoot(row.contact)
    const { envelope, itemId, stampBits } = row.outgoing ?? {}
    if (!contact || !envelope || !itemId) return
    const outgoing = { envelope, itemId, stampBits }
    await post.post(
      await posting(account, { outgoing, contact }, async (order) => stamps.stamp(order, closing)),
    )
    this.#unmarked.set(mapKey(itemId), slot)
  }

  /** Who is told that a message was not taken must not find it sent later. */
  async #takeBack(slot: string): Promise<void> {
    const { account, messages, log } = this.#deps
    try {
      await account.write([messages.emptyDraft(slot)])
      messages.drop(slot)
    } catch (error) {
      if (!isAbzuError(error)) throw error
      // it stays queued in the history, and is posted at the next unlock
      log.warn('message-not-taken-back', { error: toAbzuError(error) })
    }
  }
}
