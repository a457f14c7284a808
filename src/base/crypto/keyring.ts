/**
 * Keyring items: one secret of the account, sealed to its recovery key and to each of its devices.
 *
 *     item  = 01 | kind[1] | id[32] | count[1] | entry * count
 *     entry = recipient key id[8] | enc[1120] | ciphertext and tag[48]
 *
 * The first 34 bytes are bound to each entry; the id is a hash of the secret, so that an item made of
 * two different secrets is noticed by whoever opens it.
 * @see docs/protocol.md#keys
 * @module
 */

import { concatBytes, equalBytes } from '../util/bytes.ts'
import { AbzuError } from '../util/errors.ts'
import { encapsulationBytes, keyIdBytes } from '../wire/envelope.ts'
import { openSealed, sealTo, type HpkePlatform } from './hpke.ts'
import { labels } from './labels.ts'
import { prekeyIdOf } from './mailbox-record.ts'
import type { CryptoPlatform } from './platform.ts'

type KeyringPlatform = HpkePlatform & Pick<CryptoPlatform, 'sha256'>

const kinds = { vault: 1, name: 2, prekey: 3 } as const
type KeyringKind = keyof typeof kinds

export interface KeyringSecret {
  readonly kind: KeyringKind
  /** 32 bytes: a vault key, the name key, or the seed of a prekey. */
  readonly secret: Uint8Array
}

export interface KeyringItem {
  readonly kind: KeyringKind
  /** 32 bytes. */
  readonly id: Uint8Array
  /** 8 bytes each: `prekeyIdOf` of the X-Wing keys that can open it. */
  readonly recipients: readonly Uint8Array[]
}

const version = 1
const secretBytes = 32
const headBytes = 34
const entriesOffset = headBytes + 1
const sealedBytes = secretBytes + 16
const entryBytes = keyIdBytes + encapsulationBytes + sealedBytes
/** Recipients of one item: a recovery key, 16 devices, an oversight pair, and room. */
export const keyringRecipientsMax = 32

/** Name of a keyring secret, 32 bytes. */
export function keyringIdOf(
  platform: Pick<CryptoPlatform, 'sha256'>,
  { kind, secret }: KeyringSecret,
): Uint8Array {
  return platform.sha256(labels.keyringId, new Uint8Array([kinds[kind]]), secret)
}

/** Seals a secret to X-Wing public keys, one to 32 of them.
 *  @throws {AbzuError} ABZU_INVALID_ARGUMENT; ABZU_MALFORMED where a public key is none */
export async function sealKeyringItem(
  platform: KeyringPlatform,
  item: KeyringSecret,
  recipients: readonly Uint8Array[],
): Promise<Uint8Array> {
  const count = recipients.length
  if (count < 1 || count > keyringRecipientsMax || item.secret.length !== secretBytes) {
    throw new AbzuError('ABZU_INVALID_ARGUMENT', `a keyring item for ${count} recipients`)
  }
  const head = concatBytes(new Uint8Array([version, kinds[item.kind]]), keyringIdOf(platform, item))
  const entries: Uint8Array[] = []
  for (const publicKey of recipients) {
    const { enc, sealed } = await sealTo(platform, {
      publicKey,
      info: concatBytes(labels.keyringItem, head),
      aad: head,
      plain: item.secret,
    })
    entries.push(prekeyIdOf(platform, publicKey), enc, sealed)
  }
  return concatBytes(head, new Uint8Array([count]), ...entries)
}

/** What an item says of itself without being opened.
 *  @throws {AbzuError} ABZU_MALFORMED */
export function parseKeyringItem(bytes: Uint8Array): KeyringItem {
  const count = bytes[headBytes] ?? 0
  const kind = (Object.keys(kinds) as KeyringKind[]).find((name) => kinds[name] === bytes[1])
  const isWhole = bytes.length === entriesOffset + count * entryBytes
  if (bytes[0] !== version || !kind || !isWhole || count < 1 || count > keyringRecipientsMax) {
    throw new AbzuError('ABZU_MALFORMED', 'not a keyring item of version 1')
  }
  return {
    kind,
    id: bytes.subarray(2, headBytes),
    recipients: Array.from({ length: count }, (_, i) => entryAt(bytes, i).subarray(0, keyIdBytes)),
  }
}

/** Opens an item with the seed of one of its recipients.
 *  @throws {AbzuError} ABZU_MALFORMED; ABZU_SEAL_BROKEN where it is not for this key, or was changed */
export async function openKeyringItem(
  platform: KeyringPlatform,
  bytes: Uint8Array,
  seed: Uint8Array,
): Promise<KeyringSecret> {
  const { kind, id, recipients } = parseKeyringItem(bytes)
  const ownId = prekeyIdOf(platform, platform.kem.publicKey(seed))
  const place = recipients.findIndex((recipient) => equalBytes(recipient, ownId))
  if (place < 0) throw broken()
  const head = bytes.subarray(0, headBytes)
  const entry = entryAt(bytes, place)
  const secret = await openSealed(platform, {
    seed,
    info: concatBytes(labels.keyringItem, head),
    aad: head,
    enc: entry.subarray(keyIdBytes, keyIdBytes + encapsulationBytes),
    sealed: entry.subarray(keyIdBytes + encapsulationBytes),
  })
  if (!equalBytes(keyringIdOf(platform, { kind, secret }), id)) throw broken()
  return { kind, secret }
}

function entryAt(bytes: Uint8Array, place: number): Uint8Array {
  const start = entriesOffset + place * entryBytes
  return bytes.subarray(start, start + entryBytes)
}

function broken(): AbzuError {
  return new AbzuError('ABZU_SEAL_BROKEN', 'a keyring item that this key cannot open')
}
