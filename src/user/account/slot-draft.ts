/** Slots on their way into a mailbox: what is to be written, and the signed form of it. @module */

import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { plainSlotKey, signSlot } from '../../base/crypto/slot-header.ts'
import type { MailboxId } from '../../base/util/brand.ts'
import { encodePlainSlot, type PlainSlotKind } from '../../base/wire/plain-slot.ts'
import { slotClass, type SlotClass } from '../../base/wire/slot.ts'
import type { Device } from './device.ts'
import type { SignedSlot } from './ports.ts'
import type { VersionClock } from './version-clock.ts'

export interface SlotDraft {
  readonly class: SlotClass
  /** 20 bytes. */
  readonly key: Uint8Array
  /** What the slot holds; a sealed body is bound to the version that it gets. */
  body(version: number): Uint8Array
}

export interface PlainSlotPlace {
  readonly platform: Pick<CryptoPlatform, 'sha256'>
  readonly mailbox: MailboxId
}

/** A plain slot under its name. */
export function plainDraft(
  { platform, mailbox }: PlainSlotPlace,
  { name, kind, content }: { name: string; kind: PlainSlotKind; content: Uint8Array },
): SlotDraft {
  const body = encodePlainSlot(kind, content)
  return { class: slotClass.plain, key: plainSlotKey(platform, mailbox, name), body: () => body }
}

/** Empties a plain slot; its header stays. */
export function emptyPlainDraft({ platform, mailbox }: PlainSlotPlace, name: string): SlotDraft {
  const body = new Uint8Array()
  return { class: slotClass.plain, key: plainSlotKey(platform, mailbox, name), body: () => body }
}

/** Each draft with a version of its own, signed by the device. */
export function signDrafts(
  init: {
    readonly platform: Pick<CryptoPlatform, 'sha256' | 'ed25519'>
    readonly mailbox: MailboxId
    readonly device: Device
    readonly versions: VersionClock
  },
  drafts: readonly SlotDraft[],
): SignedSlot[] {
  const { platform, mailbox, device, versions } = init
  return drafts.map((draft) => {
    const version = versions.next()
    const body = draft.body(version)
    const signed = signSlot(platform, device.signSeed, {
      class: draft.class,
      mailbox,
      key: draft.key,
      version,
      bodyHash: platform.sha256(body),
      device: device.signPk,
    })
    return { signed, body }
  })
}
