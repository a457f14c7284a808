/** What an account sends and receives. @module */

import type { AccountId, PeerId } from '../../base/util/brand.ts'
import { AbzuError } from '../../base/util/errors.ts'

/** Never more certain than it is; `delivered` rests on the signed receipt of the recipient's home. */
export type MessageState = 'queued' | 'held' | 'delivered' | 'read' | 'expired' | 'refused'

export interface SentMessage {
  /** 32 hexadecimal digits. */
  readonly msgId: string
  readonly state: MessageState
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
}

export interface MessageReport extends SentMessage {
  /** Oldest first. `by` is the node that said so. */
  readonly history: readonly {
    readonly state: MessageState
    /** ISO 8601. */
    readonly at: string
    readonly by: PeerId
  }[]
}

export interface ConversationMessage extends SentMessage {
  readonly direction: 'in' | 'out'
  /** ISO 8601. */
  readonly sentAt: string
  readonly text: string
}

export class Messages {
  /** Resolves when the message is durable in the own history and outbox. `to` is a name or an address.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_DENIED (blocked, or a request not added yet), ABZU_TOO_LARGE,
   *  ABZU_RATE_LIMITED, ABZU_QUOTA_EXCEEDED, ABZU_LOCKED, those of the store */
  async send(_init: { to: string; text: string }): Promise<SentMessage> {
    throw new AbzuError('ABZU_NOT_YET', 'messages')
  }

  /** Waits until the state is another than `queued`, but no longer than `timeoutMs`.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_LOCKED; the signal's reason */
  async settled(
    _msgId: string,
    _wait: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<SentMessage> {
    throw new AbzuError('ABZU_NOT_YET', 'messages')
  }

  /** What was received, oldest first, each message once; mail that lies in the mailbox is taken in
   *  first. Marks nothing read. Ends with ABZU_LOCKED where the account locks on the way. */
  inbox(): AsyncIterable<InboxMessage> {
    throw new AbzuError('ABZU_NOT_YET', 'messages')
  }

  /** @throws {AbzuError} ABZU_NOT_FOUND, ABZU_LOCKED */
  async show(_msgId: string): Promise<MessageReport> {
    throw new AbzuError('ABZU_NOT_YET', 'messages')
  }

  /** Both directions with one contact, oldest first.
   *  @throws {AbzuError} ABZU_NOT_FOUND, ABZU_LOCKED */
  conversation(_nameOrId: string): AsyncIterable<ConversationMessage> {
    throw new AbzuError('ABZU_NOT_YET', 'messages')
  }
}
