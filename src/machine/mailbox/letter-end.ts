/** What an answer makes of a letter, and where it goes by a record. @module */

import type { PeerId } from '../../base/util/brand.ts'
import { AbzuError } from '../../base/util/errors.ts'
import type { Host } from '../../base/wire/records.ts'
import type { Answer } from './courier.ts'
import type { OutboxOutcome } from './outbox-row.ts'

/** The home among the hosts that a record names.
 *  @throws {AbzuError} ABZU_MALFORMED */
export function homeOf(hosts: readonly Host[]): Host {
  const home = hosts.find(({ role }) => role === 'home')
  if (!home) throw new AbzuError('ABZU_MALFORMED', 'the recipient has no home')
  return home
}

/** Whether two records name the same hosts, as what they are, wherever those may be reached. */
export function isSameHosts(a: readonly Host[], b: readonly Host[]): boolean {
  const named = (hosts: readonly Host[]) =>
    hosts.map(({ peerId, role }) => `${role} ${peerId}`).join()
  return named(a) === named(b)
}

/** The last outcome of a letter; `own` says so where no host did. */
export function outcomeOf(
  answer: Answer | { kind: 'expired' },
  own: PeerId,
): Omit<OutboxOutcome, 'id' | 'atMs'> {
  if (answer.kind === 'expired') return { state: 'expired', by: own }
  const { by } = answer
  if (answer.kind === 'receipt') {
    return { state: 'delivered', by, holdUntilHours: answer.holdUntilHours }
  }
  const { error, record } = answer
  if (error === 'ABZU_STALE_KEY') return { state: 'stale-key', by, record }
  return error === 'ABZU_STAMP_INVALID'
    ? { state: 'refused', by, error, record }
    : { state: 'refused', by, error }
}
