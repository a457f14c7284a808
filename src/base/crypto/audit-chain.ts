/**
 * The chain of a Child's audit: each entry holds the hash of the one before it, so that none can be taken out.
 *
 *     hash = SHA-256(label | child's root key | entry)
 *
 * @see docs/protocol.md#oversight
 * @module
 */

import { labels } from './labels.ts'
import type { CryptoPlatform } from './platform.ts'

/** What the first entry names as the one before it. */
export const auditStart: Uint8Array = new Uint8Array(32)

/** Hash of an entry, the exact bytes of the letter's body: 32 bytes. */
export function auditHash(
  platform: Pick<CryptoPlatform, 'sha256'>,
  child: Uint8Array,
  entry: Uint8Array,
): Uint8Array {
  return platform.sha256(labels.auditEntry, child, entry)
}
