/**
 * Signed records. Each travels as `body | signature[64]`, the body being the msgpack map of its
 * shape here; base/crypto signs and verifies the exact bytes.
 * @see docs/protocol.md#records
 * @module
 */

import { doorIdBytes } from './deliver.ts'
import { keyIdBytes } from './envelope.ts'
import { wireLimits } from './limits.ts'
import {
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

/** X-Wing public key: ML-KEM-768 (1184 bytes) and X25519 (32 bytes). */
export const sealKeyBytes = 1216
/** Hours since 1970 fit into 32 bits, as in an envelope's header. */
const hours = uint(2 ** 32 - 1)

/** Root-signed: one device speaks for the account. No expiry; whoever holds it can verify the
 *  device alone. */
export const deviceCertificateShape = record({
  v: literal(1),
  /** Root public key. */
  account: bytes(32),
  /** Ed25519 public key of the device. */
  signPk: bytes(32),
  /** SHA-256 of the device's X-Wing public key, which the identity document's slot carries. */
  sealPkHash: bytes(32),
  /** What the device may do; 1 = everything. */
  caps: uint(0xffff),
  /** The identity document that first lists it. */
  docSeq: uint(),
})
export type DeviceCertificate = Shaped<typeof deviceCertificateShape>

/** Root-signed: which devices the account has, by the hash of their certificates. */
export const identityDocumentShape = record({
  v: literal(1),
  account: bytes(32),
  seq: uint(),
  devices: list(bytes(32), 16),
  revoked: list(bytes(32), 64),
})
export type IdentityDocument = Shaped<typeof identityDocumentShape>

export const hostShape = record({
  /** libp2p peer id, base58btc. */
  peerId: text(64),
  role: oneOf('home', 'replica', 'former'),
  addresses: optional(list(text(wireLimits.addressBytesMax), wireLimits.addressesMax)),
})
export type Host = Shaped<typeof hostShape>

/** Device-signed: where an account's mail goes and which key seals it. 4 KiB at most, signed. */
export const mailboxRecordShape = record({
  v: literal(1),
  account: bytes(32),
  seq: uint(),
  notBeforeHours: hours,
  notAfterHours: hours,
  suites: list(uint(255), 8),
  prekey: bytes(sealKeyBytes),
  priorKeys: list(record({ keyId: bytes(keyIdBytes), untilHours: hours }), 16),
  hosts: list(hostShape, wireLimits.hostsMax),
  stampBits: uint(32),
  /** Signed device certificate. */
  deviceCertificate: bytesBetween(64, 512),
})
export type MailboxRecord = Shaped<typeof mailboxRecordShape>

/** Machine-signed: these items are durable at the holder until `holdUntilHours`, hours since 1970. */
export const receiptShape = record({
  v: literal(1),
  as: oneOf('home', 'replica'),
  /** Item ids, 32 bytes each, one after the other. */
  ids: bytesBetween(32, 32 * 1024),
  holdUntilHours: hours,
})
export type Receipt = Shaped<typeof receiptShape>

/** Body of a plain slot: a door of the mailbox, for whoever holds its token. */
export const doorShape = record({
  v: literal(1),
  id: bytes(doorIdBytes),
  /** Hash of the token: the key of the proofs. */
  key: bytes(32),
  /** Accepted deliveries in all; left out where not counted. */
  uses: optional(uint(2 ** 31)),
  untilHours: hours,
  pool: oneOf('contact', 'request'),
})
export type Door = Shaped<typeof doorShape>

/** Ids in one acknowledgement slot. A full slot is followed by the next part of the day, so that an
 *  acknowledgement rewrites 4 KiB at most. */
export const acknowledgedIdsMax = 256
/** Bytes of an item id that an acknowledgement lists. */
export const acknowledgedIdBytes = 16

/** Body of a plain slot: what one device acknowledged on one UTC day. */
export const acknowledgementShape = record({
  v: literal(1),
  /** Days since 1970. */
  day: uint(2 ** 24),
  /** First 16 bytes of each item id, one after the other. */
  ids: bytesBetween(0, acknowledgedIdsMax * acknowledgedIdBytes),
})
export type Acknowledgement = Shaped<typeof acknowledgementShape>

/** What a contact link carries behind its `#`. */
export const contactLinkShape = record({
  v: literal(1),
  /** The home, with its addresses. */
  home: hostShape,
  /** Opens one door of the mailbox. */
  token: bytes(32),
})
export type ContactLink = Shaped<typeof contactLinkShape>
