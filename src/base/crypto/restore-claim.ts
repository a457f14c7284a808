/** How a device proves that a copy of its account's mailbox may be given to it. @module */

import { concatBytes } from '../util/bytes.ts'
import { labels } from './labels.ts'
import type { CryptoPlatform } from './platform.ts'

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
