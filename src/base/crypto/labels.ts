/**
 * Every domain-separation label. Each ends in a zero byte, so that none is the beginning of another;
 * what is signed, hashed or authenticated under one label means nothing under any other.
 * @see docs/protocol.md
 * @module
 */

import { utf8 } from '../util/bytes.ts'

function label(name: string): Uint8Array {
  return utf8(`abzu/v1/${name}\0`)
}

export const labels = {
  // signatures
  deviceCertificate: label('device-certificate'),
  identityDocument: label('identity-document'),
  mailboxRecord: label('mailbox-record'),
  receipt: label('receipt'),
  slotHeader: label('slot-header'),
  letter: label('letter'),
  restoreClaim: label('restore-claim'),
  exportEnd: label('export-end'),
  // hashes
  mailboxId: label('mailbox-id'),
  sealKeyId: label('seal-key-id'),
  plainSlotKey: label('plain-slot-key'),
  vaultGeneration: label('vault-generation'),
  keyringId: label('keyring-id'),
  doorKey: label('door-key'),
  doorId: label('door-id'),
  stamp: label('stamp'),
  safetyNumber: label('safety-number'),
  peerToken: label('peer-token'),
  recoveryShare: label('recovery-share'),
  joinToken: label('join-token'),
  childContact: label('child-contact'),
  auditEntry: label('audit-entry'),
  // message authentication codes
  doorProof: label('door-proof'),
  sealedSlotKey: label('sealed-slot-key'),
  // what an AEAD or HPKE binds
  envelope: label('envelope'),
  slotBody: label('slot-body'),
  keyringItem: label('keyring-item'),
  wrappedSecret: label('wrapped-secret'),
  sealedNote: label('sealed-note'),
  contactWish: label('contact-wish'),
  oversightShare: label('oversight-share'),
  auditCopy: label('audit-copy'),
} as const

export type Label = Uint8Array
