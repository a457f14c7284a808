/**
 * Both ends of `/abzu/move/1.0.0`, by which an account's home asks a node that trusts it to be the next one.
 * @see docs/protocol.md#move
 * @module
 */

import type { PeerId } from '../../base/util/brand.ts'
import type { Clock, Scheduler } from '../../base/util/clock.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { RateLimiter } from '../../base/util/gcra.ts'
import {
  decodeMoveAnswer,
  decodeMoveRequest,
  encodeMoveAnswer,
  encodeMoveRequest,
  type ComingAccount,
} from '../../base/wire/move.ts'
import { moveProtocol } from '../../base/wire/protocols.ts'
import type { Host } from '../../base/wire/records.ts'
import { call } from '../transport/call.ts'
import type { Transport } from '../transport/transport.ts'
import type { FederationLimits } from './federation-limits.ts'
import type { TrustedPeers } from './trusted-peers.ts'

export interface MoveCallDeps {
  readonly transport: Pick<Transport, 'open'>
  readonly scheduler: Scheduler
  readonly limits: Pick<FederationLimits, 'acceptMs'>
}

/** Asks a node to be the next home of an account. Resolves with it as that home, once it has written down what it was told.
 *  @throws {AbzuError} ABZU_DENIED where it does not trust this node, or knows another home of the account;
 *  ABZU_ALREADY_EXISTS where somebody there has that name; ABZU_RATE_LIMITED, ABZU_QUOTA_EXCEEDED, those of `call` */
export async function announceMove(
  { transport, scheduler, limits }: MoveCallDeps,
  to: PeerId,
  coming: ComingAccount,
  signal: AbortSignal,
): Promise<Host> {
  const answer = await call(transport, to, moveProtocol, encodeMoveRequest(coming), {
    locate: true,
    timeoutMs: limits.acceptMs,
    scheduler,
    signal,
  })
  const { addresses } = decodeMoveAnswer(answer)
  return { peerId: to, role: 'home', addresses }
}

export interface MoveHandlerDeps {
  readonly trusted: Pick<TrustedPeers, 'get'>
  /** Writes down that the account is to live here. Resolves after fsync, with this node as a home. */
  readonly expect: (from: PeerId, coming: ComingAccount) => Promise<Host>
  readonly limits: Pick<FederationLimits, 'peerAttempts' | 'rateKeysMax'>
  readonly clock: Pick<Clock, 'monotonicMs'>
}

/** Answers one call.
 *  @throws {AbzuError} ABZU_DENIED to who is not trusted, ABZU_RATE_LIMITED, ABZU_MALFORMED, those of `expect` */
export function moveHandler({
  trusted,
  expect,
  limits,
  clock,
}: MoveHandlerDeps): (request: Uint8Array, context: { peer: PeerId }) => Promise<Uint8Array> {
  const rates = new RateLimiter({ rate: limits.peerAttempts, keysMax: limits.rateKeysMax, clock })
  return async (payload, { peer }) => {
    if (!trusted.get(peer)) throw new AbzuError('ABZU_DENIED', 'this node is not paired with yours')
    if (rates.take(peer) > 0) throw new AbzuError('ABZU_RATE_LIMITED', 'accounts come too fast')
    const { addresses = [] } = await expect(peer, decodeMoveRequest(payload))
    return encodeMoveAnswer({ v: 1, addresses: [...addresses] })
  }
}
