/**
 * The primitives that everything in this folder is built from. A daemon takes them from node:crypto,
 * a browser from noble, the simulator from noble with seeded randomness: the same bytes from each. What a
 * platform derives from a seed it may keep while the seed's array lives: hold one array for each key, and
 * let go of it to forget the key.
 * @module
 */

/** An AEAD whose keys have 32 bytes and whose tags have 16. */
export interface Aead {
  /** Ciphertext and tag. A nonce serves one key once. */
  seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): Uint8Array
  /** The plaintext, or undefined where anything was changed. Never throws for what `sealed` holds. */
  open(
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    sealed: Uint8Array,
  ): Uint8Array | undefined
}

/** Ed25519 (RFC 8032) under one strict rule on every platform.
 *  @see ed25519-strict.ts */
export interface Ed25519 {
  /** 32 bytes. */
  publicKey(seed: Uint8Array): Uint8Array
  /** 64 bytes. */
  sign(seed: Uint8Array, message: Uint8Array): Uint8Array
  /** Never throws: what is no key or no signature verifies nothing. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
}

/** X-Wing: ML-KEM-768 and X25519 together.
 *  @see https://datatracker.ietf.org/doc/draft-connolly-cfrg-xwing-kem/ */
export interface Kem {
  /** 1216 bytes, of a seed of 32. */
  publicKey(seed: Uint8Array): Uint8Array
  /** A fresh secret (32 bytes) and its encapsulation (1120 bytes).
   *  @throws {AbzuError} ABZU_MALFORMED where `publicKey` is none */
  encapsulate(publicKey: Uint8Array): { readonly shared: Uint8Array; readonly enc: Uint8Array }
  /** The secret (32 bytes); another secret where `enc` was made for another key.
   *  @throws {AbzuError} ABZU_MALFORMED where `enc` is no encapsulation for any key */
  decapsulate(seed: Uint8Array, enc: Uint8Array): Uint8Array
}

export interface Argon2Params {
  readonly memoryKiB: number
  readonly passes: number
  readonly parallelism: number
}

export interface CryptoPlatform {
  /** Fresh unpredictable bytes. */
  random(length: number): Uint8Array
  /** SHA-256 over the parts, one after the other: 32 bytes. */
  sha256(...parts: readonly Uint8Array[]): Uint8Array
  /** HMAC-SHA-256 over the parts, one after the other: 32 bytes. */
  hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array
  /** HMAC-SHA-512 over the parts, one after the other: 64 bytes. */
  hmacSha512(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array
  readonly ed25519: Ed25519
  readonly kem: Kem
  /** RFC 8439; nonces of 12 bytes. */
  readonly chacha20poly1305: Aead
  /** draft-irtf-cfrg-xchacha; nonces of 24 bytes, which may be random. */
  readonly xchacha20poly1305: Aead
  /** RFC 9106, version 0x13: 32 bytes. Takes its time, off the main thread where there is another. */
  argon2id(password: Uint8Array, salt: Uint8Array, params: Argon2Params): Promise<Uint8Array>
  /** RFC 7914 with N = 2^workFactor, r = 8, p = 1: 32 bytes, for what other programs read. As argon2id, and 1 KiB of
   *  memory times N. */
  scrypt(
    password: Uint8Array,
    salt: Uint8Array,
    params: { readonly workFactor: number },
  ): Promise<Uint8Array>
}
