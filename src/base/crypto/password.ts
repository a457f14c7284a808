/**
 * A secret behind a password:
 * `01 | memory KiB[4] | passes[4] | parallelism[1] | salt[16] | nonce[24] | ciphertext | tag[16]`,
 * sealed with XChaCha20-Poly1305 under the Argon2id hash of the password.
 * @see docs/protocol.md#keys
 * @module
 */

import { concatBytes, readU32be, u32be, utf8 } from '../util/bytes.ts'
import { AbzuError } from '../util/errors.ts'
import { labels } from './labels.ts'
import type { Argon2Params, CryptoPlatform } from './platform.ts'

type WrapPlatform = Pick<CryptoPlatform, 'argon2id' | 'random' | 'xchacha20poly1305'>
type UnwrapPlatform = Pick<CryptoPlatform, 'argon2id' | 'xchacha20poly1305'>

/** 64 MiB, three passes: 0.2 s on a small box. */
export const argon2Default: Argon2Params = { memoryKiB: 64 * 1024, passes: 3, parallelism: 1 }
/** The least that is wrapped or unwrapped with. */
export const argon2Floor: Argon2Params = { memoryKiB: 19 * 1024, passes: 2, parallelism: 1 }
/** The most: stored parameters are input, and may be hostile. */
export const argon2Cap: Argon2Params = { memoryKiB: 512 * 1024, passes: 16, parallelism: 4 }

const version = 1
const saltBytes = 16
const nonceBytes = 24
const tagBytes = 16
const headBytes = 10 + saltBytes
const sealedOffset = headBytes + nonceBytes
const secretBytesMax = 64 * 1024
/** UTF-8; hashing more tells nothing and takes time. */
export const passwordBytesMax = 1024

/** Wraps `secret` so that `password` gives it back. `context` says what it is for, and must be the same
 *  when it is unwrapped.
 *  @throws {AbzuError} ABZU_INVALID_ARGUMENT: password empty or too long, parameters out of bounds */
export async function wrapSecret(
  platform: WrapPlatform,
  password: string,
  secret: Uint8Array,
  context: Uint8Array,
  params: Argon2Params = argon2Default,
): Promise<Uint8Array> {
  if (!isWithinBounds(params) || secret.length > secretBytesMax) {
    throw new AbzuError('ABZU_INVALID_ARGUMENT', 'not acceptable for a password to wrap')
  }
  const salt = platform.random(saltBytes)
  const nonce = platform.random(nonceBytes)
  const head = encodeHead(params, salt)
  const key = await platform.argon2id(passwordBytes(password), salt, params)
  const aad = concatBytes(labels.wrappedSecret, head, context)
  return concatBytes(head, nonce, platform.xchacha20poly1305.seal(key, nonce, aad, secret))
}

/** The secret that `password` wrapped.
 *  @throws {AbzuError} ABZU_WRONG_PASSWORD; also where the wrapped bytes were changed or are of another context
 *  @throws {AbzuError} ABZU_MALFORMED before any work; ABZU_INVALID_ARGUMENT as in wrapSecret */
export async function unwrapSecret(
  platform: UnwrapPlatform,
  password: string,
  wrapped: Uint8Array,
  context: Uint8Array,
): Promise<Uint8Array> {
  const { params, salt, head, nonce, sealed } = parseWrapped(wrapped)
  const key = await platform.argon2id(passwordBytes(password), salt, params)
  const aad = concatBytes(labels.wrappedSecret, head, context)
  const secret = platform.xchacha20poly1305.open(key, nonce, aad, sealed)
  if (!secret) throw new AbzuError('ABZU_WRONG_PASSWORD', 'the password is wrong')
  return secret
}

/** The parts of a wrapped secret, its parameters within bounds.
 *  @throws {AbzuError} ABZU_MALFORMED */
export function parseWrapped(wrapped: Uint8Array): {
  params: Argon2Params
  salt: Uint8Array
  head: Uint8Array
  nonce: Uint8Array
  sealed: Uint8Array
} {
  const least = sealedOffset + tagBytes
  if (wrapped[0] !== version || wrapped.length < least || wrapped.length > least + secretBytesMax) {
    throw new AbzuError('ABZU_MALFORMED', 'not a wrapped secret of version 1')
  }
  const params = {
    memoryKiB: readU32be(wrapped, 1),
    passes: readU32be(wrapped, 5),
    parallelism: wrapped[9] as number,
  }
  if (!isWithinBounds(params)) {
    throw new AbzuError('ABZU_MALFORMED', 'a wrapped secret with absurd parameters')
  }
  return {
    params,
    salt: wrapped.subarray(10, headBytes),
    head: wrapped.subarray(0, headBytes),
    nonce: wrapped.subarray(headBytes, sealedOffset),
    sealed: wrapped.subarray(sealedOffset),
  }
}

function encodeHead({ memoryKiB, passes, parallelism }: Argon2Params, salt: Uint8Array) {
  const tail = new Uint8Array([parallelism])
  return concatBytes(new Uint8Array([version]), u32be(memoryKiB), u32be(passes), tail, salt)
}

function isWithinBounds(params: Argon2Params): boolean {
  return (['memoryKiB', 'passes', 'parallelism'] as const).every(
    (name) =>
      Number.isInteger(params[name]) &&
      params[name] >= argon2Floor[name] &&
      params[name] <= argon2Cap[name],
  )
}

/** The same bytes for the same password, however the keyboard composed it. */
function passwordBytes(password: string): Uint8Array {
  const bytes = utf8(password.normalize('NFC'))
  if (bytes.length === 0 || bytes.length > passwordBytesMax) {
    throw new AbzuError('ABZU_INVALID_ARGUMENT', 'a password that is empty or too long')
  }
  return bytes
}
