/**
 * The inside of an envelope: what one person tells another. Only the user half knows it.
 * @see docs/protocol.md#letters
 * @module
 */

import { wireLimits } from './limits.ts'
import {
  bool,
  bytes,
  bytesBetween,
  list,
  literal,
  oneOf,
  optional,
  record,
  text,
  uint,
  type Shaped,
} from './shape.ts'

export const msgIdBytes = 16

/** Who writes, and what: `body` has the shape that `type` names. */
export const letterShape = record({
  v: literal(1),
  /** Root public key of the sender. */
  from: bytes(32),
  /** Signed device certificate of the device that signed the envelope. */
  deviceCertificate: bytesBetween(64, 512),
  /** Chosen at random by the sender; the same for every copy and repetition of one message. */
  msgId: bytes(msgIdBytes),
  /** ms since 1970 by the sender's clock: for display, never for order or safety. */
  sentAt: uint(),
  type: text(32),
  body: bytesBetween(0, wireLimits.envelopeBytesMax),
  /** The sender's newest mailbox record, so that a contact can notice that its own copy is old. */
  recordSeq: uint(),
})
export type Letter = Shaped<typeof letterShape>

/** How to answer: the sender's signed mailbox record and a token for one of its doors. */
const returnAddressShape = record({
  record: bytesBetween(64, wireLimits.recordBytesMax),
  token: bytes(32),
  /** The sender's signed identity document, where it has revoked devices: what those sign is the sender's no more. */
  identity: optional(bytesBetween(64, 8192)),
})

/** Whether the sender is a Child whose letters its household's Admins can open: left out where not. */
const supervised = optional(bool)

/** Type `text`: something to read. */
export const textBodyShape = record({
  text: text(wireLimits.textBytesMax),
  /** The name by which the sender calls itself. */
  name: text(wireLimits.nameBytesMax),
  /** Sent until the recipient is known to have it. */
  returnAddress: optional(returnAddressShape),
  supervised,
})
export type TextBody = Shaped<typeof textBodyShape>

/** Type `hello`: a return address and nothing to read: a request was accepted. */
export const helloBodyShape = record({
  name: text(wireLimits.nameBytesMax),
  returnAddress: returnAddressShape,
  supervised,
})
export type HelloBody = Shaped<typeof helloBodyShape>

/** Type `read`: these messages were read. Contacts only, never answered. */
export const readBodyShape = record({
  msgIds: list(bytes(msgIdBytes), 256),
})
export type ReadBody = Shaped<typeof readBodyShape>

/** Type `share`: a share of the sender's words, for the recipient to keep. */
export const shareBodyShape = record({
  /** As base/crypto/recovery-share.ts has it. */
  share: bytesBetween(33, 49),
  name: text(wireLimits.nameBytesMax),
  /** As in a text. */
  returnAddress: optional(returnAddressShape),
})
export type ShareBody = Shaped<typeof shareBodyShape>

/** Type `oversight`: somebody has looked at a Child's messages, or was kept from it. Each names the one before it. */
export const auditEntryShape = record({
  v: literal(1),
  kind: oneOf('inspected', 'refused'),
  /** From 1. */
  number: uint(),
  /** Root public key, and name, of who asked. */
  by: bytes(32),
  byName: text(wireLimits.nameBytesMax),
  /** ms since 1970: when; and the range that was asked for. */
  atMs: uint(),
  fromMs: uint(),
  untilMs: uint(),
  reason: text(wireLimits.reasonBytesMax),
  /** Hash of the entry before it; zeros before the first. */
  previous: bytes(32),
})
export type AuditEntry = Shaped<typeof auditEntryShape>
