/** Who signed a slot, and under which key its name puts it. @see docs/protocol.md#slots @module */

import type { ItemId, MailboxId } from '../util/brand.ts'
import { concatBytes, utf8 } from '../util/bytes.ts'
import { isAbzuError } from '../util/errors.ts'
import { encodeSlotHeader, parseSlotHeader, slotKeyBytes, type SlotHeader } from '../wire/slot.ts'
import { labels } from './labels.ts'
import type { CryptoPlatform } from './platform.ts'

/** The signed header, 190 bytes. `deviceSeed` is that of `header.device`. */
export function signSlot(
  platform: Pick<CryptoPlatform, 'ed25519'>,
  deviceSeed: Uint8Array,
  header: SlotHeader,
): Uint8Array {
  const unsigned = encodeSlotHeader(header)
  const message = concatBytes(labels.slotHeader, unsigned)
  return concatBytes(unsigned, platform.ed25519.sign(deviceSeed, message))
}

/** Whether `signed` is a slot header signed by the device that it names. Whether that device may sign
 *  for the mailbox, the identity document says. */
export function verifySlot(platform: Pick<CryptoPlatform, 'ed25519'>, signed: Uint8Array): boolean {
  try {
    const { header, unsigned, signature } = parseSlotHeader(signed)
    const message = concatBytes(labels.slotHeader, unsigned)
    return platform.ed25519.verify(header.device, message, signature)
  } catch (error) {
    if (isAbzuError(error)) return false
    throw error
  }
}

/** SHA-256 of the signed header. */
export function slotIdOf(platform: Pick<CryptoPlatform, 'sha256'>, signed: Uint8Array): ItemId {
  return platform.sha256(signed) as ItemId
}

/** Key of a plain slot, 20 bytes: any host can compute it from the name. */
export function plainSlotKey(
  platform: Pick<CryptoPlatform, 'sha256'>,
  mailbox: MailboxId,
  name: string,
): Uint8Array {
  return platform.sha256(labels.plainSlotKey, mailbox, utf8(name)).slice(0, slotKeyBytes)
}

/** Key of a sealed slot, 20 bytes: tells nothing of the name without the name key (32 bytes). */
export function sealedSlotKey(
  platform: Pick<CryptoPlatform, 'hmacSha256'>,
  nameKey: Uint8Array,
  name: string,
): Uint8Array {
  return platform.hmacSha256(nameKey, labels.sealedSlotKey, utf8(name)).slice(0, slotKeyBytes)
}
