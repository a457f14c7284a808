/**
 * A strict look at msgpack bytes before anything is decoded: msgpackr alone turns 4 MB of nested
 * arrays into 400 MB of heap. Accepted is the part of msgpack that Abzu writes: nil, booleans, safe
 * integers, UTF-8 strings, binary, arrays, and maps with distinct string keys.
 * @see docs/protocol.md#encoding
 * @module
 */

import { AbzuError } from '../util/errors.ts'
import { wireLimits } from './limits.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function malformed(why: string): AbzuError {
  return new AbzuError('ABZU_MALFORMED', `not an acceptable msgpack value: ${why}`)
}

/** Up to this length a key is put together letter by letter; a longer one would leave too many pieces. */
const shortKeyLength = 12

class Scanner {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #offset = 0
  #items = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** One value and nothing behind it. */
  whole(): void {
    this.#value(0)
    if (this.#offset !== this.#bytes.length) throw malformed('bytes follow the value')
  }

  #take(length: number): number {
    const start = this.#offset
    if (length > this.#bytes.length - start) throw malformed('it is cut off')
    this.#offset = start + length
    return start
  }

  #uint(width: 1 | 2 | 4): number {
    const at = this.#take(width)
    if (width === 1) return this.#view.getUint8(at)
    return width === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at)
  }

  #count(items: number): void {
    this.#items += items
    if (this.#items > wireLimits.itemsMax) throw malformed('too many items')
  }

  /** A view of the input costs twice the memory of another value. */
  #byteString(length: number): void {
    this.#count(1)
    this.#take(length)
  }

  #value(depth: number): void {
    this.#count(1)
    const tag = this.#uint(1)
    if (tag <= 0x7f || tag >= 0xe0) return
    if (tag <= 0x8f) return this.#map(tag & 0x0f, depth)
    if (tag <= 0x9f) return this.#array(tag & 0x0f, depth)
    if (tag <= 0xbf) return this.#text(tag & 0x1f)
    switch (tag) {
      case 0xc0:
      case 0xc2:
      case 0xc3:
        return
      case 0xc4:
        return this.#byteString(this.#uint(1))
      case 0xc5:
        return this.#byteString(this.#uint(2))
      case 0xc6:
        return this.#byteString(this.#uint(4))
      case 0xcb:
        return this.#safe(this.#view.getFloat64(this.#take(8)))
      case 0xcc:
      case 0xd0:
        return void this.#take(1)
      case 0xcd:
      case 0xd1:
        return void this.#take(2)
      case 0xce:
      case 0xd2:
        return void this.#take(4)
      case 0xcf:
        return this.#safe(Number(this.#view.getBigUint64(this.#take(8))))
      case 0xd3:
        return this.#safe(Number(this.#view.getBigInt64(this.#take(8))))
      case 0xd9:
        return this.#text(this.#uint(1))
      case 0xda:
        return this.#text(this.#uint(2))
      case 0xdb:
        return this.#text(this.#uint(4))
      case 0xdc:
        return this.#array(this.#uint(2), depth)
      case 0xdd:
        return this.#array(this.#uint(4), depth)
      case 0xde:
        return this.#map(this.#uint(2), depth)
      case 0xdf:
        return this.#map(this.#uint(4), depth)
      default:
        throw malformed(`type 0x${tag.toString(16)}`)
    }
  }

  #safe(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw malformed('an unsafe number')
  }

  #text(length: number): void {
    const start = this.#take(length)
    if (!this.#isAscii(start, length)) this.#decoded(start, length)
  }

  /** Most keys are a few letters, for which a decoder would allocate more than they have. */
  #keyText(length: number): string {
    const start = this.#take(length)
    const isLong = length > shortKeyLength
    if (isLong || !this.#isAscii(start, length)) return this.#decoded(start, length)
    let key = ''
    for (let at = start; at < start + length; at++) {
      key += String.fromCharCode(this.#bytes[at] as number)
    }
    return key
  }

  #isAscii(start: number, length: number): boolean {
    for (let at = start; at < start + length; at++) {
      if ((this.#bytes[at] as number) >= 0x80) return false
    }
    return true
  }

  #decoded(start: number, length: number): string {
    try {
      return utf8.decode(this.#bytes.subarray(start, start + length))
    } catch (cause) {
      throw new AbzuError('ABZU_MALFORMED', 'a string is not UTF-8', { cause })
    }
  }

  #array(length: number, depth: number): void {
    this.#descend(depth)
    for (let i = 0; i < length; i++) this.#value(depth + 1)
  }

  #map(length: number, depth: number): void {
    this.#descend(depth)
    // Two thousand empty sets would be a quarter of the memory that a value may cost.
    const seen = length > 1 ? new Set<string>() : undefined
    for (let i = 0; i < length; i++) {
      const key = this.#key()
      if (key === '__proto__' || seen?.has(key)) throw malformed('a duplicate or reserved key')
      seen?.add(key)
      this.#value(depth + 1)
    }
  }

  #descend(depth: number): void {
    if (depth >= wireLimits.depthMax) throw malformed('nested too deeply')
  }

  #key(): string {
    this.#count(2)
    const tag = this.#uint(1)
    if ((tag & 0xe0) === 0xa0) return this.#keyText(tag & 0x1f)
    if (tag === 0xd9) return this.#keyText(this.#uint(1))
    throw malformed('a key that is no short string')
  }
}

/** Returns where `bytes` hold exactly one acceptable value.
 *  @throws {AbzuError} ABZU_MALFORMED */
export function scan(bytes: Uint8Array): void {
  new Scanner(bytes).whole()
}
