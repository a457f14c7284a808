import {
  comparePlaces,
  placeOf,
  prekeyIdOf,
  verifyMailboxRecord,
} from '../../base/crypto/mailbox-record.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { equalBytes } from '../../base/util/bytes.ts'
import { isAbzuError } from '../../base/util/errors.ts'
import { parseEnvelopeHeader } from '../../base/wire/envelope.ts'
import type { OutboxHead } from './outbox-row.ts'

/** Whether a record that anybody shows is the recipient's own, newer than the one that a letter was sealed by, and has
 *  not the letter's key any more: then the letter has to be sealed again, whoever says so. */
export function isOutdated(
  platform: Pick<CryptoPlatform, 'ed25519' | 'sha256'>,
  {
    head: { to, sealedBy },
    envelope,
    nowHours,
  }: {
    head: OutboxHead
    envelope: Uint8Array
    nowHours: number
  },
  signed: Uint8Array,
): boolean {
  if (!sealedBy) return false
  try {
    const shown = verifyMailboxRecord(platform, signed)
    const { keyId } = parseEnvelopeHeader(envelope)
    const { prekey, priorKeys } = shown.record
    const isListed =
      equalBytes(prekeyIdOf(platform, prekey), keyId) ||
      priorKeys.some((key) => equalBytes(key.keyId, keyId) && nowHours < key.untilHours)
    const isNewer = comparePlaces(placeOf(shown), sealedBy) > 0
    return equalBytes(shown.mailbox, to) && isNewer && !isListed
  } catch (error) {
    if (!isAbzuError(error)) throw error
    return false
  }
}
