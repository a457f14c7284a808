/**
 * The account's messages: one sealed slot each, in a log per device, with a light index in memory. Texts
 * are read when they are asked for. The index has one entry per message, so that its bound is the slot
 * quota of the mailbox.
 * @module
 */

import { mapKey, toHex } from '../../base/util/bytes.ts'
import type { Account } from '../account/account.ts'
import type { SlotDraft } from '../account/slot-draft.ts'
import {
  decodeMessageRow,
  encodeMessageRow,
  stateOf,
  type MessageRow,
  type OutgoingRow,
} from './message-row.ts'
import type { MessageState } from './message-state.ts'

export interface LoggedMessage {
  /** Name of its slot. */
  readonly slot: string
  readonly order: number
  /** Hexadecimal. */
  readonly msgId: string
  /** Root public key of the contact, hexadecimal. */
  readonly contact: string
  readonly direction: MessageRow['direction']
  readonly type: MessageRow['type']
  readonly state: MessageState
  /** The id of an envelope without a final outcome, by `mapKey`. */
  readonly itemKey?: string
  /** The envelope is not known to be in the outbox. */
  readonly isUnposted: boolean
}

const namePrefix = 'message/'

export function isMessageSlot(name: string): boolean {
  return name.startsWith(namePrefix)
}

export class MessageLog {
  readonly #account: Account
  readonly #ownPrefix: string
  readonly #bySlot = new Map<string, LoggedMessage>()
  readonly #sent = new Map<string, LoggedMessage>()
  /** By sender and msgId; where two devices have logged one message, the earlier entry. */
  readonly #received = new Map<string, LoggedMessage>()
  readonly #byItem = new Map<string, LoggedMessage>()
  /** Names of slots that were emptied. */
  readonly #free: string[] = []
  #nextNumber = 0

  constructor(account: Account) {
    this.#account = account
    this.#ownPrefix = `${namePrefix}${toHex(account.devicePk)}/`
  }

  /** Takes in what the vault has.
   *  @throws {AbzuError} ABZU_MALFORMED */
  load(slot: string, value: Uint8Array): void {
    if (slot.startsWith(this.#ownPrefix)) {
      const number = Number(slot.slice(this.#ownPrefix.length))
      this.#nextNumber = Math.max(this.#nextNumber, number + 1)
    }
    this.keep(slot, decodeMessageRow(value))
  }

  /** A slot name that no message has. */
  newSlot(): string {
    return this.#free.pop() ?? `${this.#ownPrefix}${this.#nextNumber++}`
  }

  /** Puts the row into the vault, once it is written; `keep` follows. */
  draft(slot: string, row: MessageRow): SlotDraft {
    return this.#account.vault.draft(slot, encodeMessageRow(row))
  }

  keep(slot: string, row: MessageRow): LoggedMessage {
    const before = this.#bySlot.get(slot)
    if (before?.itemKey !== undefined) this.#byItem.delete(before.itemKey)
    const message = logged(slot, row)
    this.#bySlot.set(slot, message)
    if (message.direction === 'out') this.#sent.set(message.msgId, message)
    else this.#keepReceived(message)
    if (message.itemKey !== undefined) this.#byItem.set(message.itemKey, message)
    return message
  }

  async write(slot: string, row: MessageRow): Promise<LoggedMessage> {
    await this.#account.write([this.draft(slot, row)])
    return this.keep(slot, row)
  }

  /** Empties the slot, once it is written; `drop` follows. */
  emptyDraft(slot: string): SlotDraft {
    return this.#account.vault.emptyDraft(slot)
  }

  drop(slot: string): void {
    const message = this.#bySlot.get(slot)
    if (!message) return
    this.#bySlot.delete(slot)
    if (this.#sent.get(message.msgId) === message) this.#sent.delete(message.msgId)
    const key = receivedKey(message)
    if (this.#received.get(key) === message) this.#received.delete(key)
    if (message.itemKey !== undefined) this.#byItem.delete(message.itemKey)
    if (slot.startsWith(this.#ownPrefix)) this.#free.push(slot)
  }

  /** @throws {AbzuError} ABZU_SEAL_BROKEN, ABZU_MALFORMED, those of the store */
  async read({ slot }: Pick<LoggedMessage, 'slot'>): Promise<MessageRow | undefined> {
    const value = await this.#account.vault.get(slot)
    return value && decodeMessageRow(value)
  }

  /** In order, each message once. A copy: it stays as it is while messages come and go. */
  all(): LoggedMessage[] {
    const isFirst = (message: LoggedMessage): boolean =>
      message.direction === 'out' || this.#received.get(receivedKey(message))?.slot === message.slot
    return [...this.#bySlot.values()].filter(isFirst).sort((a, b) => a.order - b.order)
  }

  /** The slots of every message of these contacts, hexadecimal root keys. */
  slotsOf(contacts: ReadonlySet<string>): string[] {
    const all = [...this.#bySlot.values()]
    return all.filter(({ contact }) => contacts.has(contact)).map(({ slot }) => slot)
  }

  /** A message of this account's own making; otherwise one that it received. */
  byMsgId(msgId: string): LoggedMessage | undefined {
    return this.#sent.get(msgId) ?? this.all().find((message) => message.msgId === msgId)
  }

  sent(msgId: string): LoggedMessage | undefined {
    return this.#sent.get(msgId)
  }

  /** A message of this account whose envelope, of this id, has no final outcome yet. */
  byItem(itemKey: string): LoggedMessage | undefined {
    return this.#byItem.get(itemKey)
  }

  /** Whether a message of this sender was received before. */
  hasReceived(contact: Uint8Array, msgId: Uint8Array): boolean {
    return this.#received.has(receivedKey({ contact: toHex(contact), msgId: toHex(msgId) }))
  }

  #keepReceived(message: LoggedMessage): void {
    const key = receivedKey(message)
    const other = this.#received.get(key)
    if (!other || other.slot === message.slot || other.order > message.order) {
      this.#received.set(key, message)
    }
  }
}

function receivedKey({ contact, msgId }: Pick<LoggedMessage, 'contact' | 'msgId'>): string {
  return `${contact}/${msgId}`
}

function logged(slot: string, row: MessageRow): LoggedMessage {
  const outgoing: OutgoingRow | undefined = row.outgoing
  return {
    slot,
    order: row.order,
    msgId: toHex(row.msgId),
    contact: toHex(row.contact),
    direction: row.direction,
    type: row.type,
    state: stateOf(row),
    isUnposted: outgoing?.envelope !== undefined,
    ...(outgoing && { itemKey: mapKey(outgoing.itemId) }),
  }
}
