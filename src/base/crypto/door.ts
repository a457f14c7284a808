/**
 * Doors of a mailbox. Whoever holds a door's token can compute its key and so prove, for each
 * delivery, the right to deliver; the host stores the key and learns neither token nor sender.
 * @see docs/protocol.md#delivery
 * @module
 */

import type { ItemId, MailboxId } from '../util/brand.ts'
import { doorIdBytes, doorProofBytes } from '../wire/deliver.ts'
import { labels } from './labels.ts'
import type { CryptoPlatform } from './platform.ts'

const doorTokenBytes = 32

/** A fresh token, 32 bytes: travels only inside envelopes and links. */
export function newDoorToken(platform: Pick<CryptoPlatform, 'random'>): Uint8Array {
  return platform.random(doorTokenBytes)
}

/** The key of a door, 32 bytes: what the host keeps. */
export function doorKeyOf(platform: Pick<CryptoPlatform, 'sha256'>, token: Uint8Array): Uint8Array {
  return platform.sha256(labels.doorKey, token)
}

/** The public name of a door, 8 bytes. */
export function doorIdOf(
  platform: Pick<CryptoPlatform, 'sha256'>,
  doorKey: Uint8Array,
): Uint8Array {
  return platform.sha256(labels.doorId, doorKey).slice(0, doorIdBytes)
}

/** Proof, 16 bytes, that the deliverer of this very item to this very mailbox holds the door's key. */
export function doorProof(
  platform: Pick<CryptoPlatform, 'hmacSha256'>,
  doorKey: Uint8Array,
  mailbox: MailboxId,
  item: ItemId,
): Uint8Array {
  return platform.hmacSha256(doorKey, labels.doorProof, mailbox, item).slice(0, doorProofBytes)
}
