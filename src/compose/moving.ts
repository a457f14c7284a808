/** Puts together what accounts move between paired nodes by. @module */

import { peerNamedBy } from '../base/crypto/address.ts'
import type { Clock, Scheduler } from '../base/util/clock.ts'
import { AbzuError } from '../base/util/errors.ts'
import { moveProtocol } from '../base/wire/protocols.ts'
import { defaultFederationLimits as limits } from '../machine/federation/federation-limits.ts'
import { announceMove, moveHandler } from '../machine/federation/moving.ts'
import type { TrustedPeers } from '../machine/federation/trusted-peers.ts'
import { serveCalls } from '../machine/transport/call.ts'
import type { Transport } from '../machine/transport/transport.ts'
import type { MovingPort } from '../user/account/ports.ts'
import type { Moves } from '../user/household/moves.ts'
import type { Sync } from './sync.ts'

export interface MovingParts {
  readonly transport: Transport
  readonly trusted: TrustedPeers
  readonly scheduler: Scheduler
}

/** What an account leaves by. */
export function movingPort({
  sync: { coveredBy, givenTo },
  ...parts
}: MovingParts & { readonly sync: Pick<Sync, 'coveredBy' | 'givenTo'> }): MovingPort {
  return {
    peer(nameOrAddress) {
      const { trusted } = parts
      if (!nameOrAddress.includes('/')) return trusted.named(nameOrAddress).peerId
      const peer = trusted.get(peerNamedBy(nameOrAddress))
      if (peer) return peer.peerId
      const message =
        'no paired node has this address: abzu peer invite there, abzu peer accept here'
      throw new AbzuError('ABZU_NOT_FOUND', message)
    },
    announce: async (...asked) => announceMove({ ...parts, limits }, ...asked),
    hasAll: async (mailbox, peer) => (await coveredBy(mailbox)).includes(peer),
    taken: givenTo,
  }
}

/** Serves who announces an account. */
export function serveMoves({
  transport,
  trusted,
  scheduler,
  clock,
  moves,
}: MovingParts & { readonly clock: Clock; readonly moves: Pick<Moves, 'expect'> }): void {
  const answer = moveHandler({
    trusted,
    expect: async (from, coming) => moves.expect(from, coming),
    limits,
    clock,
  })
  serveCalls(transport, moveProtocol, { timeoutMs: 10_000, scheduler, answer })
}
