import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { plainSlotKey } from '../../base/crypto/slot-header.ts'
import type { ItemStore, StoredSlot } from '../../base/store/item-store.ts'
import type { MailboxId } from '../../base/util/brand.ts'
import { plainSlotName } from '../../base/wire/plain-slot.ts'

/** Identity and record. */
export const introductionSlotsMax = 2

/** The slots by which all else in a mailbox is judged, in this order: who may sign for it, and who hosts it. Those that
 *  are there.
 *  @throws {AbzuError} ABZU_STORE_DAMAGED */
export async function introductionSlots(
  { platform, items }: { platform: Pick<CryptoPlatform, 'sha256'>; items: Pick<ItemStore, 'slot'> },
  mailbox: MailboxId,
): Promise<StoredSlot[]> {
  const slots: StoredSlot[] = []
  for (const name of [plainSlotName.identity, plainSlotName.record]) {
    const slot = await items.slot(mailbox, plainSlotKey(platform, mailbox, name))
    if (slot) slots.push(slot)
  }
  return slots
}
