/** Entries of a heap know their own place in it. */
export interface Ranked {
  rank: number
  /** Place in the heap, which alone writes it; -1 outside. */
  place: number
}

/** Entries of which the one of the least rank is at hand: a binary heap. */
export class LeastFirst<T extends Ranked> {
  readonly #entries: T[] = []

  get size(): number {
    return this.#entries.length
  }

  /** The entry of the least rank. */
  get first(): T | undefined {
    return this.#entries[0]
  }

  add(entry: T): void {
    this.#entries.push(entry)
    this.#rise(entry, this.#entries.length - 1)
  }

  /** The rank of an entry in it has grown. */
  grown(entry: T): void {
    this.#sink(entry, entry.place)
  }

  removeFirst(): T | undefined {
    const { first } = this
    const last = this.#entries.pop()
    if (!first || !last) return undefined
    if (last !== first) this.#sink(last, 0)
    first.place = -1
    return first
  }

  #rise(entry: T, from: number): void {
    let place = from
    while (place > 0) {
      const above = (place - 1) >> 1
      const other = this.#entries[above] as T
      if (other.rank <= entry.rank) break
      this.#put(other, place)
      place = above
    }
    this.#put(entry, place)
  }

  #sink(entry: T, from: number): void {
    let place = from
    for (;;) {
      const left = 2 * place + 1
      const [a, b] = [this.#entries[left], this.#entries[left + 1]]
      if (!a) break
      const least = b && b.rank < a.rank ? b : a
      if (least.rank >= entry.rank) break
      const below = least.place
      this.#put(least, place)
      place = below
    }
    this.#put(entry, place)
  }

  #put(entry: T, place: number): void {
    this.#entries[place] = entry
    entry.place = place
  }
}
