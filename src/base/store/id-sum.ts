/**
 * Sums of item ids mod 2^256. A sum and not an exclusive or: whoever may choose ids could make those
 * cancel out.
 * @see docs/protocol.md#items
 * @module
 */

const words = 8
export const idSumBytes = 32

/** How many ids, and their sum: eight words of 32 bits, the most significant first. */
export interface IdSum {
  count: number
  readonly words: Uint32Array
}

export function emptySum(): IdSum {
  return { count: 0, words: new Uint32Array(words) }
}

function wordAt(bytes: Uint8Array, i: number): number {
  const at = 4 * i
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  )
}

/** Counts `id` in. */
export function addId(sum: IdSum, id: Uint8Array): void {
  const { words: target } = sum
  let carry = 0
  for (let i = words - 1; i >= 0; i--) {
    const word = (target[i] as number) + wordAt(id, i) + carry
    target[i] = word
    carry = word >= 2 ** 32 ? 1 : 0
  }
  sum.count++
}

/** Counts `id` out. */
export function subtractId(sum: IdSum, id: Uint8Array): void {
  let borrow = 0
  for (let i = words - 1; i >= 0; i--) {
    const word = (sum.words[i] as number) - wordAt(id, i) - borrow
    sum.words[i] = word
    borrow = word < 0 ? 1 : 0
  }
  sum.count--
}

/** Counts everything in that `other` counts. */
export function addSum(sum: IdSum, other: IdSum): void {
  correctSum(sum, emptySum(), other)
}

/** Adds `right - left` to `sum`: what it lacks where it counted `left` instead of `right`. */
export function correctSum(sum: IdSum, left: IdSum, right: IdSum): void {
  let carry = 0
  for (let i = words - 1; i >= 0; i--) {
    const difference = (right.words[i] as number) - (left.words[i] as number)
    const word = (sum.words[i] as number) + difference + carry
    sum.words[i] = word
    carry = Math.floor(word / 2 ** 32)
  }
  sum.count += right.count - left.count
}

export function equalSums(a: IdSum, b: IdSum): boolean {
  return a.count === b.count && a.words.every((word, i) => word === b.words[i])
}

/** 32 bytes, big endian. */
export function sumBytes(sum: IdSum): Uint8Array {
  const bytes = Buffer.allocUnsafe(idSumBytes)
  writeSum(sum, bytes, 0)
  return bytes
}

export function writeSum(sum: IdSum, target: Buffer, offset: number): void {
  for (let i = 0; i < words; i++) target.writeUInt32BE(sum.words[i] as number, offset + 4 * i)
}

export function readSum(count: number, source: Buffer, offset: number): IdSum {
  const sum = emptySum()
  sum.count = count
  for (let i = 0; i < words; i++) sum.words[i] = source.readUInt32BE(offset + 4 * i)
  return sum
}

/** The first 12 bits of an id: its bucket. */
export function bucketOf(id: Uint8Array): number {
  return ((id[0] as number) << 4) | ((id[1] as number) >> 4)
}
export const bucketCount = 4096
