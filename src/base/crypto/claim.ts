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

/** The bytes that a device of the account signs to be given a copy of its mailbox.
 *  @see docs/protocol.md#sync */
export function claimMessage({ mailbox, source, puller, nonce }: ClaimPlace): Uint8Array {
  const [from, to] = [utf8(source), utf8(puller)]
  const lengths = new Uint8Array([from.length, to.length])
  return concatBytes(labels.claim, lengths, from, to, mailbox, nonce)
}

/** Checks that a device which the account's root has certified signed the claim. Whether that device was revoked
 *  since, the caller knows.
 *  @throws {AbzuError} ABZU_MALFORMED, ABZU_SIGNATURE_INVALID */
export function verifyClaim(
  platform: Pick<CryptoPlatform, 'ed25519' | 'sha256'>,
  place: ClaimPlace,
  claim: {
    readonly rootPk: Uint8Array
    readonly certificate: Uint8Array
    readonly signature: Uint8Array
  },
): void {
  const { signPk } = openDeviceCertificate(platform, claim.certificate, claim.rootPk)
  const isOfMailbox = equalBytes(mailboxIdOf(platform, claim.rootPk), place.mailbox)
  if (!isOfMailbox || !platform.ed25519.verify(signPk, claimMessage(place), claim.signature)) {
    throw new AbzuError('ABZU_SIGNATURE_INVALID', 'a claim that no device of the account signed')
  }
}
