import type { PeerId } from '../../base/util/brand.ts'
import { setNewest } from '../../base/util/newest.ts'

/** Addresses of machines that are not connected, as others told them: hints, kept for a while. */
export class HeardPeers {
  readonly #peersMax: number
  /** The one that was heard of longest ago first. */
  readonly #addresses = new Map<PeerId, readonly string[]>()

  /** `peersMax`: the peer that was heard of longest ago is forgotten above it. */
  constructor({ peersMax }: { peersMax: number }) {
    this.#peersMax = peersMax
  }

  hear(peerId: PeerId, addresses: readonly string[]): void {
    setNewest(this.#addresses, [peerId, addresses], this.#peersMax)
  }

  addresses(peerId: PeerId): readonly string[] {
    return this.#addresses.get(peerId) ?? []
  }
}
