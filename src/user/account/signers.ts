import { mapKey } from '../../base/util/bytes.ts'
import { plainSlotKind } from '../../base/wire/plain-slot.ts'
import { parseSlotHeader, slotClass } from '../../base/wire/slot.ts'
import type { MailboxPort } from './ports.ts'

/** Signing keys of devices, as map keys. */
export interface Signers {
  /** Who has signed anything beside the identity: what they wrote would count for nothing if they were not listed. */
  readonly ofAnything: ReadonlySet<string>
  /** Who has signed more than items of the keyring, which every attempt to give the account new keys begins with. */
  readonly ofContent: ReadonlySet<string>
}

/** Reads who has signed what lies in the mailbox. */
export async function signersOf(port: MailboxPort): Promise<Signers> {
  const ofAnything = new Set<string>()
  const ofContent = new Set<string>()
  for (const slotKind of [slotClass.plain, slotClass.sealed]) {
    for await (const { signed, body } of port.slots(slotKind)) {
      const kind = slotKind === slotClass.plain ? body[0] : undefined
      if (kind === plainSlotKind.identity) continue
      const signer = mapKey(parseSlotHeader(signed).header.device)
      ofAnything.add(signer)
      if (kind !== plainSlotKind.keyring) ofContent.add(signer)
    }
  }
  return { ofAnything, ofContent }
}
