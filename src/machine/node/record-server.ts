/** Serves `/abzu/record/1.0.0`: the records that this node hosts or holds. @see docs/protocol.md#directory @module */

import type { MailboxId, PeerId } from '../../base/util/brand.ts'
import type { Clock } from '../../base/util/clock.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { RateLimiter } from '../../base/util/gcra.ts'
import { decodeRecordRequest, encodePutAnswer } from '../../base/wire/record-call.ts'
import type { DirectoryLimits } from './directory-limits.ts'
import type { HeldRecords } from './held-records.ts'

export interface RecordServerDeps {
  readonly held: Pick<HeldRecords, 'newest' | 'put'>
  readonly limits: Pick<DirectoryLimits, 'peerGets' | 'nodeGets' | 'rateKeysMax'>
  readonly clock: Clock
}

/** Answers one call.
 *  @throws {AbzuError} ABZU_MALFORMED, ABZU_NOT_FOUND, ABZU_RATE_LIMITED, those of `HeldRecords.put` */
export function recordServer({
  held,
  limits,
  clock,
}: RecordServerDeps): (request: Uint8Array, context: { peer: PeerId }) => Promise<Uint8Array> {
  const keysMax = limits.rateKeysMax
  const perPeer = new RateLimiter({ rate: limits.peerGets, keysMax, clock })
  const perNode = new RateLimiter({ rate: limits.nodeGets, keysMax: 1, clock })
  return async (payload, { peer }) => {
    const request = decodeRecordRequest(payload)
    if (request.kind === 'put') return encodePutAnswer(await held.put(request.record, peer))
    if (perPeer.waitMs(peer) > 0 || perNode.waitMs('') > 0) {
      throw new AbzuError('ABZU_RATE_LIMITED', 'records are asked for too fast')
    }
    perPeer.take(peer)
    perNode.take('')
    const record = await held.newest(request.mailbox as MailboxId)
    if (!record) throw new AbzuError('ABZU_NOT_FOUND', 'no record of this mailbox')
    return record
  }
}
