import { AbzuError } from '../../base/util/errors.ts'

/** Names and ids of accounts that are being made, so that two are not made of one. */
export class Reservations {
  readonly #keys = new Set<string>()

  get size(): number {
    return this.#keys.size
  }

  /** Runs `work` while nobody else has one of `keys`.
   *  @throws {AbzuError} ABZU_ALREADY_EXISTS, those of `work` */
  async hold<T>(keys: readonly string[], work: () => Promise<T>): Promise<T> {
    if (keys.some((key) => this.#keys.has(key))) {
      throw new AbzuError('ABZU_ALREADY_EXISTS', 'such an account is being made')
    }
    for (const key of keys) this.#keys.add(key)
    try {
      return await work()
    } finally {
      for (const key of keys) this.#keys.delete(key)
    }
  }
}
