/** A message as the vault keeps it, in the log of the device that wrote or received it. @module */

import type { PeerId } from '../../base/util/brand.ts'
import { encode } from '../../base/wire/codec.ts'
import { doorIdBytes } from '../../base/wire/deliver.ts'
import { keyIdBytes } from '../../base/wire/envelope.ts'
import { msgIdBytes } from '../../base/wire/letter.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import {
  bool,
  bytes,
  bytesBetween,
  decodeShape,
  list,
  literal,
  oneOf,
  optional,
  record,
  text,
  uint,
  type Shaped,
} from '../../base/wire/shape.ts'
import type { MessageState } from './message-state.ts'

/** What is known of an envelope that has no final outcome yet. */
const outgoingShape = record({
  /** SHA-256 of the envelope: its outcome comes under this id. */
  itemId: bytes(32),
  /** The prekey that it is sealed to. */
  keyId: bytes(keyIdBytes),
  /** The door that it was sent to; without one it went with a stamp, worth so many bits. */
  doorId: optional(bytes(doorIdBytes)),
  stampBits: optional(uint(32)),
  expiresAtHours: uint(),
  /** Envelopes made for this message. */
  tries: uint(255),
  withReturnAddress: bool,
  /** Kept until it is known to be in the outbox. */
  envelope: optional(bytesBetween(1, wireLimits.envelopeBytesMax)),
})
export type OutgoingRow = Shaped<typeof outgoingShape>

const historyMax = 16

const messageRowShape = record({
  v: literal(1),
  /** Place in the order of all messages: a version of the account's clock. */
  order: uint(),
  msgId: bytes(msgIdBytes),
  /** Root public key. */
  contact: bytes(32),
  direction: oneOf('in', 'out'),
  /** `hello` has no text and is not shown; `share` has none either, and no share: that is in the envelope alone. */
  type: oneOf('text', 'hello', 'share'),
  /** ms since 1970; of a received message never later than its arrival. */
  sentAtMs: uint(),
  text: text(wireLimits.textBytesMax),
  /** Never empty; the last entry is the state. */
  history: list(
    record({
      state: oneOf('queued', 'held', 'delivered', 'read', 'expired', 'refused'),
      atMs: uint(),
      by: text(64),
      /** With `held`: hours since 1970. */
      untilHours: optional(uint()),
    }),
    historyMax,
  ),
  outgoing: optional(outgoingShape),
})
export type MessageRow = Shaped<typeof messageRowShape>

export function encodeMessageRow(row: MessageRow): Uint8Array {
  return encode({ ...messageRowShape(row, 'message') })
}

/** @throws {AbzuError} ABZU_MALFORMED */
export function decodeMessageRow(value: Uint8Array): MessageRow {
  return decodeShape(messageRowShape, value, 'message')
}

export function stateOf({ history }: MessageRow): MessageState {
  return history.at(-1)?.state ?? 'queued'
}

/** `row` in another state; unchanged where it already is in one that is as certain. */
export function withState(
  row: MessageRow,
  entry: { state: MessageState; atMs: number; by: PeerId; untilHours?: number },
): MessageRow {
  if (certainty[entry.state] <= certainty[stateOf(row)]) return row
  return { ...row, history: [...row.history, entry].slice(-historyMax) }
}

/** An end without delivery is only told of what nobody is known to have. */
const certainty: Readonly<Record<MessageState, number>> = {
  queued: 0,
  held: 1,
  expired: 2,
  refused: 2,
  delivered: 3,
  read: 4,
}
