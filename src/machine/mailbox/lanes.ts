import type { PeerId } from '../../base/util/brand.ts'
import type { Host } from '../../base/wire/records.ts'
import type { Lane } from './lane.ts'

/** The lanes to several hosts, one each, opened when they are wanted. */
export class Lanes {
  readonly #open: (host: Host) => Lane
  readonly #lanes = new Map<PeerId, Lane>()

  constructor(open: (host: Host) => Lane) {
    this.#open = open
  }

  /** The lane to a host; those on which nothing is under way make room for a new one. */
  to(host: Host): Lane {
    const peer = host.peerId as PeerId
    const known = this.#lanes.get(peer)
    if (known) return known
    for (const [other, { isIdle }] of this.#lanes) if (isIdle) this.#lanes.delete(other)
    const lane = this.#open(host)
    this.#lanes.set(peer, lane)
    return lane
  }

  /** Letters on all of them. */
  get size(): number {
    return [...this.#lanes.values()].reduce((sum, { size }) => sum + size, 0)
  }

  /** Tries this host at once; without `peer`, every host. */
  wake(peer?: PeerId): void {
    if (peer) return this.#lanes.get(peer)?.wake()
    for (const lane of this.#lanes.values()) lane.wake()
  }

  async close(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map(async (lane) => lane.close()))
  }
}
