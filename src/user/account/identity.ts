/** Which devices the account has, as its mailbox says: the identity slot. @see docs/protocol.md#plain-slots @module */

import { openDeviceCertificate } from '../../base/crypto/certificate.ts'
import { openIdentityDocument, signIdentityDocument } from '../../base/crypto/identity-document.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { plainSlotKey } from '../../base/crypto/slot-header.ts'
import { equalBytes } from '../../base/util/bytes.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { encode } from '../../base/wire/codec.ts'
import {
  identitySlotShape,
  parsePlainSlot,
  plainSlotKind,
  plainSlotName,
} from '../../base/wire/plain-slot.ts'
import { decodeShape } from '../../base/wire/shape.ts'
import type { MailboxPort } from './ports.ts'
import { plainDraft, type PlainSlotPlace, type SlotDraft } from './slot-draft.ts'

/** Devices of one account, as the document's shape has it. */
export const devicesMax = 16
/** Certificates that the document lists as revoked: the newest ones. */
export const revokedMax = 64
/** Above a slot with 16 devices. */
export const identityContentBytesMax = 64 * 1024

/** A device that the identity document lists. */
export interface ListedDevice {
  /** Signed, as the document lists it. */
  readonly certificate: Uint8Array
  readonly signPk: Uint8Array
  /** X-Wing, 1216 bytes; undefined where the slot has none that the certificate names. */
  readonly sealPk: Uint8Array | undefined
  /** Of its certificate. */
  readonly docSeq: number
}

export interface Identity {
  /** Signed. */
  readonly document: Uint8Array
  /** Of the document. */
  readonly seq: number
  readonly devices: readonly ListedDevice[]
  /** Hashes of certificates. */
  readonly revoked: readonly Uint8Array[]
}

/** The identity in the account's own mailbox, verified by the root key.
 *  @throws {AbzuError} ABZU_STORE_DAMAGED, ABZU_MALFORMED, ABZU_SIGNATURE_INVALID, those of the store */
export async function readIdentity({
  platform,
  port,
  rootPk,
}: {
  readonly platform: CryptoPlatform
  readonly port: MailboxPort
  readonly rootPk: Uint8Array
}): Promise<Identity> {
  const slot = await port.slot(plainSlotKey(platform, port.mailbox, plainSlotName.identity))
  if (!slot) throw new AbzuError('ABZU_STORE_DAMAGED', 'the account has no identity document')
  return openIdentity(platform, parsePlainSlot(slot.body).content, rootPk)
}

/** What the content of an identity slot says, verified by the root key.
 *  @throws {AbzuError} ABZU_MALFORMED, ABZU_SIGNATURE_INVALID */
export function openIdentity(
  platform: CryptoPlatform,
  content: Uint8Array,
  rootPk: Uint8Array,
): Identity {
  const { document, certificates, sealPks } = decodeShape(identitySlotShape, content, 'identity')
  const { seq, devices: listed, revoked } = openIdentityDocument(platform, document, rootPk)
  const devices: ListedDevice[] = []
  for (const certificate of certificates) {
    if (!listed.some((hash) => equalBytes(hash, platform.sha256(certificate)))) continue
    const { signPk, sealPkHash, docSeq } = openDeviceCertificate(platform, certificate, rootPk)
    const sealPk = sealPks.find((key) => equalBytes(sealPkHash, platform.sha256(key)))
    devices.push({ certificate, signPk, sealPk, docSeq })
  }
  return { document, seq, devices, revoked }
}

interface DocumentInit {
  readonly rootSeed: Uint8Array
  readonly seq: number
  readonly devices: readonly Pick<ListedDevice, 'certificate' | 'sealPk'>[]
  readonly revoked: readonly Uint8Array[]
}

/** The identity slot of a document that lists `devices`, signed by the root. */
export function identityDraft(
  place: PlainSlotPlace & { readonly platform: CryptoPlatform },
  init: DocumentInit,
): SlotDraft {
  return identityDraftOf(place, identityContent(place.platform, init))
}

/** The identity slot of a content that was signed earlier. */
export function identityDraftOf(place: PlainSlotPlace, content: Uint8Array): SlotDraft {
  return plainDraft(place, { name: plainSlotName.identity, kind: plainSlotKind.identity, content })
}

/** What the identity slot holds. */
export function identityContent(platform: CryptoPlatform, init: DocumentInit): Uint8Array {
  const { rootSeed, seq, devices, revoked } = init
  const certificates = devices.map(({ certificate }) => certificate)
  const document = signIdentityDocument(platform, rootSeed, {
    v: 1,
    account: platform.ed25519.publicKey(rootSeed),
    seq,
    devices: certificates.map((certificate) => platform.sha256(certificate)),
    revoked: [...revoked],
  })
  const sealPks = devices.flatMap(({ sealPk }) => sealPk ?? [])
  return encode({ document, certificates, sealPks })
}
