/** The doors of the account's mailbox: one for each contact and each link, shut one by one. @module */

import { doorIdOf, doorKeyOf, newDoorToken } from '../../base/crypto/door.ts'
import type { CryptoPlatform } from '../../base/crypto/platform.ts'
import type { MailboxId } from '../../base/util/brand.ts'
import { toHex } from '../../base/util/bytes.ts'
import { type Clock, hoursOf } from '../../base/util/clock.ts'
import { encode } from '../../base/wire/codec.ts'
import { plainSlotKind, plainSlotName } from '../../base/wire/plain-slot.ts'
import type { Door } from '../../base/wire/records.ts'
import { emptyPlainDraft, plainDraft, type SlotDraft } from './slot-draft.ts'

/** A contact's door stays open as long as the account is used now and then. */
const contactDoorHours = 400 * 24
/** A contact's door is prolonged when less is left of it. */
const renewBelowHours = 300 * 24

export interface DoorsInit {
  readonly platform: Pick<CryptoPlatform, 'random' | 'sha256'>
  readonly mailbox: MailboxId
  readonly clock: Pick<Clock, 'nowMs'>
  readonly stored: readonly Door[]
}

export interface MintedDoor {
  /** Opens the door, 32 bytes. */
  readonly token: Uint8Array
  /** The door is open once this is written. */
  readonly draft: SlotDraft
}

export class Doors {
  readonly #init: DoorsInit
  /** By hexadecimal id. */
  readonly #doors: Map<string, Door>

  constructor(init: DoorsInit) {
    this.#init = init
    this.#doors = new Map(init.stored.map((door) => [toHex(door.id), door]))
  }

  /** A door for one contact. */
  forContact(): MintedDoor {
    return this.#mint({ pool: 'contact', hours: contactDoorHours })
  }

  /** A door for whoever holds a link. */
  forLink({ uses, days }: { uses?: number; days: number }): MintedDoor {
    return this.#mint({ pool: 'request', hours: days * 24, ...(uses !== undefined && { uses }) })
  }

  /** Doors of links whose time is not over, the first to end first. */
  links(): Door[] {
    const nowHours = this.#nowHours()
    return [...this.#doors.values()]
      .filter(({ pool, untilHours }) => pool === 'request' && untilHours > nowHours)
      .toSorted((a, b) => a.untilHours - b.untilHours)
  }

  /** Shuts a link's door, once it is written; `forget` follows. */
  shutLink({ id }: Door): SlotDraft {
    return emptyPlainDraft(this.#init, plainSlotName.door(id))
  }

  forget({ id }: Door): void {
    this.#doors.delete(toHex(id))
  }

  /** Shuts the door of `token`, once it is written. */
  shut(token: Uint8Array): SlotDraft {
    const { platform } = this.#init
    return this.#shutById(doorIdOf(platform, doorKeyOf(platform, token)))
  }

  /** Prolongs the doors of contacts and takes away doors whose time is over. */
  upkeep(): SlotDraft[] {
    const nowHours = this.#nowHours()
    const drafts: SlotDraft[] = []
    for (const door of this.#doors.values()) {
      const leftHours = door.untilHours - nowHours
      if (door.pool === 'contact' && leftHours < renewBelowHours) {
        drafts.push(this.#open({ ...door, untilHours: nowHours + contactDoorHours }))
      } else if (leftHours <= 0) {
        drafts.push(this.#shutById(door.id))
      }
    }
    return drafts
  }

  #mint(init: { pool: Door['pool']; hours: number; uses?: number }): MintedDoor {
    const { platform } = this.#init
    const { pool, hours, uses } = init
    const token = newDoorToken(platform)
    const key = doorKeyOf(platform, token)
    const untilHours = this.#nowHours() + hours
    const id = doorIdOf(platform, key)
    const draft = this.#open({
      v: 1,
      id,
      key,
      untilHours,
      pool,
      ...(uses !== undefined && { uses }),
    })
    return { token, draft }
  }

  #open(door: Door): SlotDraft {
    this.#doors.set(toHex(door.id), door)
    return plainDraft(this.#init, {
      name: plainSlotName.door(door.id),
      kind: plainSlotKind.door,
      content: encode({ ...door }),
    })
  }

  #shutById(id: Uint8Array): SlotDraft {
    this.#doors.delete(toHex(id))
    return emptyPlainDraft(this.#init, plainSlotName.door(id))
  }

  #nowHours(): number {
    return hoursOf(this.#init.clock.nowMs())
  }
}
