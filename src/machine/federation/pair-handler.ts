/** Serves `/abzu/pair/1.0.0`: another node takes up a code of this one. @see docs/protocol.md#pairing @module */

import type { PeerId } from '../../base/util/brand.ts'
import type { Clock } from '../../base/util/clock.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { RateLimiter } from '../../base/util/gcra.ts'
import { decodePairRequest, encodePairAnswer } from '../../base/wire/pair.ts'
import type { FederationLimits } from './federation-limits.ts'
import type { Pairing } from './pairing.ts'

export interface PairHandlerDeps {
  readonly pairing: Pick<Pairing, 'admit'>
  readonly limits: Pick<FederationLimits, 'peerAttempts' | 'nodeAttempts' | 'rateKeysMax'>
  readonly clock: Pick<Clock, 'monotonicMs'>
}

/** Answers one call.
 *  @throws {AbzuError} ABZU_RATE_LIMITED, ABZU_MALFORMED, those of `Pairing.admit` */
export function pairHandler({
  pairing,
  limits,
  clock,
}: PairHandlerDeps): (request: Uint8Array, context: { peer: PeerId }) => Promise<Uint8Array> {
  const keysMax = limits.rateKeysMax
  const perPeer = new RateLimiter({ rate: limits.peerAttempts, keysMax, clock })
  const perNode = new RateLimiter({ rate: limits.nodeAttempts, keysMax: 1, clock })
  return async (payload, { peer }) => {
    if (perPeer.take(peer) > 0 || perNode.take('') > 0) {
      throw new AbzuError('ABZU_RATE_LIMITED', 'codes are tried too fast')
    }
    return encodePairAnswer(await pairing.admit(peer, decodePairRequest(payload)))
  }
}
