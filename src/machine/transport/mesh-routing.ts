/**
 * The way through the mesh: which machines are near a key, and where a machine can be reached. Routing only;
 * nothing is stored for anybody.
 * @see docs/protocol.md#directory
 * @module
 */

import type { PeerId } from '../../base/util/brand.ts'

export interface MeshPeer {
  readonly peerId: PeerId
  /** To dial, `/ip4/../tcp/../p2p/<id>`; none where the peer is connected and has told none. */
  readonly addresses: readonly string[]
}

/** Near is by the distance of hashes. A list of the nearest begins with the nearest, has `meshNearestMax` of a sort
 *  at most, and never names this machine. */
export interface MeshRouting {
  /** The nearest to `key` that this machine knows; asks nobody. */
  known(key: Uint8Array): Promise<MeshPeer[]>

  /** The nearest to `key` of those that answered before the lookup was over or `signal` aborted, and as many of
   *  those that they named, which may not be there; never rejects. */
  closest(key: Uint8Array, signal: AbortSignal): Promise<MeshPeer[]>

  /** Whether this machine knows fewer than `meshNearestMax` others that are nearer to `key` than itself. */
  isNear(key: Uint8Array): Promise<boolean>

  /** Where other machines say that `peerId` can be reached now; none where nobody says so in time. */
  locate(peerId: PeerId, signal: AbortSignal): Promise<string[]>

  /** Every peer that takes part in routing and is connected. */
  connected(): Promise<MeshPeer[]>
}
