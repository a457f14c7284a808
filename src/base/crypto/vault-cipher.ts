/**
 * Bodies of sealed slots: `generation[16] | nonce[24] | ciphertext | tag[16]`. Bound to the mailbox, the
 * slot's key and its version, so that no body opens in another's place; the generation names the
 * vault key, and so no body opens under two keys.
 * @see docs/protocol.md#slots
 * @module
 */

import { concatBytes, equalBytes, u64be } from '../util/bytes.ts'
import { AbzuError } from '../util/errors.ts'
import { wireLimits } from '../wire/limits.ts'
import { labels } from './labels.ts'
import type { CryptoPlatform } from './platform.ts'

type SealPlatform = Pick<CryptoPlatform, 'sha256' | 'random' | 'xchacha20poly1305'>
type OpenPlatform = Pick<CryptoPlatform, 'sha256' | 'xchacha20poly1305'>

const generationBytes = 16
const nonceBytes = 24
const tagBytes = 16
const overheadBytes = generationBytes + nonceBytes + tagBytes
/** Bytes that one sealed slot can hold. */
export const slotPlainBytesMax = wireLimits.slotBodyBytesMax - overheadBytes

/** Where a body belongs, and what opens it. */
export interface SlotSeal {
  readonly vaultKey: Uint8Array
  readonly mailbox: Uint8Array
  /** The slot's key, 20 bytes. */
  readonly key: Uint8Array
  readonly version: number
}

/** Name of a vault key, 16 bytes: the beginning of each body that it seals. */
export function vaultGenerationOf(
  platform: Pick<CryptoPlatform, 'sha256'>,
  vaultKey: Uint8Array,
): Uint8Array {
  return platform.sha256(labels.vaultGeneration, vaultKey).slice(0, generationBytes)
}

/** Name of the vault key that opens `body`.
 *  @throws {AbzuError} ABZU_SEAL_BROKEN where `body` is too short */
export function generationOfBody(body: Uint8Array): Uint8Array {
  if (body.length < overheadBytes) throw broken()
  return body.subarray(0, generationBytes)
}

/** @throws {AbzuError} ABZU_TOO_LARGE */
export function sealSlotBody(
  platform: SealPlatform,
  seal: SlotSeal,
  plain: Uint8Array,
): Uint8Array {
  if (plain.length > slotPlainBytesMax) {
    throw new AbzuError('ABZU_TOO_LARGE', `a slot of ${plain.length} bytes`)
  }
  const generation = vaultGenerationOf(platform, seal.vaultKey)
  const nonce = platform.random(nonceBytes)
  const aad = placeOf(seal)
  const sealed = platform.xchacha20poly1305.seal(seal.vaultKey, nonce, aad, plain)
  return concatBytes(generation, nonce, sealed)
}

/** @throws {AbzuError} ABZU_SEAL_BROKEN whatever does not fit */
export function openSlotBody(platform: OpenPlatform, seal: SlotSeal, body: Uint8Array): Uint8Array {
  const generation = vaultGenerationOf(platform, seal.vaultKey)
  if (!equalBytes(generationOfBody(body), generation)) throw broken()
  const nonce = body.subarray(generationBytes, generationBytes + nonceBytes)
  const sealed = body.subarray(generationBytes + nonceBytes)
  const plain = platform.xchacha20poly1305.open(seal.vaultKey, nonce, placeOf(seal), sealed)
  if (!plain) throw broken()
  return plain
}

function placeOf({ mailbox, key, version }: SlotSeal): Uint8Array {
  return concatBytes(labels.slotBody, mailbox, key, u64be(version))
}

function broken(): AbzuError {
  return new AbzuError('ABZU_SEAL_BROKEN', 'a slot that cannot be opened')
}
