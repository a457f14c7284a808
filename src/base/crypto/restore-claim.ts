/** How a device proves that a copy of its account's mailbox may be given to it. @see docs/protocol.md#sync @module */

import type { MailboxId, PeerId } from '../util/brand.ts'
import { concatBytes, equalBytes, utf8 } from '../util/bytes.ts'
import { AbzuError } from '../util/errors.ts'
import { mailboxIdOf } from './address.ts'
import { openDeviceCertificate } from './certificate.ts'
import { labels } from './labels.ts'
import type { CryptoPlatform } from './platform.ts'

/** What a source asks to be signed. */
export const claimNonceBytes = 32

/** What a device's signature of a claim binds: nobody else, nowhere else, never again. */
export interface ClaimPlace {
  readonly mailbox: MailboxId
  /** The node that is asked, and the one that asks. */
  readonly source: PeerId
  readonly puller: PeerId
  /** 32 bytes, chosen by the source for this one claim. */
  readonly nonce: Uint8Array
}

/** The challenge that both nodes compute: `lengths[2] | source | puller | mailbox[32] | nonce[32]`. */
export function restoreChallenge({ mailbox, source, puller, nonce }: ClaimPlace): Uint8Array {
  const [from, to] = [utf8(source), utf8(puller)]
  return concatBytes(new Uint8Array([from.length, to.length]), from, to, mailbox, nonce)
}

/** A device's answer to the challenge of whoever holds a copy: an Ed25519 signature, 64 bytes. */
export function signRestoreClaim(
  platform: Pick<CryptoPlatform, 'ed25519'>,
  deviceSeed: Uint8Array,
  challenge: Uint8Array,
): Uint8Array {
  return platform.ed25519.sign(deviceSeed, concatBytes(labels.restoreClaim, challenge))
}

/** Whether `signature` is the answer of the device `signPk` to `challenge`. Whether the account has that device, its
 *  certificate says. */
export function isRestoreClaim(
  platform: Pick<CryptoPlatform, 'ed25519'>,
  signPk: Uint8Array,
  { challenge, signature }: { challenge: Uint8Array; signature: Uint8Array },
): boolean {
  return platform.ed25519.verify(signPk, concatBytes(labels.restoreClaim, challenge), signature)
}

/** Checks that a device which the account's root has certified signed the claim. Whether that device was revoked
 *  since, the caller knows.
 *  @throws {AbzuError} ABZU_MALFORMED, ABZU_SIGNATURE_INVALID */
export function verifyRestoreClaim(
  platform: Pick<CryptoPlatform, 'ed25519' | 'sha256'>,
  place: ClaimPlace,
  claim: {
    readonly rootPk: Uint8Array
    readonly certificate: Uint8Array
    readonly signature: Uint8Array
  },
): void {
  const { rootPk, certificate, signature } = claim
  const { signPk } = openDeviceCertificate(platform, certificate, rootPk)
  const isOfMailbox = equalBytes(mailboxIdOf(platform, rootPk), place.mailbox)
  const challenge = restoreChallenge(place)
  if (!isOfMailbox || !isRestoreClaim(platform, signPk, { challenge, signature })) {
    throw new AbzuError('ABZU_SIGNATURE_INVALID', 'a claim that no device of the account signed')
  }
}
