/**
 * Knows for most ids that were never added for an owner that they were not. Owners and ids are hashes, so
 * their own bytes serve as the positions: whoever grinds ids until they collide gains a lookup.
 */
export class BloomFilter {
  readonly #bits: Uint32Array
  readonly #mask: number

  /** `bytes` is a power of two. */
  constructor(bytes: number) {
    this.#bits = new Uint32Array(bytes / 4)
    this.#mask = bytes * 8 - 1
  }

  /** False where no id that begins with these 16 bytes was added for `owner`. */
  mayHave(owner: Uint8Array, id: Uint8Array): boolean {
    for (let probe = 0; probe < 4; probe++) {
      const at = this.#position(owner, id, probe)
      if (((this.#bits[at >>> 5] as number) & (1 << (at & 31))) === 0) return false
    }
    return true
  }

  /** The first 16 bytes of each count. */
  add(owner: Uint8Array, id: Uint8Array): void {
    for (let probe = 0; probe < 4; probe++) {
      const at = this.#position(owner, id, probe)
      this.#bits[at >>> 5] = (this.#bits[at >>> 5] as number) | (1 << (at & 31))
    }
  }

  #position(owner: Uint8Array, id: Uint8Array, probe: number): number {
    const word = wordAt(id, 4 * probe) ^ wordAt(owner, 4 * probe)
    return (word & this.#mask) >>> 0
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  )
}
