/**
 * Sealed mail: a letter, signed by the sender's device for this recipient and this encapsulation, padded
 * and sealed to a prekey. The signature is inside, so a host does not see who sent.
 *
 *     header   = 01 | suite | keyId[8] | expiresAt[4]
 *     envelope = header | enc[1120] | ct
 *     plain    = u32 length of inner | sig[64] | inner | zero padding to the Padmé size
 *     sig      = Ed25519(device key, label | header | recipient root pk | SHA-256(enc) | inner)
 *
 * @see docs/protocol.md#envelope
 * @module
 */

import { concatBytes, readU32be, u32be } from '../util/bytes.ts'
import { AbzuError } from '../util/errors.ts'
import { encode } from '../wire/codec.ts'
import {
  encapsulationBytes,
  encodeEnvelopeHeader,
  envelopeHeaderBytes,
  parseEnvelopeHeader,
  suiteXWing,
} from '../wire/envelope.ts'
import { letterShape, type Letter } from '../wire/letter.ts'
import { wireLimits } from '../wire/limits.ts'
import type { DeviceCertificate } from '../wire/records.ts'
import { decodeShape } from '../wire/shape.ts'
import { openDeviceCertificate } from './certificate.ts'
import { openSealed, startSeal } from './hpke.ts'
import { labels } from './labels.ts'
import { prekeyIdOf } from './mailbox-record.ts'
import { padmeLength } from './padme.ts'
import type { CryptoPlatform } from './platform.ts'
import { signatureBytes } from './signature.ts'

type SealPlatform = Pick<
  CryptoPlatform,
  'sha256' | 'hmacSha256' | 'ed25519' | 'kem' | 'chacha20poly1305'
>

const plainBytesMin = 256
const tagBytes = 16
const innerOffset = 4 + signatureBytes
const fixedBytes = envelopeHeaderBytes + encapsulationBytes + tagBytes

export interface SealInit {
  /** Root public key of the recipient. */
  readonly recipientRoot: Uint8Array
  /** X-Wing public key from the recipient's mailbox record. */
  readonly prekey: Uint8Array
  /** When hosts may drop it, hours since 1970; 30 days ahead at most. */
  readonly expiresAtHours: number
  /** Seed of the sending device, whose certificate the letter carries. */
  readonly deviceSeed: Uint8Array
  readonly letter: Letter
}

/** Seals a letter: fresh bytes at each call.
 *  @throws {AbzuError} ABZU_TOO_LARGE; ABZU_MALFORMED where the letter or the prekey is none */
export async function sealEnvelope(platform: SealPlatform, init: SealInit): Promise<Uint8Array> {
  const { recipientRoot, prekey, expiresAtHours, deviceSeed, letter } = init
  const inner = encode(letterShape(letter, 'letter'))
  const plain = new Uint8Array(paddedLength(inner.length))
  if (fixedBytes + plain.length > wireLimits.envelopeBytesMax) {
    throw new AbzuError('ABZU_TOO_LARGE', `a letter of ${inner.length} bytes`)
  }
  const keyId = prekeyIdOf(platform, prekey)
  const header = encodeEnvelopeHeader({ suite: suiteXWing, keyId, expiresAtHours })
  const sealer = await startSeal(platform, prekey, sealInfo(header, recipientRoot))
  const statement = signedBytes(platform, { header, recipientRoot, enc: sealer.enc, inner })
  plain.set(u32be(inner.length))
  plain.set(platform.ed25519.sign(deviceSeed, statement), 4)
  plain.set(inner, innerOffset)
  return concatBytes(header, sealer.enc, await sealer.seal(header, plain))
}

export interface OpenInit {
  readonly envelope: Uint8Array
  /** Root public key of the account that opens it. */
  readonly recipientRoot: Uint8Array
  /** Seed of the prekey that the header names. */
  readonly prekeySeed: Uint8Array
}

export interface OpenedEnvelope {
  readonly letter: Letter
  /** That of the device that signed: certified by `letter.from`. */
  readonly certificate: DeviceCertificate
}

/** Opens an envelope and verifies who wrote it, for whom. Whatever is wrong with it, the error is the
 *  same one, without a cause: a sender learns nothing from it.
 *  @throws {AbzuError} ABZU_SEAL_BROKEN */
export async function openEnvelope(
  platform: SealPlatform,
  init: OpenInit,
): Promise<OpenedEnvelope> {
  try {
    return await open(platform, init)
  } catch (error) {
    if (!(error instanceof AbzuError)) throw error
    throw new AbzuError('ABZU_SEAL_BROKEN', 'an envelope that cannot be opened')
  }
}

async function open(
  platform: SealPlatform,
  { envelope, recipientRoot, prekeySeed }: OpenInit,
): Promise<OpenedEnvelope> {
  parseEnvelopeHeader(envelope)
  const header = envelope.subarray(0, envelopeHeaderBytes)
  const enc = envelope.subarray(envelopeHeaderBytes, envelopeHeaderBytes + encapsulationBytes)
  const plain = await openSealed(platform, {
    seed: prekeySeed,
    info: sealInfo(header, recipientRoot),
    aad: header,
    enc,
    sealed: envelope.subarray(envelopeHeaderBytes + encapsulationBytes),
  })
  const { signature, inner } = parsePlain(plain)
  const letter = decodeShape(letterShape, inner, 'letter')
  const certificate = openDeviceCertificate(platform, letter.deviceCertificate, letter.from)
  const statement = signedBytes(platform, { header, recipientRoot, enc, inner })
  if (!platform.ed25519.verify(certificate.signPk, statement, signature)) {
    throw new AbzuError('ABZU_SIGNATURE_INVALID', 'a letter whose signature is not valid')
  }
  return { letter, certificate }
}

/** Takes the padding off, which is of one size and all zeros: an envelope has one form. */
function parsePlain(plain: Uint8Array): { signature: Uint8Array; inner: Uint8Array } {
  const end = innerOffset + readU32be(plain)
  const isPadded = end <= plain.length && plain.length === paddedLength(end - innerOffset)
  if (!isPadded || plain.subarray(end).some((byte) => byte !== 0)) {
    throw new AbzuError('ABZU_MALFORMED', 'a plaintext that is not padded as it should be')
  }
  return { signature: plain.subarray(4, innerOffset), inner: plain.subarray(innerOffset, end) }
}

function paddedLength(innerBytes: number): number {
  return padmeLength(Math.max(plainBytesMin, innerOffset + innerBytes))
}

function sealInfo(header: Uint8Array, recipientRoot: Uint8Array): Uint8Array {
  return concatBytes(labels.envelope, header, recipientRoot)
}

function signedBytes(
  platform: Pick<CryptoPlatform, 'sha256'>,
  {
    header,
    recipientRoot,
    enc,
    inner,
  }: { header: Uint8Array; recipientRoot: Uint8Array; enc: Uint8Array; inner: Uint8Array },
): Uint8Array {
  return concatBytes(labels.letter, header, recipientRoot, platform.sha256(enc), inner)
}
