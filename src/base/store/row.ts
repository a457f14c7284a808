/**
 * Every value but a body begins with a CRC-32 over the rest of it and the row's key. So a flipped bit, in
 * value or key, is found when the row is read.
 * @module
 */

import { crc32 } from 'node:zlib'
import { AbzuError } from '../util/errors.ts'

export const checksumBytes = 4

/** A value of `contentBytes` of content behind room for its checksum. Its bytes are not cleared. */
export function newValue(contentBytes: number): Buffer {
  return Buffer.allocUnsafe(checksumBytes + contentBytes)
}

/** Part of the checksum that the same content has under every key. */
export function contentChecksum(value: Uint8Array): number {
  return crc32(value.subarray(checksumBytes))
}

/** Writes the checksum of `value` under `key` into it. `content` saves a second pass over the content. */
export function seal(key: Uint8Array, value: Buffer, content = contentChecksum(value)): Buffer {
  value.writeUInt32BE(crc32(key, content), 0)
  return value
}

/** The checksum of a body, which is kept in the item's head. */
export function bodyChecksum(key: Uint8Array, body: Uint8Array): number {
  return crc32(key, crc32(body))
}

/** The checksum that a value carries. */
export function checksumOf(value: Uint8Array): number {
  return asBuffer(value).readUInt32BE(0)
}

export function isIntact(key: Uint8Array, value: Uint8Array): boolean {
  return value.length >= checksumBytes && checksumOf(value) === crc32(key, contentChecksum(value))
}

/** The content of a value.
 *  @throws {AbzuError} ABZU_STORE_DAMAGED */
export function unseal(key: Uint8Array, value: Uint8Array): Buffer {
  if (!isIntact(key, value)) throw damaged('a row is not what was written')
  return asBuffer(value.subarray(checksumBytes))
}

export function damaged(what: string): AbzuError {
  return new AbzuError('ABZU_STORE_DAMAGED', what)
}

/** The same memory as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

export function readU64(buffer: Buffer, offset: number): number {
  return buffer.readUInt32BE(offset) * 2 ** 32 + buffer.readUInt32BE(offset + 4)
}

export function writeU64(buffer: Buffer, value: number, offset: number): void {
  buffer.writeUInt32BE(Math.floor(value / 2 ** 32), offset)
  buffer.writeUInt32BE(value % 2 ** 32, offset + 4)
}
