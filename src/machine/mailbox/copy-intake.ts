/** What another copy of a mailbox has, on its way into this one. @see docs/protocol.md#sync @module */

import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { itemIdOf } from '../../base/crypto/address.ts'
import { slotIdOf } from '../../base/crypto/slot-header.ts'
import type { ArrivalsTaken, ItemStore, NewItem } from '../../base/store/item-store.ts'
import type { ItemId, MailboxId } from '../../base/util/brand.ts'
import { mapKey } from '../../base/util/bytes.ts'
import { type Clock, earliestMs, hoursOf, latestMs } from '../../base/util/clock.ts'
import { AbzuError, isAbzuError } from '../../base/util/errors.ts'
import type { Log } from '../../base/util/log.ts'
import type { Turns } from '../../base/util/turns.ts'
import { parseEnvelopeHeader } from '../../base/wire/envelope.ts'
import { wireLimits } from '../../base/wire/limits.ts'
import type { CopiedItem } from '../../base/wire/copied-item.ts'
import type { AcknowledgedIds } from './acknowledged-ids.ts'
import type { CheckedSlot, HostedMailbox, SignedSlot } from './hosted-mailbox.ts'

export interface CopyIntakeDeps {
  readonly platform: Pick<CryptoPlatform, 'sha256'>
  readonly clock: Clock
  readonly log: Log
  readonly items: Pick<ItemStore, 'has' | 'find' | 'append'>
  readonly acknowledged: Pick<AcknowledgedIds, 'has'>
  /** One change of a mailbox's slots at a time. */
  readonly changes: Turns
  /** @throws {AbzuError} ABZU_NOT_HOSTED */
  readonly hosted: (mailbox: MailboxId) => Promise<HostedMailbox>
  /** Stores slots that were checked, and acts on them. Resolves after fsync. */
  readonly storeSlots: (
    hosted: HostedMailbox,
    checked: readonly CheckedSlot[],
    taken?: ArrivalsTaken,
  ) => Promise<void>
  /** Mail or chunks are durable. */
  readonly arrived: (mailbox: MailboxId) => void
}

/** Takes copies in: of a slot the signature counts, of mail its id; neither is believed because of who sent it. */
export class CopyIntake {
  readonly #deps: CopyIntakeDeps

  constructor(deps: CopyIntakeDeps) {
    this.#deps = deps
  }

  /** Whether an item is wanted here: it is not here, nor acknowledged by its owner.
   *  @throws {AbzuError} ABZU_STORE_DAMAGED */
  wants(mailbox: MailboxId, idPrefix: Uint8Array): boolean {
    const { acknowledged, items } = this.#deps
    if (acknowledged.has(mailbox, idPrefix)) return false
    return items.find(mailbox, idPrefix) === undefined
  }

  /** Takes items that another copy of a mailbox has; what is not the account's, or is over, is left out.
   *  Resolves after fsync.
   *  @throws {AbzuError} ABZU_NOT_HOSTED, those of the store */
  async take(
    mailbox: MailboxId,
    copies: readonly CopiedItem[],
    taken?: ArrivalsTaken,
  ): Promise<void> {
    const slots = copies.filter(({ kind }) => kind === 'slot')
    const turn = async () => this.#merge(mailbox, slots, taken)
    const merged = slots.length > 0 ? this.#deps.changes.run(mapKey(mailbox), turn) : undefined
    const appended = slots.length < copies.length ? this.#append(mailbox, copies, taken) : undefined
    await Promise.all([merged, appended])
  }

  async #merge(
    mailbox: MailboxId,
    slots: readonly SignedSlot[],
    taken?: ArrivalsTaken,
  ): Promise<void> {
    const { platform, items, storeSlots } = this.#deps
    const hosted = await this.#deps.hosted(mailbox)
    let checked: CheckedSlot[] = []
    for (const slot of slots) {
      if (items.has(mailbox, slotIdOf(platform, slot.signed))) continue
      const one = this.#attempt(() => hosted.check(slot))
      if (!one) continue
      checked.push(one)
      if (!one.isIdentity) continue
      // What follows may be signed by a device that it lists first.
      await storeSlots(hosted, checked, taken)
      checked = []
    }
    if (checked.length > 0) await storeSlots(hosted, checked, taken)
  }

  async #append(
    mailbox: MailboxId,
    copies: readonly CopiedItem[],
    taken?: ArrivalsTaken,
  ): Promise<void> {
    const { acknowledged, items: store, arrived } = this.#deps
    const wanted: NewItem[] = []
    for (const copy of copies) {
      const item = this.#attempt(() => copiedMail(this.#deps, mailbox, copy))
      if (item && !acknowledged.has(mailbox, item.id)) wanted.push(item)
    }
    if (wanted.length === 0) return
    await store.append(wanted, [], taken)
    arrived(mailbox)
  }

  /** What a peer sent may be anything. */
  #attempt<T>(check: () => T): T | undefined {
    try {
      return check()
    } catch (error) {
      if (!isAbzuError(error)) throw error
      this.#deps.log.warn('copy-refused', { error })
      return undefined
    }
  }
}

/** The item, to be stored; undefined where it is over, or a slot. Its door was judged by the copy that took it in; what it
 *  says of itself is not believed: the id is computed, and an envelope's end is the one in its header, or sooner.
 *  @throws {AbzuError} ABZU_MALFORMED */
function copiedMail(
  { platform, clock }: Pick<CopyIntakeDeps, 'platform' | 'clock'>,
  mailbox: MailboxId,
  { kind, expiresAtHours, pool, body }: CopiedItem,
): NewItem | undefined {
  if (kind === 'slot') return undefined
  const end = kind === 'mail' ? endOfMail(clock, body, expiresAtHours) : expiresAtHours
  const isOver = end !== 0 && end <= hoursOf(earliestMs(clock))
  if (isOver) return undefined
  const id = kind === 'mail' ? itemIdOf(platform, body) : (platform.sha256(body) as ItemId)
  return { mailbox, kind, id, receivedAtMs: clock.nowMs(), expiresAtHours: end, pool, body }
}

function endOfMail(clock: Clock, envelope: Uint8Array, claimedHours: number): number {
  const { expiresAtHours } = parseEnvelopeHeader(envelope)
  if (expiresAtHours > hoursOf(latestMs(clock)) + wireLimits.mailHoursMax + 1) {
    throw new AbzuError('ABZU_MALFORMED', 'mail that would stay too long')
  }
  return Math.min(expiresAtHours, claimedHours)
}
