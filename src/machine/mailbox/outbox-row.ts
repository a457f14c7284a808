/** Rows of the outbox on the disk. @module */

import type { ItemId, MailboxId, PeerId } from '../../base/util/brand.ts'
import { concatBytes, u64be } from '../../base/util/bytes.ts'
import { AbzuError, errorCodes } from '../../base/util/errors.ts'
import { encode } from '../../base/wire/codec.ts'
import { doorIdBytes, doorProofBytes, stampBytes, type Pass } from '../../base/wire/deliver.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import { hostShape } from '../../base/wire/records.ts'
import {
  bytes,
  bytesBetween,
  decodeShape,
  list,
  literal,
  oneOf,
  optional,
  record,
  text,
  uint,
  type Shaped,
} from '../../base/wire/shape.ts'

const headShape = record({
  /** Rows of version 1 lack what is optional here and no pass. */
  v: oneOf(1, 2),
  id: bytes(32),
  from: bytes(32),
  to: bytes(32),
  hosts: list(hostShape, wireLimits.hostsMax),
  /** Either a door and its proof, or a stamp. */
  doorId: optional(bytes(doorIdBytes)),
  proof: optional(bytes(doorProofBytes)),
  stamp: optional(bytes(stampBytes)),
  expiresAtHours: uint(),
  /** Place of the recipient's record that the letter was sealed by, or of a later one that lists its key and by which
   *  it goes. */
  sealedBy: optional(record({ docSeq: uint(), seq: uint() })),
  /** A holder has it until then: no other one needs to. */
  heldUntilHours: optional(uint()),
})

/** A queued letter without its envelope, by place in the outbox. */
export type OutboxHead = Shaped<typeof headShape>

const outcomeShape = record({
  v: literal(1),
  id: bytes(32),
  state: oneOf('delivered', 'held', 'expired', 'refused', 'stale-key'),
  atMs: uint(),
  by: text(64),
  holdUntilHours: optional(uint()),
  error: optional(oneOf(...errorCodes)),
  record: optional(bytesBetween(0, wireLimits.recordBytesMax)),
})

/** What became of a letter. */
export interface OutboxOutcome extends Omit<Shaped<typeof outcomeShape>, 'v' | 'id' | 'by'> {
  readonly id: ItemId
  readonly by: PeerId
}

export function encodeHead(head: Omit<OutboxHead, 'v'>): Uint8Array {
  return encode({ ...head, v: 2 })
}

/** @throws {AbzuError} ABZU_MALFORMED */
export function decodeHead(row: Uint8Array): OutboxHead {
  return decodeShape(headShape, row, 'outbox row')
}

export function encodeOutcome(outcome: OutboxOutcome): Uint8Array {
  return encode({ v: 1, ...outcome })
}

/** @throws {AbzuError} ABZU_MALFORMED */
export function decodeOutcome(row: Uint8Array): OutboxOutcome {
  const { v: _, ...outcome } = decodeShape(outcomeShape, row, 'outcome row')
  return { ...outcome, id: outcome.id as ItemId, by: outcome.by as PeerId }
}

/** What lets the letter in.
 *  @throws {AbzuError} ABZU_MALFORMED */
export function passOfHead({ doorId, proof, stamp }: OutboxHead): Pass {
  if (stamp) return { stamp }
  if (doorId && proof) return { doorId, proof }
  throw new AbzuError('ABZU_MALFORMED', 'an outbox row without a pass')
}

/** Key of a head and of an envelope: the place in the outbox. */
export function placeKey(seq: number): Uint8Array {
  return u64be(seq)
}

/** Key of an outcome: `sender's mailbox[32] | place[8] | 0 where it is not the last one, else 1`. */
export function outcomeKey(
  from: MailboxId,
  seq: number,
  { state }: Pick<OutboxOutcome, 'state'>,
): Uint8Array {
  return concatBytes(from, u64be(seq), new Uint8Array([state === 'held' ? 0 : 1]))
}
