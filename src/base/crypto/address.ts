/**
 * Names that are computed from keys and bytes: people, machines, mailboxes, items.
 * @see docs/protocol.md#keys
 * @module
 */

import { base58, bech32m } from '@scure/base'
import type { AccountId, ItemId, MailboxId, PeerId } from '../util/brand.ts'
import { concatBytes, equalBytes } from '../util/bytes.ts'
import { AbzuError } from '../util/errors.ts'
import { isStrictPublicKey } from './ed25519-strict.ts'
import { labels } from './labels.ts'
import type { CryptoPlatform } from './platform.ts'

type Hash = Pick<CryptoPlatform, 'sha256'>

const addressPrefix = 'abzu'
const addressVersion = 0
const addressCharacters = 64
const didPrefix = 'did:key:z'
/** Multicodec `ed25519-pub`. */
const didKeyCode = new Uint8Array([0xed, 0x01])
/** Identity multihash of a libp2p public key message of type Ed25519. */
const peerIdPrefix = new Uint8Array([0x00, 0x24, 0x08, 0x01, 0x12, 0x20])
/** Above the length of every base58 text here; decoding takes time in its square. */
const base58CharactersMax = 64

function invalid(what: string, cause?: unknown): AbzuError {
  return new AbzuError('ABZU_ADDRESS_INVALID', `not a valid ${what}`, { cause })
}

/** The account of a root public key (32 bytes). */
export function accountIdOf(rootPk: Uint8Array): AccountId {
  const payload = concatBytes(new Uint8Array([addressVersion]), rootPk)
  return bech32m.encode(addressPrefix, bech32m.toWords(payload)) as AccountId
}

/** The account that `text` names: `abzu1...`, or its alias `did:key:z6Mk...`.
 *  @throws {AbzuError} ABZU_ADDRESS_INVALID */
export function parseAccountId(text: string): AccountId {
  const key = text.startsWith(didPrefix) ? didRootKey(text) : addressRootKey(text)
  if (!isStrictPublicKey(key)) throw invalid('account: its key is none')
  return accountIdOf(key)
}

/** The root public key, 32 bytes, of an account. */
export function rootKeyOf(account: AccountId): Uint8Array {
  return addressRootKey(account)
}

/** The account as a W3C did:key. */
export function didKeyOf(account: AccountId): string {
  return `${didPrefix}${base58.encode(concatBytes(didKeyCode, rootKeyOf(account)))}`
}

function addressRootKey(text: string): Uint8Array {
  if (text.length !== addressCharacters) throw invalid('account')
  let decoded
  try {
    const { prefix, words } = bech32m.decode(text as `${string}1${string}`)
    decoded = { prefix, payload: bech32m.fromWords(words) }
  } catch (cause) {
    throw invalid('account', cause)
  }
  const { prefix, payload } = decoded
  if (prefix !== addressPrefix || payload.length !== 33 || payload[0] !== addressVersion) {
    throw invalid('account')
  }
  return payload.slice(1)
}

function didRootKey(text: string): Uint8Array {
  return base58Key(text.slice(didPrefix.length), didKeyCode, 'did:key')
}

/** The 32 bytes that follow `prefix` in a base58 text. */
function base58Key(text: string, prefix: Uint8Array, what: string): Uint8Array {
  if (text.length > base58CharactersMax) throw invalid(what)
  let bytes
  try {
    bytes = base58.decode(text)
  } catch (cause) {
    throw invalid(what, cause)
  }
  const isWhole = bytes.length === prefix.length + 32
  if (!isWhole || !equalBytes(bytes.subarray(0, prefix.length), prefix)) throw invalid(what)
  return bytes.slice(prefix.length)
}

/** SHA-256(label | root public key). */
export function mailboxIdOf(platform: Hash, rootPk: Uint8Array): MailboxId {
  return platform.sha256(labels.mailboxId, rootPk) as MailboxId
}

/** SHA-256 of the envelope, as it travels. */
export function itemIdOf(platform: Hash, envelope: Uint8Array): ItemId {
  return platform.sha256(envelope) as ItemId
}

/** The libp2p peer id of a machine's Ed25519 public key (32 bytes). */
export function peerIdOf(machinePk: Uint8Array): PeerId {
  return base58.encode(concatBytes(peerIdPrefix, machinePk)) as PeerId
}

/** The Ed25519 public key, 32 bytes, of a machine. */
export function machineKeyOf(peerId: PeerId): Uint8Array {
  return base58Key(peerId, peerIdPrefix, 'peer id')
}

/** The machine that an address names at its end, `.../p2p/<peer id>`.
 *  @throws {AbzuError} ABZU_ADDRESS_INVALID */
export function peerNamedBy(address: string): PeerId {
  return parsePeerId(address.split('/p2p/').at(-1) ?? '')
}

/** The machine that `text` names: an Ed25519 peer id in base58btc (`12D3Koo...`).
 *  @throws {AbzuError} ABZU_ADDRESS_INVALID */
export function parsePeerId(text: string): PeerId {
  const key = base58Key(text, peerIdPrefix, 'peer id')
  if (!isStrictPublicKey(key)) throw invalid('peer id: its key is none')
  return peerIdOf(key)
}
