import type { PeerId } from '../../base/util/brand.ts'
import { mapKey } from '../../base/util/bytes.ts'
import { setNewest } from '../../base/util/newest.ts'
import { offeredIdBytes } from '../../base/wire/sync.ts'

/** Items that are remembered of each peer: past it some are offered to where they came from, 16 bytes each. */
const itemsMax = 16_384

/** Which items came from whom of late, so that they are not offered back. A hint, lost with the process. */
export class Origins {
  readonly #from = new Map<PeerId, Map<string, true>>()

  note(peer: PeerId, idPrefix: Uint8Array): void {
    const items = this.#from.get(peer) ?? new Map<string, true>()
    this.#from.set(peer, items)
    setNewest(items, [mapKey(idPrefix), true], itemsMax)
  }

  /** Whether the item came from this peer; asked once. */
  take(peer: PeerId, id: Uint8Array): boolean {
    return this.#from.get(peer)?.delete(mapKey(id.subarray(0, offeredIdBytes))) ?? false
  }

  forget(peer: PeerId): void {
    this.#from.delete(peer)
  }
}
