import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { plainSlotKey } from '../../base/crypto/slot-header.ts'
import type { ItemStore } from '../../base/store/item-store.ts'
import type { MailboxId } from '../../base/util/brand.ts'
import { concatBytes } from '../../base/util/bytes.ts'
import { parsePlainSlot, plainSlotName } from '../../base/wire/plain-slot.ts'

/** The newest record of a stored mailbox alone, without the rest of it: it was checked before it was stored.
 *  @throws {AbzuError} ABZU_STORE_DAMAGED, ABZU_MALFORMED */
export async function storedRecord(
  { platform, items }: { platform: Pick<CryptoPlatform, 'sha256'>; items: Pick<ItemStore, 'slot'> },
  mailbox: MailboxId,
): Promise<Uint8Array | undefined> {
  const slot = await items.slot(mailbox, plainSlotKey(platform, mailbox, plainSlotName.record))
  // a copy: who keeps it does not keep the page that it was read in
  return slot?.body.length ? concatBytes(parsePlainSlot(slot.body).content) : undefined
}
