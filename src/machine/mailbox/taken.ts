import type { ItemId } from '../../base/util/brand.ts'
import type { AbzuError, ErrorCode } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import type { Receipt } from '../../base/wire/records.ts'

/** What became of one request of a batch. */
export type Taken =
  | {
      readonly kind: 'durable'
      readonly id: ItemId
      /** What this node is to the mailbox now. */
      readonly as: Receipt['as']
      readonly holdUntilHours: number
    }
  | {
      readonly kind: 'refused'
      readonly error: ErrorCode
      readonly retryAfterMs: number
      /** With ABZU_STALE_KEY and ABZU_STAMP_INVALID the newest record. */
      readonly record?: Uint8Array | undefined
    }

/** Also where a copy lies here and its record does not name this node. */
export const notHosted: Taken = { kind: 'refused', error: 'ABZU_NOT_HOSTED', retryAfterMs: 0 }

/** What the sender can heal once it knows the newest record. */
export function isAnsweredByRecord(error: ErrorCode): boolean {
  return error === 'ABZU_STALE_KEY' || error === 'ABZU_STAMP_INVALID'
}

/** The answer to a request that failed so; a bug is logged. */
export function refusal(error: AbzuError, log: Log): Taken {
  if (error.code === 'ABZU_INTERNAL') log.error('delivery-failed', { error })
  return { kind: 'refused', error: error.code, retryAfterMs: 0 }
}
