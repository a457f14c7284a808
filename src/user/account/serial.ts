import { AbzuError } from '../../base/util/errors.ts'

const waitingMax = 256

/** One piece of work at a time, in order: each sees what the one before it left. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  /** @throws {AbzuError} ABZU_OVERLOADED, those of `work` */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= waitingMax) {
      throw new AbzuError('ABZU_OVERLOADED', `${waitingMax} changes wait already`)
    }
    this.#waiting++
    const turn = this.#last.then(work, work)
    this.#last = turn
    try {
      return await turn
    } finally {
      this.#waiting--
    }
  }
}
