/**
 * Files that `age` opens: sealed by a password or to a key, in pieces of 64 KiB, each authenticated before it is given
 * out. A file that was cut off is noticed at its end and no sooner: whoever reads it acts when all was read.
 * @see https://age-encryption.org/v1
 * @see docs/protocol.md#export
 * @module
 */

import { base64nopad } from '@scure/base'
import { Decrypter, Encrypter, Stanza, type Identity, type Recipient } from 'age-encryption'
import { concatBytes, fromUtf8, utf8 } from '../util/bytes.ts'
import { AbzuError, isAbzuError } from '../util/errors.ts'
import { exportLimits, invalidExport } from '../wire/export.ts'
import { passwordBytesMax } from './password.ts'
import type { CryptoPlatform } from './platform.ts'

type AgePlatform = Pick<CryptoPlatform, 'scrypt' | 'chacha20poly1305' | 'random'>

/** What a file is sealed by. */
export type AgeLock =
  | {
      readonly password: string
      /** The cost of one guess, as a power of two; 18 are 256 MiB and a second.
       *  @default 18 */
      readonly workFactor?: number
    }
  /** `age1...`: who has its identity opens the file. */
  | { readonly recipient: string }

/** What opens a file. */
export type AgeSecret =
  | { readonly password: string }
  /** `AGE-SECRET-KEY-...` */
  | { readonly identity: string }

/** What opens one file, as often as it is read. */
export type AgeKey = { readonly identity: Identity | string }

const firstLine = 'age-encryption.org/v1\n'
const scryptLabel = utf8('age-encryption.org/v1/scrypt')
const saltBytes = 16
const zeroNonce = new Uint8Array(12)
const nothing = new Uint8Array()
/** A stanza's end and the beginning of the authentication code, which closes the header. */
const closing = utf8('\n---')

/** The file, as it comes about. Reads `plain` no faster than it is read itself.
 *  @throws {AbzuError} ABZU_INVALID_ARGUMENT (password, recipient), at once; what `plain` throws */
export async function sealAge(
  platform: AgePlatform,
  lock: AgeLock,
  plain: AsyncIterable<Uint8Array>,
): Promise<AsyncGenerator<Uint8Array>> {
  const encrypter = new Encrypter()
  try {
    encrypter.addRecipient('password' in lock ? passwordRecipient(platform, lock) : lock.recipient)
    const source = plain[Symbol.asyncIterator]()
    return chunksOf(await encrypter.encrypt(streamOf(source)), source)
  } catch (cause) {
    if (isAbzuError(cause)) throw cause
    throw new AbzuError('ABZU_INVALID_ARGUMENT', 'not the public key of an age identity', { cause })
  }
}

/** The key of one file. With a password, the first reading takes its time.
 *  @throws {AbzuError} ABZU_INVALID_ARGUMENT */
export function ageKey(platform: AgePlatform, secret: AgeSecret): AgeKey {
  if ('password' in secret) return { identity: passwordIdentity(platform, secret.password) }
  try {
    new Decrypter().addIdentity(secret.identity)
  } catch (cause) {
    throw new AbzuError('ABZU_INVALID_ARGUMENT', 'not an age identity', { cause })
  }
  return { identity: secret.identity }
}

/** What was sealed, piece by piece. Its header is bounded before it is parsed, and the cost of its password before any
 *  work.
 *  @throws {AbzuError} ABZU_WRONG_PASSWORD; ABZU_EXPORT_INVALID where it is none, of another key, absurd, changed or cut
 *  off; what `sealed` throws */
export async function* openAge(
  key: AgeKey,
  sealed: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const decrypter = new Decrypter()
  decrypter.addIdentity(key.identity)
  try {
    const source = boundedHeader(sealed)
    yield* chunksOf(await decrypter.decrypt(streamOf(source)), source)
  } catch (error) {
    if (isAbzuError(error)) throw error
    throw invalidExport('it was changed or cut off, or is sealed to another key', error)
  }
}

function passwordRecipient(
  platform: AgePlatform,
  init: Extract<AgeLock, { password: string }>,
): Recipient {
  const { workFactor = exportLimits.scryptWorkFactorMax } = init
  const password = passwordBytes(init.password)
  return {
    async wrapFileKey(fileKey) {
      const salt = platform.random(saltBytes)
      const key = await platform.scrypt(password, concatBytes(scryptLabel, salt), { workFactor })
      const wrapped = platform.chacha20poly1305.seal(key, zeroNonce, nothing, fileKey)
      return [new Stanza(['scrypt', base64nopad.encode(salt), String(workFactor)], wrapped)]
    },
  }
}

function passwordIdentity(platform: AgePlatform, password: string): Identity {
  const bytes = passwordBytes(password)
  let fileKey: Uint8Array | undefined
  return {
    async unwrapFileKey(stanzas) {
      const { salt, workFactor, wrapped } = scryptStanza(stanzas)
      if (fileKey) return fileKey
      const key = await platform.scrypt(bytes, concatBytes(scryptLabel, salt), { workFactor })
      fileKey = platform.chacha20poly1305.open(key, zeroNonce, nothing, wrapped)
      if (fileKey) return fileKey
      throw new AbzuError('ABZU_WRONG_PASSWORD', 'the password does not open this file')
    },
  }
}

/** @throws {AbzuError} ABZU_EXPORT_INVALID */
function scryptStanza(stanzas: readonly Stanza[]) {
  const [stanza, ...others] = stanzas
  const [kind, saltText = '', costText = ''] = stanza?.args ?? []
  if (!stanza || kind !== 'scrypt' || others.length > 0) {
    throw invalidExport('it is sealed to a key and not by a password')
  }
  const salt = base64nopad.decode(saltText)
  const workFactor = /^[1-9]\d{0,2}$/.test(costText) ? Number(costText) : Infinity
  if (stanza.args.length !== 3 || salt.length !== saltBytes || stanza.body.length !== 32) {
    throw invalidExport('its header makes no sense')
  }
  if (workFactor > exportLimits.scryptWorkFactorMax) {
    throw invalidExport(`its password would cost 2^${costText} to try`)
  }
  return { salt, workFactor, wrapped: stanza.body }
}

/** The same bytes for the same password, however the keyboard composed it. */
function passwordBytes(password: string): Uint8Array {
  const bytes = utf8(password.normalize('NFC'))
  if (bytes.length > 0 && bytes.length <= passwordBytesMax) return bytes
  throw new AbzuError('ABZU_INVALID_ARGUMENT', 'a password that is empty or too long')
}

/** The same bytes, once the header is there and no larger than it may be.
 *  @throws {AbzuError} ABZU_EXPORT_INVALID */
async function* boundedHeader(sealed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let head: Uint8Array | undefined = nothing
  for await (const chunk of sealed) {
    if (!head) {
      yield chunk
      continue
    }
    head = concatBytes(head, chunk)
    if (!isBegun(head)) throw invalidExport('no file that age has sealed begins so')
    if (!hasHeader(head.subarray(0, exportLimits.headerBytesMax))) {
      if (head.length > exportLimits.headerBytesMax) throw invalidExport('its header has no end')
      continue
    }
    yield head
    head = undefined
  }
  if (head) throw invalidExport(head.length === 0 ? 'it is empty' : 'it is cut off')
}

function isBegun(head: Uint8Array): boolean {
  const begun = fromUtf8(head.subarray(0, firstLine.length))
  return begun !== undefined && firstLine.startsWith(begun)
}

function hasHeader(head: Uint8Array): boolean {
  for (let at = head.indexOf(0x0a); at >= 0; at = head.indexOf(0x0a, at + 1)) {
    if (closing.every((byte, n) => head[at + n] === byte)) return true
  }
  return false
}

function streamOf(source: AsyncIterator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await source.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
    },
    { highWaterMark: 0 },
  )
}

/** Ends `source` as well where its reader leaves early. */
async function* chunksOf(
  stream: ReadableStream<Uint8Array>,
  source: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader()
  let isOver = false
  try {
    for (;;) {
      const { done, value } = await reader.read()
      isOver = done
      if (done) return
      yield value
    }
  } finally {
    if (!isOver) {
      // where it has failed, its reader is told of that and of nothing else
      await reader.cancel().catch(() => undefined)
      await source.return?.()
    }
  }
}
