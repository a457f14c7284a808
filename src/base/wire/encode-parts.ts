/**
 * The same msgpack as `encode` of codec.ts, in pieces: long byte strings stay where they are, so that a message of many
 * bodies is copied once, by whoever joins it to what goes to the network.
 * @module
 */

/** Integers from 0 to 2^32 - 1, byte strings and lists. */
export type PartValue = number | Uint8Array | readonly PartValue[]

/** From so many bytes on a byte string is a piece of its own. */
const apartBytesMin = 128
const chunkBytes = 4096
/** Of a head and of a number: a tag and 32 bits. */
const headBytes = 5

/** The pieces share memory with the byte strings of `value`. */
export function encodeParts(value: PartValue): Uint8Array[] {
  const writer = new PartWriter()
  writer.value(value)
  return writer.end()
}

class PartWriter {
  readonly #parts: Uint8Array[] = []
  #chunk = new Uint8Array(chunkBytes)
  /** What of the chunk is in a part, and what is written. */
  #from = 0
  #at = 0

  value(value: PartValue): void {
    if (typeof value === 'number') this.#number(value)
    else if (value instanceof Uint8Array) this.#bytes(value)
    else this.#list(value)
  }

  end(): Uint8Array[] {
    this.#cut()
    return this.#parts
  }

  #list(values: readonly PartValue[]): void {
    const { length } = values
    this.#room(headBytes)
    if (length < 16) this.#chunk[this.#at++] = 0x90 | length
    else this.#head(0xdc, length, { isByteToo: false })
    for (const value of values) this.value(value)
  }

  #bytes(bytes: Uint8Array): void {
    const { length } = bytes
    this.#room(headBytes + apartBytesMin)
    this.#head(0xc4, length, { isByteToo: true })
    if (length < apartBytesMin) {
      this.#chunk.set(bytes, this.#at)
      this.#at += length
      return
    }
    this.#cut()
    this.#parts.push(bytes)
  }

  #number(value: number): void {
    this.#room(headBytes)
    if (value < 128) this.#chunk[this.#at++] = value
    else this.#head(0xcc, value, { isByteToo: true })
  }

  /** A tag and a number of 8, 16 or 32 bits; the tags of longer ones follow. */
  #head(tag: number, value: number, { isByteToo }: { readonly isByteToo: boolean }): void {
    const chunk = this.#chunk
    let width = value < 2 ** 16 ? 2 : 4
    if (isByteToo && value < 256) width = 1
    const step = width === 1 ? 0 : width / 2
    chunk[this.#at++] = tag + step - Number(!isByteToo)
    for (let shift = 8 * (width - 1); shift >= 0; shift -= 8) chunk[this.#at++] = value >>> shift
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#chunk.length) return
    this.#cut()
    this.#chunk = new Uint8Array(chunkBytes)
    this.#from = this.#at = 0
  }

  #cut(): void {
    if (this.#at > this.#from) this.#parts.push(this.#chunk.subarray(this.#from, this.#at))
    this.#from = this.#at
  }
}
