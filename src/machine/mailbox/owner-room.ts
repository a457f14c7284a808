import type { ItemStore } from '../../base/store/item-store.ts'
import type { MailboxId } from '../../base/util/brand.ts'
import { AbzuError } from '../../base/util/errors.ts'
import { pool } from './admission.ts'
import type { CheckedSlot, HostedMailbox } from './hosted-mailbox.ts'
import type { HouseholdRoom } from './household-room.ts'
import type { MailboxLimits } from './mailbox-limits.ts'
import type { MailboxTiers } from './mailbox-tiers.ts'

export interface OwnerRoomDeps {
  readonly items: ItemStore
  readonly limits: Pick<MailboxLimits, 'doorsMax'>
  readonly tiers: MailboxTiers
  readonly room: HouseholdRoom
}

/** Checks that slots which the account itself writes fit into its part of the mailbox. A full one takes what shrinks it,
 *  and what is written anew.
 *  @throws {AbzuError} ABZU_QUOTA_EXCEEDED */
export async function expectRoom(
  { items, limits, tiers, room }: OwnerRoomDeps,
  hosted: HostedMailbox,
  slots: readonly CheckedSlot[],
): Promise<void> {
  const bytes = slots.reduce((sum, { body }) => sum + body.length, 0)
  if (bytes === 0) return
  const { slotItemsMax, slotBytesMax } = tiers.of(hosted.key)
  const used = items.usage(hosted.mailbox)[pool.owner]
  const isOver = used && (used.items >= slotItemsMax || used.bytes >= slotBytesMax)
  const isFull = isOver || !room.hasRoom(hosted, bytes)
  if (isFull && !(await areRewritten(items, hosted.mailbox, slots))) {
    throw new AbzuError('ABZU_QUOTA_EXCEEDED', 'the account is full')
  }
  if (hosted.doorCount > limits.doorsMax) {
    throw new AbzuError('ABZU_QUOTA_EXCEEDED', `an account has at most ${limits.doorsMax} doors`)
  }
  room.added(hosted, bytes)
}

/** Whether each takes the place of one that is as large: under new keys, a full mailbox is written anew. */
async function areRewritten(
  items: Pick<ItemStore, 'slot'>,
  mailbox: MailboxId,
  slots: readonly CheckedSlot[],
): Promise<boolean> {
  for (const { header, body } of slots) {
    if (body.length === 0) continue
    const before = await items.slot(mailbox, header.key)
    if (!before || before.body.length < body.length) return false
  }
  return true
}
