/** Work by key, one piece at a time for each: every piece sees what the one before it left. Nothing is kept of a key
 *  whose work is done. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  has(key: string): boolean {
    return this.#last.has(key)
  }

  /** Rejects as `work` does; that ends nothing. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(work, work)
    this.#last.set(key, turn)
    try {
      return await turn
    } finally {
      if (this.#last.get(key) === turn) this.#last.delete(key)
    }
  }
}
