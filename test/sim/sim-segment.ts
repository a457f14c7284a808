import type { Random } from './random.ts'

/** One file of the simulated disk that grows: what was written, and what of it an fsync has reached. */
export class SimSegment {
  #bytes: Uint8Array = new Uint8Array(0)
  #synced = 0
  /** From here on a sync has failed: the kernel has let go of these bytes, and calls them clean. */
  #forgotten = Number.POSITIVE_INFINITY
  /** Its directory was synced since it was made. */
  hasName = false

  get length(): number {
    return this.#bytes.length
  }

  copy(): SimSegment {
    const copy = new SimSegment()
    copy.#bytes = this.#bytes.slice()
    copy.#synced = this.#synced
    copy.#forgotten = this.#forgotten
    copy.hasName = this.hasName
    return copy
  }

  write(offset: number, parts: readonly Uint8Array[]): void {
    const end = offset + parts.reduce((bytes, { length }) => bytes + length, 0)
    const bytes = new Uint8Array(Math.max(end, this.#bytes.length))
    bytes.set(this.#bytes)
    let at = offset
    for (const part of parts) {
      bytes.set(part, at)
      at += part.length
    }
    // what is written over itself is on the platter as before
    let changed = offset
    while (changed < this.#synced && bytes[changed] === this.#bytes[changed]) changed++
    this.#bytes = bytes
    this.#synced = Math.min(this.#synced, changed)
    if (offset <= this.#forgotten) this.#forgotten = Number.POSITIVE_INFINITY
  }

  read(offset: number, bytes: number): Uint8Array {
    return this.#bytes.slice(offset, offset + bytes)
  }

  /** What was written up to `end` is on the platter. */
  sync(end: number): void {
    this.#synced = Math.max(this.#synced, Math.min(end, this.#bytes.length, this.#forgotten))
  }

  /** The sync of what was written has failed. */
  forget(): void {
    this.#forgotten = Math.min(this.#forgotten, this.#synced)
  }

  /** The power goes: of what was not synced a part is there, whole or as zeros, and the rest is not. Returns whether
   *  anything is gone. */
  lose(random: Random): boolean {
    const unsynced = this.#bytes.length - this.#synced
    if (unsynced === 0) return false
    const kept = this.#synced + random.below(unsynced + 1)
    const isLost = kept < this.#bytes.length
    const bytes = this.#bytes.slice(0, kept)
    if (random.chance(0.3)) bytes.fill(0, this.#synced + random.below(kept - this.#synced + 1))
    this.#bytes = bytes
    this.#synced = kept
    return isLost
  }

  flip(bit: number): void {
    const at = bit >> 3
    const bytes = this.#bytes.slice()
    bytes[at] = (bytes[at] as number) ^ (1 << (bit & 7))
    this.#bytes = bytes
  }
}
