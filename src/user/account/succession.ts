/**
 * Whether another node has become the account's home. A record says so that the account has signed and that is newer
 * than what this home goes by; nothing else does: not an older one, not one that names this home still, such as
 * another device's after it has changed the prekey.
 * @see docs/protocol.md#recovery
 * @module
 */

import { comparePlaces, placeOf, verifyMailboxRecord } from '../../base/crypto/mailbox-record.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import type { PeerId } from '../../base/util/brand.ts'
import { equalBytes } from '../../base/util/bytes.ts'
import { AbzuError, isAbzuError } from '../../base/util/errors.ts'
import type { MailboxRecord } from '../../base/wire/records.ts'

type Platform = Pick<CryptoPlatform, 'ed25519' | 'sha256'>

/** What is told of an account that lives at the node `to` now. */
export function accountMoved(to: string): AbzuError {
  return new AbzuError('ABZU_ACCOUNT_MOVED', `the account lives at another node now: ${to}`)
}

/** The home of an account, as it sees itself. */
export interface OwnPlace {
  readonly rootPk: Uint8Array
  /** Ed25519 public key of the device that lives here. */
  readonly devicePk: Uint8Array
  /** This node. */
  readonly here: PeerId
}

/** The home that a record shown by another node names instead of this one; undefined where it does not, or is not
 *  newer than `own`, or not valid. */
export function successorByAhead(
  platform: Platform,
  { rootPk, here }: OwnPlace,
  { own, ahead }: { own: Uint8Array; ahead: Uint8Array },
): PeerId | undefined {
  try {
    const other = verifyMailboxRecord(platform, ahead)
    if (!equalBytes(other.record.account, rootPk)) return undefined
    const isNewer = comparePlaces(placeOf(other), placeOf(verifyMailboxRecord(platform, own))) > 0
    return isNewer ? otherHome(other.record, here) : undefined
  } catch (error) {
    if (!isAbzuError(error)) throw error
    return undefined
  }
}

/** The home that the record in the own mailbox names instead of this one, where it came there from another home: this
 *  node is listed as what it was, or another device has signed. A record of this device that names another node is
 *  only out of date: the machine has another key.
 *  @throws {AbzuError} ABZU_MALFORMED, ABZU_SIGNATURE_INVALID */
export function successorByOwn(
  platform: Platform,
  { devicePk, here }: OwnPlace,
  own: Uint8Array,
): PeerId | undefined {
  const { record, signPk } = verifyMailboxRecord(platform, own)
  const isFormer = record.hosts.some(({ peerId, role }) => peerId === here && role === 'former')
  return isFormer || !equalBytes(signPk, devicePk) ? otherHome(record, here) : undefined
}

function otherHome({ hosts }: MailboxRecord, here: PeerId): PeerId | undefined {
  const homes = hosts.filter(({ role }) => role === 'home')
  if (homes.some(({ peerId }) => peerId === here)) return undefined
  return homes[0]?.peerId as PeerId | undefined
}
