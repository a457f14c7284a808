/**
 * Knows for most ids that were never added that they were not. Ids are hashes, so their own bytes serve as the
 * positions: whoever grinds ids until they collide gains a lookup.
 */
export class BloomFilter {
  readonly #bits: Uint32Array
  readonly #mask: number

  /** `bytes` is a power of two. */
  constructor(bytes: number) {
    this.#bits = new Uint32Array(bytes / 4)
    this.#mask = bytes * 8 - 1
  }

  /** False where no id that begins with these 16 bytes was added. */
  mayHave(id: Uint8Array): boolean {
    for (let probe = 0; probe < 4; probe++) {
      const at = this.#position(id, probe)
      if (((this.#bits[at >>> 5] as number) & (1 << (at & 31))) === 0) return false
    }
    return true
  }

  /** The first 16 bytes count. */
  add(id: Uint8Array): void {
    for (let probe = 0; probe < 4; probe++) {
      const at = this.#position(id, probe)
      this.#bits[at >>> 5] = (this.#bits[at >>> 5] as number) | (1 << (at & 31))
    }
  }

  #position(id: Uint8Array, probe: number): number {
    const at = 4 * probe
    const word =
      ((id[at] as number) << 24) |
      ((id[at + 1] as number) << 16) |
      ((id[at + 2] as number) << 8) |
      (id[at + 3] as number)
    return (word & this.#mask) >>> 0
  }
}
