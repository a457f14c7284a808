/**
 * What is queued but not durable, on top of what the database says. Two generations: the commit being
 * written, and the one that fills meanwhile.
 */
export class Pending<T> {
  #open = new Map<string, T>()
  #writing = new Map<string, T>()

  /** Undefined where nothing about `key` is queued. */
  get(key: string): T | undefined {
    const open = this.#open.get(key)
    return open === undefined ? this.#writing.get(key) : open
  }

  set(key: string, value: T): void {
    this.#open.set(key, value)
  }

  /** What the commit being written has. */
  sealed(): Iterable<T> {
    return this.#writing.values()
  }

  seal(): void {
    this.#writing = this.#open
    this.#open = new Map()
  }

  durable(): void {
    this.#writing = new Map()
  }
}
