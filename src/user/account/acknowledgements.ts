import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import { plainSlotKey } from '../../base/crypto/slot-header.ts'
import type { ItemId, MailboxId } from '../../base/util/brand.ts'
import { concatBytes, mapKey } from '../../base/util/bytes.ts'
import type { Clock } from '../../base/util/clock.ts'
import { encode } from '../../base/wire/codec.ts'
import { plainSlotKind, plainSlotName } from '../../base/wire/plain-slot.ts'
import {
  acknowledgedIdBytes,
  acknowledgedIdsMax,
  type Acknowledgement,
} from '../../base/wire/records.ts'
import { emptyPlainDraft, plainDraft, type SlotDraft } from './slot-draft.ts'

const dayMs = 86_400_000
/** Longer than any copy of acknowledged mail can live. */
const keptDays = 33

interface Day {
  /** The part that is being filled. */
  part: number
  ids: Map<string, Uint8Array>
}

/** What this device has taken out of the mailbox, by UTC day, in parts of bounded size.
 *  @see docs/protocol.md#plain-slots */
export class Acknowledgements {
  readonly #platform: Pick<CryptoPlatform, 'sha256'>
  readonly #mailbox: MailboxId
  readonly #device: Uint8Array
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #days = new Map<number, Day>()

  constructor(init: {
    readonly platform: Pick<CryptoPlatform, 'sha256'>
    readonly mailbox: MailboxId
    /** Its signing key, 32 bytes. */
    readonly device: Uint8Array
    readonly clock: Pick<Clock, 'nowMs'>
    /** By the key of their slot. */
    readonly stored: ReadonlyMap<string, Acknowledgement>
  }) {
    this.#platform = init.platform
    this.#mailbox = init.mailbox
    this.#device = init.device
    this.#clock = init.clock
    for (const day of new Set([...init.stored.values()].map((stored) => stored.day))) {
      this.#takeUp(day, init.stored)
    }
  }

  /** The slots that acknowledge `ids`. Whether or not they get written, the ids are listed by every later
   *  slot of the same part: only ids of mail that is dealt with for good may be given. */
  drafts(ids: readonly ItemId[]): SlotDraft[] {
    const today = Math.floor(this.#clock.nowMs() / dayMs)
    const day = this.#days.get(today) ?? { part: 0, ids: new Map() }
    this.#days.set(today, day)
    const drafts: SlotDraft[] = []
    for (const id of ids) {
      if (day.ids.size >= acknowledgedIdsMax) {
        drafts.push(this.#draft(today, day))
        day.part++
        day.ids = new Map()
      }
      const short = concatBytes(id.subarray(0, acknowledgedIdBytes))
      day.ids.set(mapKey(short), short)
    }
    if (ids.length > 0) drafts.push(this.#draft(today, day))
    return drafts
  }

  /** Empties the slots of days that no copy of the mail can have outlived. */
  expired(): SlotDraft[] {
    const today = Math.floor(this.#clock.nowMs() / dayMs)
    const drafts: SlotDraft[] = []
    for (const [day, { part }] of this.#days) {
      if (day + keptDays >= today) continue
      this.#days.delete(day)
      for (let n = 0; n <= part; n++) drafts.push(emptyPlainDraft(this.#place, this.#name(day, n)))
    }
    return drafts
  }

  get #place(): { platform: Pick<CryptoPlatform, 'sha256'>; mailbox: MailboxId } {
    return { platform: this.#platform, mailbox: this.#mailbox }
  }

  #name(day: number, part: number): string {
    return plainSlotName.acknowledgement(this.#device, day, part)
  }

  #draft(day: number, { part, ids }: Day): SlotDraft {
    const content = encode({ v: 1, day, ids: concatBytes(...ids.values()) })
    return plainDraft(this.#place, {
      name: this.#name(day, part),
      kind: plainSlotKind.acknowledgement,
      content,
    })
  }

  /** Finds the last part of a day. A slot does not say which part it is, but its key does. */
  #takeUp(day: number, stored: ReadonlyMap<string, Acknowledgement>): void {
    for (let part = 0; ; part++) {
      const key = plainSlotKey(this.#platform, this.#mailbox, this.#name(day, part))
      const found = stored.get(mapKey(key))
      if (!found) return
      const ids = new Map<string, Uint8Array>()
      for (let at = 0; at < found.ids.length; at += acknowledgedIdBytes) {
        const id = concatBytes(found.ids.subarray(at, at + acknowledgedIdBytes))
        ids.set(mapKey(id), id)
      }
      this.#days.set(day, { part, ids })
    }
  }
}
