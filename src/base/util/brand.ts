/**
 * Identifiers that look alike and must not be swapped: a machine is no person, an item no mailbox.
 * @module
 */

declare const brand: unique symbol
type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/** A machine: libp2p peer id of an Ed25519 key, base58btc (`12D3Koo...`). */
export type PeerId = Brand<string, 'PeerId'>

/** A person: bech32m of version byte and root public key (`abzu1...`, 64 characters). */
export type AccountId = Brand<string, 'AccountId'>

/** SHA-256(label | root public key), 32 bytes. */
export type MailboxId = Brand<Uint8Array, 'MailboxId'>

/** SHA-256 of the item's own bytes, 32 bytes. */
export type ItemId = Brand<Uint8Array, 'ItemId'>
