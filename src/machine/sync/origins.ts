import type { PeerId } from '../../base/util/brand.ts'

interface Run {
  readonly first: number
  last: number
}

/** Runs of arrivals that are remembered of each peer: past it some items are offered to where they came from, 16 bytes
 *  each. What one peer sends at a time is one run. */
const runsMax = 4096

/** Which arrivals came from whom of late, so that they are not offered back. A hint, lost with the process. */
export class Origins {
  /** In the order of arrival. */
  readonly #from = new Map<PeerId, Run[]>()

  /** What arrived from `first` to `last`, later than anything noted before, came from this peer. */
  note(peer: PeerId, first: number, last: number): void {
    const runs = this.#from.get(peer) ?? []
    this.#from.set(peer, runs)
    const newest = runs.at(-1)
    if (newest && newest.last + 1 === first) newest.last = last
    else runs.push({ first, last })
    if (runs.length > runsMax) runs.shift()
  }

  /** Whether everything that arrived from `first` to `last` came from this peer. */
  isFrom(peer: PeerId, first: number, last = first): boolean {
    const runs = this.#from.get(peer) ?? []
    // The last run that does not begin behind `first`.
    let [low, high] = [0, runs.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((runs[middle] as Run).first <= first) low = middle + 1
      else high = middle
    }
    const run = runs[low - 1]
    return run !== undefined && last <= run.last
  }

  forget(peer: PeerId): void {
    this.#from.delete(peer)
  }
}
